using Mono.Cecil;
using Mono.Cecil.Cil;

namespace PvPatch.Perf.Rows;

/// <summary>What one would write without the engine: Mono.Cecil, and the one pattern that the compiler makes, unproven.</summary>
internal static class CecilRewriting
{
    /// <summary>Replaces each call through a slot by a call of its target, and writes the assembly.</summary>
    /// <param name="file">The assembly of <see cref="SitesImage"/>.</param>
    /// <returns>Its new size in bytes.</returns>
    public static long Rewrite(string file)
    {
        using var assembly = AssemblyDefinition.ReadAssembly(file);
        TypeDefinition slots = assembly.MainModule.GetType(SitesImage.Slots);
        Dictionary<FieldReference, MethodDefinition> targets = slots.Fields.ToDictionary(f => (FieldReference)f, f => slots.Methods.Single(m => m.Name == f.Name.Replace("Op", "Target", StringComparison.Ordinal)));
        foreach (MethodDefinition method in assembly.MainModule.GetTypes().SelectMany(type => type.Methods).Where(m => m.HasBody))
        {
            ILProcessor il = method.Body.GetILProcessor();
            if (method.Body.Instructions is not [{ OpCode.Code: Code.Ldsfld } load, { OpCode.Code: Code.Stloc_0 } store, _, { OpCode.Code: Code.Ldloc_0 } pointer, { OpCode.Code: Code.Calli } call, ..])
                continue;
            MethodDefinition target = targets[((FieldReference)load.Operand).Resolve()];
            il.Remove(load);
            il.Remove(store);
            il.Remove(pointer);
            il.Replace(call, il.Create(OpCodes.Call, target));
        }

        using var output = new MemoryStream();
        assembly.Write(output);
        return output.Length;
    }
}
