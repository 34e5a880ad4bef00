using Mono.Cecil;
using Mono.Cecil.Cil;
using PvPatch.Engine.Ops;

namespace PvPatch.Perf.Rows;

/// <summary>Writes an assembly with a hundred ops and so many sites: in a method each, or all in one.</summary>
internal static class SitesImage
{
    /// <summary>Its assembly's name, that of the class with the slots, and how the names of the classes with the sites begin.</summary>
    public const string Name = "Sites", Slots = "Slots", Callers = "Callers";

    /// <summary>How many ops it has.</summary>
    public const int Ops = 100;

    private const int MethodsOfClass = 1_000; // the runtime loads no class with more than 65,535

    /// <summary>Writes it.</summary>
    /// <param name="file">Path of the new file.</param>
    /// <param name="sites">How many sites.</param>
    /// <param name="inOneMethod">Whether all stand in one method.</param>
    public static void Write(string file, int sites, bool inOneMethod)
    {
        using var assembly = AssemblyDefinition.CreateAssembly(new AssemblyNameDefinition(Name, new Version(1, 0)), Name, ModuleKind.Dll);
        ModuleDefinition module = assembly.MainModule;
        FieldDefinition[] slots = SlotsOf(module);
        TypeDefinition type = null!;
        MethodDefinition? method = null;
        for (int i = 0; i < sites; i++)
        {
            if (i % MethodsOfClass == 0)
            {
                type = new TypeDefinition("", $"{Callers}{i / MethodsOfClass}", TypeAttributes.Public, module.TypeSystem.Object);
                module.Types.Add(type);
            }

            method = inOneMethod ? method ?? Method(type, "All") : Method(type, $"Site{i}");
            ILProcessor il = method.Body.GetILProcessor();
            il.Emit(OpCodes.Ldsfld, slots[i % Ops]);
            il.Emit(OpCodes.Stloc_0);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldloc_0);
            il.Emit(OpCodes.Calli, new CallSite(module.TypeSystem.Int64) { CallingConvention = MethodCallingConvention.Unmanaged, Parameters = { new ParameterDefinition(module.TypeSystem.Int64) } });
            il.Emit(inOneMethod ? OpCodes.Pop : OpCodes.Ret);
        }

        if (inOneMethod)
        {
            method!.Body.GetILProcessor().Emit(OpCodes.Ldarg_0);
            method.Body.GetILProcessor().Emit(OpCodes.Ret);
        }

        assembly.Write(file);
    }

    private static FieldDefinition[] SlotsOf(ModuleDefinition module)
    {
        var type = new TypeDefinition("", Slots, TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed, module.TypeSystem.Object);
        module.Types.Add(type);
        MethodReference declaration = module.ImportReference(typeof(PvOpAttribute).GetConstructors().MaxBy(c => c.GetParameters().Length));
        var slots = new FieldDefinition[Ops];
        for (int i = 0; i < Ops; i++)
        {
            var pointer = new FunctionPointerType { ReturnType = module.TypeSystem.Int64, CallingConvention = MethodCallingConvention.Unmanaged };
            pointer.Parameters.Add(new ParameterDefinition(module.TypeSystem.Int64));
            slots[i] = new FieldDefinition($"Op{i}", FieldAttributes.Public | FieldAttributes.Static, pointer);
            var attribute = new CustomAttribute(declaration);
            attribute.ConstructorArguments.Add(new CustomAttributeArgument(module.TypeSystem.String, $"op.{i}"));
            foreach (ParameterDefinition parameter in declaration.Resolve().Parameters.Skip(1))
                attribute.ConstructorArguments.Add(new CustomAttributeArgument(module.ImportReference(parameter.ParameterType), parameter.Constant));
            slots[i].CustomAttributes.Add(attribute);
            type.Fields.Add(slots[i]);
            ILProcessor il = Method(type, $"Target{i}").Body.GetILProcessor();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ret);
        }

        return slots;
    }

    private static MethodDefinition Method(TypeDefinition type, string name)
    {
        var method = new MethodDefinition(name, MethodAttributes.Public | MethodAttributes.Static, type.Module.TypeSystem.Int64);
        method.Parameters.Add(new ParameterDefinition(type.Module.TypeSystem.Int64));
        method.Body.Variables.Add(new VariableDefinition(type.Module.TypeSystem.IntPtr));
        type.Methods.Add(method);
        return method;
    }
}
