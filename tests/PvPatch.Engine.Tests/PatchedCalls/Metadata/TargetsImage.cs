using Mono.Cecil;
using Mono.Cecil.Cil;

namespace PvPatch.Engine.Tests.PatchedCalls.Metadata;

/// <summary>Writes an assembly of targets for a fixture's slots, which the fixture does not refer to.</summary>
internal static class TargetsImage
{
    /// <summary>Its assembly's and its class's name.</summary>
    public const string Name = "Targets";

    /// <summary>Writes it.</summary>
    /// <param name="fixture">The assembly with the slots.</param>
    /// <param name="file">Path of the new file.</param>
    /// <param name="name">Its assembly's name.</param>
    public static void Write(string fixture, string file, string name = Name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var slots = AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(fixture));
        using var targets = AssemblyDefinition.CreateAssembly(new AssemblyNameDefinition(name, new Version(4, 3, 2, 1)), name, ModuleKind.Dll);
        ModuleDefinition module = targets.MainModule;
        var outer = new TypeDefinition("", Name, TypeAttributes.NotPublic, module.TypeSystem.Object);
        var inner = new TypeDefinition("", "Inner", TypeAttributes.NestedPrivate, module.TypeSystem.Object);
        outer.NestedTypes.Add(inner);
        module.Types.Add(outer);
        Add(outer, "Public", MethodAttributes.Public, 10);
        Add(outer, "Internal", MethodAttributes.Assembly, 20);
        Add(outer, "Private", MethodAttributes.Private, 30);
        Add(inner, "Nested", MethodAttributes.Private, 40);

        // A struct of the fixture in the signature: Pair Swap(Pair), which gives its argument back.
        TypeReference pair = module.ImportReference(slots.MainModule.GetType("PvPatch.Engine.Fixtures.Pair"));
        var swap = new MethodDefinition("Swap", MethodAttributes.Private | MethodAttributes.Static, pair);
        swap.Parameters.Add(new ParameterDefinition(pair));
        swap.Body.GetILProcessor().Emit(OpCodes.Ldarg_0);
        swap.Body.GetILProcessor().Emit(OpCodes.Ret);
        outer.Methods.Add(swap);

        // And a pointer: void Bump(long*), which adds 50.
        var bump = new MethodDefinition("Bump", MethodAttributes.Assembly | MethodAttributes.Static, module.TypeSystem.Void);
        bump.Parameters.Add(new ParameterDefinition(new PointerType(module.TypeSystem.Int64)));
        ILProcessor il = bump.Body.GetILProcessor();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldind_I8);
        il.Emit(OpCodes.Ldc_I8, 50L);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stind_I8);
        il.Emit(OpCodes.Ret);
        outer.Methods.Add(bump);
        targets.Write(file);
    }

    private static void Add(TypeDefinition type, string name, MethodAttributes access, long added)
    {
        var method = new MethodDefinition(name, access | MethodAttributes.Static, type.Module.TypeSystem.Int64);
        method.Parameters.Add(new ParameterDefinition(type.Module.TypeSystem.Int64));
        ILProcessor il = method.Body.GetILProcessor();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I8, added);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ret);
        type.Methods.Add(method);
    }
}
