using Mono.Cecil;
using Mono.Cecil.Cil;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Writes an assembly whose methods call through the slots of a fixture, and a wrapper of it.</summary>
internal static class CallersImage
{
    /// <summary>Its assembly's and its class's name.</summary>
    public const string Name = "Callers";

    /// <summary>Writes it.</summary>
    /// <param name="fixture">The assembly with the slots.</param>
    /// <param name="file">Path of the new file.</param>
    public static void Write(string fixture, string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var tables = AssemblyDefinition.ReadAssembly(FixtureProgram.FileOf(fixture));
        using var callers = AssemblyDefinition.CreateAssembly(new AssemblyNameDefinition(Name, new Version(1, 0)), Name, ModuleKind.Dll);
        var type = new TypeDefinition("", Name, Mono.Cecil.TypeAttributes.Public, callers.MainModule.TypeSystem.Object);
        callers.MainModule.Types.Add(type);
        type.Methods.Add(Caller(callers.MainModule, tables.MainModule, "Negate", "Math", "Negate"));
        type.Methods.Add(Caller(callers.MainModule, tables.MainModule, "Same", "Small", "Same"));
        type.Methods.Add(Wrapped(callers.MainModule, tables.MainModule));
        callers.Write(file);
    }

    /// <summary>A method that calls through a slot of the other image itself.</summary>
    private static MethodDefinition Caller(ModuleDefinition module, ModuleDefinition tables, string name, string table, string slot)
    {
        FieldDefinition place = tables.GetType("PvPatch.Engine.Fixtures.Pv").Fields.Single(f => f.Name.Equals(table, StringComparison.Ordinal));
        FieldDefinition pointer = place.FieldType.Resolve().Fields.Single(f => f.Name.Equals(slot, StringComparison.Ordinal));
        var type = (FunctionPointerType)pointer.FieldType;
        var imported = new FunctionPointerType { ReturnType = module.TypeSystem.Int64, CallingConvention = type.CallingConvention };
        imported.Parameters.Add(new ParameterDefinition(module.TypeSystem.Int64));
        var site = new CallSite(module.TypeSystem.Int64) { CallingConvention = type.CallingConvention };
        site.Parameters.Add(new ParameterDefinition(module.TypeSystem.Int64));

        MethodDefinition method = Empty(module, name);
        ILProcessor il = method.Body.GetILProcessor();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldsflda, module.ImportReference(place));
        il.Emit(OpCodes.Ldfld, new FieldReference(pointer.Name, imported, module.ImportReference(pointer.DeclaringType)));
        il.Emit(OpCodes.Tail);
        il.Emit(OpCodes.Calli, site);
        il.Emit(OpCodes.Ret);
        return method;
    }

    private static MethodDefinition Wrapped(ModuleDefinition module, ModuleDefinition tables)
    {
        MethodDefinition wrapper = tables.GetType("PvPatch.Engine.Fixtures.Shapes").Methods.Single(m => m.Name is "OneArgument_Direct");
        MethodDefinition method = Empty(module, "Wrapped");
        ILProcessor il = method.Body.GetILProcessor();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, module.ImportReference(wrapper));
        il.Emit(OpCodes.Ret);
        return method;
    }

    public static MethodDefinition Empty(ModuleDefinition module, string name)
    {
        const Mono.Cecil.MethodAttributes Open = Mono.Cecil.MethodAttributes.Public | Mono.Cecil.MethodAttributes.Static;
        var method = new MethodDefinition(name, Open, module.TypeSystem.Int64);
        method.Parameters.Add(new ParameterDefinition(module.TypeSystem.Int64));
        return method;
    }
}
