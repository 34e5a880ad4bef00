using System.Reflection;
using Mono.Cecil;
using Mono.Cecil.Cil;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.Reports;
using CallSite = Mono.Cecil.CallSite;
using FieldAttributes = Mono.Cecil.FieldAttributes;
using MethodAttributes = Mono.Cecil.MethodAttributes;
using TypeAttributes = Mono.Cecil.TypeAttributes;

namespace PvPatch.Perf.Rows;

/// <summary>
/// An assembly with straight-line methods of many sites, one behind the other, which call 64 methods in a shuffled order: directly,
/// by delegates, through slots. No target is inlined, so that every call loads the branch predictor.
/// </summary>
internal sealed class SiteLoops
{
    private const string Name = "SiteLoops", Slots = "Slots", Code = "Code";
    private const int Targets = 64, Seed = 1;

    private readonly ModuleDefinition _module;
    private readonly TypeDefinition _code, _slots;
    private readonly FieldDefinition[] _pointers, _delegates;
    private readonly MethodDefinition[] _targets;
    private readonly int[] _order;

    private SiteLoops(ModuleDefinition module, int sites)
    {
        _module = module;
        const TypeAttributes Static = TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed;
        _code = new TypeDefinition("", Code, Static, module.TypeSystem.Object);
        _slots = new TypeDefinition("", Slots, Static, module.TypeSystem.Object);
        module.Types.Add(_code);
        module.Types.Add(_slots);
        _targets = [.. Enumerable.Range(0, Targets).Select(Target)];
        _pointers = [.. Enumerable.Range(0, Targets).Select(Slot)];
        TypeReference function = module.ImportReference(typeof(Func<long, long>));
        _delegates = [.. Enumerable.Range(0, Targets).Select(k => Field(_code, $"Delegate{k}", function))];
        _order = [.. Enumerable.Range(0, sites).Select(i => i % Targets)];
        new Random(Seed).Shuffle(_order);
    }

    /// <summary>The loops by form: <c>Direct</c>, <c>Delegates</c>, <c>Slots</c>, <c>Patched</c>; each runs all its sites once.</summary>
    /// <param name="sites">How many sites.</param>
    public static Dictionary<string, Func<long, long>> Make(int sites)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("pvpatch-lab-sites-");
        try
        {
            string file = Path.Combine(folder.FullName, Name + ".dll");
            using (var assembly = AssemblyDefinition.CreateAssembly(new AssemblyNameDefinition(Name, new Version(1, 0)), Name, ModuleKind.Dll))
            {
                new SiteLoops(assembly.MainModule, sites).Write();
                assembly.Write(file);
            }

            Assembly plain = ImageSet.LoadUnpatched([file])[Name];
            PatchPlan plan = Patcher.Plan(Fill(plain), [file]);
            if (plan.Report.Sites.FirstOrDefault(s => s.State != SiteState.Patched) is { } site)
                throw new InvalidOperationException($"{site.Method} is not patched: {site.Reason}");
            Type code = plain.GetType(Code)!;
            for (int k = 0; k < Targets; k++)
                code.GetField($"Delegate{k}")!.SetValue(null, code.GetMethod($"Target{k}")!.CreateDelegate<Func<long, long>>());
            Type patched = ImageSet.Load(plan)[Name].GetType(Code)!;
            return new Dictionary<string, Func<long, long>>(StringComparer.Ordinal)
            {
                ["Direct"] = Loop(code, "Direct"),
                ["Delegates"] = Loop(code, "Delegates"),
                ["Slots"] = Loop(code, "Slots"),
                ["Patched"] = Loop(patched, "Slots"),
            };
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Func<long, long> Loop(Type code, string name) => code.GetMethod(name)!.CreateDelegate<Func<long, long>>();

    private static PvOpTable Fill(Assembly assembly)
    {
        var table = new PvOpTable(assembly.GetType(Slots)!);
        table.Install(Enumerable.Range(0, Targets).Select(k => KeyValuePair.Create($"site.{k}", PvTarget.Method(assembly.GetType(Code)!.GetMethod($"Target{k}")!))));
        return table;
    }

    private void Write()
    {
        Straight("Direct", (il, k) =>
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Call, _targets[k]);
        });
        MethodReference invoke = _module.ImportReference(typeof(Func<long, long>).GetMethod("Invoke"));
        Straight("Delegates", (il, k) =>
        {
            il.Emit(OpCodes.Ldsfld, _delegates[k]);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Callvirt, invoke);
        });
        Straight("Slots", (il, k) =>
        {
            il.Emit(OpCodes.Ldsfld, _pointers[k]);
            il.Emit(OpCodes.Stloc_0);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldloc_0);
            il.Emit(OpCodes.Calli, new CallSite(_module.TypeSystem.Int64) { CallingConvention = MethodCallingConvention.Unmanaged, Parameters = { new ParameterDefinition(_module.TypeSystem.Int64) } });
        });
    }

    /// <summary>x = call(x), for every site.</summary>
    private void Straight(string name, Action<ILProcessor, int> call)
    {
        MethodDefinition method = Method(name);
        method.Body.Variables.Add(new VariableDefinition(_module.TypeSystem.IntPtr));
        ILProcessor il = method.Body.GetILProcessor();
        foreach (int k in _order)
        {
            call(il, k);
            il.Emit(OpCodes.Starg_S, method.Parameters[0]);
        }

        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ret);
    }

    /// <summary>x + k.</summary>
    private MethodDefinition Target(int k)
    {
        MethodDefinition method = Method($"Target{k}");
        method.NoInlining = true;
        ILProcessor il = method.Body.GetILProcessor();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, k);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Ret);
        return method;
    }

    private MethodDefinition Method(string name)
    {
        var method = new MethodDefinition(name, MethodAttributes.Public | MethodAttributes.Static, _module.TypeSystem.Int64);
        method.Parameters.Add(new ParameterDefinition(_module.TypeSystem.Int64));
        _code.Methods.Add(method);
        return method;
    }

    private FieldDefinition Slot(int k)
    {
        var pointer = new FunctionPointerType { ReturnType = _module.TypeSystem.Int64, CallingConvention = MethodCallingConvention.Unmanaged };
        pointer.Parameters.Add(new ParameterDefinition(_module.TypeSystem.Int64));
        FieldDefinition slot = Field(_slots, $"Slot{k}", pointer);
        var attribute = new CustomAttribute(_module.ImportReference(typeof(PvOpAttribute).GetConstructors().Single()));
        attribute.ConstructorArguments.Add(new CustomAttributeArgument(_module.TypeSystem.String, $"site.{k}"));
        attribute.ConstructorArguments.Add(new CustomAttributeArgument(_module.ImportReference(typeof(PvOpClass)), (int)PvOpClass.PatchedCall));
        attribute.ConstructorArguments.Add(new CustomAttributeArgument(_module.TypeSystem.String, ""));
        slot.CustomAttributes.Add(attribute);
        return slot;
    }

    private static FieldDefinition Field(TypeDefinition type, string name, TypeReference of)
    {
        var field = new FieldDefinition(name, FieldAttributes.Public | FieldAttributes.Static, of);
        type.Fields.Add(field);
        return field;
    }
}
