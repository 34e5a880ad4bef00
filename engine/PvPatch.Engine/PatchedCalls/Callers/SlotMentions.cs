using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Loaded;

namespace PvPatch.Engine.PatchedCalls.Callers;

/// <summary>
/// Which compiled code in the process reads which slots. Into code that calls by a slot in a static field the JIT writes the
/// slot's address, or that of a struct that the slot is in: so code in which no such address stands has inlined no site.
/// That holds for fields that stay at one address; a probe, compiled here and found again in memory, shows that it does.
/// </summary>
internal sealed class SlotMentions
{
    private readonly Dictionary<PvOp, nint[]> _addresses = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<nint, HashSet<MethodBase>> _readers = [];
    private readonly HashSet<nint> _readByUnknown = [];
    private readonly CompiledCode _code;

    /// <summary>Searches all code for the slots of a table.</summary>
    public SlotMentions(IReadOnlyList<PvOp> ops)
    {
        PvOp[] fixedOps = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? [.. ops.Where(StaysInPlace)] : [];
        var probes = new List<(PvOp[] Ops, DynamicMethod Probe, nint[] Places)>();
        foreach (IGrouping<Module, PvOp> own in fixedOps.GroupBy(o => o.Path[0].Module))
            probes.Add(Probed([.. own]));
        DynamicMethod known = probes.Count > 0 ? probes[0].Probe : Probed([]).Probe;
        _code = new CompiledCode([.. probes.SelectMany(p => p.Places).Distinct()], known);
        for (int again = 0; again < 5 && _code.Mentions.Any(m => m.Method == 0); again++)
        {
            Thread.Sleep(20); // code that the JIT is just writing has no header yet
            _code = new CompiledCode([.. probes.SelectMany(p => p.Places).Distinct()], known);
        }

        foreach ((PvOp[] own, DynamicMethod probe, nint[] places) in probes)
            EnterKnown(own, probe, places);
        Dictionary<nint, MethodBase?> emitted = EmittedMethods.ByNumber;
        foreach (AddressMention mention in _code.Mentions)
            Enter(mention, emitted);
    }

    /// <summary>Whether there is code of a method, which its entry does not always tell.</summary>
    public bool HasCode(MethodBase method) => _code.Has(method.MethodHandle.Value);

    /// <summary>Whether the code that reads an op's slot can be known.</summary>
    public bool Knows(PvOp op) => _addresses.ContainsKey(op);

    /// <summary>The methods with compiled code that reads, or may read, an op's slot; generic ones by their definition.</summary>
    public IEnumerable<MethodBase> ReadersOf(PvOp op) => _addresses[op].SelectMany(a => _readers.GetValueOrDefault(a) ?? []).Distinct();

    /// <summary>Whether code of which it is not known whose it is reads an op's slot, or may.</summary>
    public bool IsReadByUnknown(PvOp op) => _addresses[op].Any(_readByUnknown.Contains);

    private static bool StaysInPlace(PvOp op) =>
        op.Index is null && !op.Path[0].Module.Assembly.IsCollectible && op.Path[0].DeclaringType is { IsGenericType: false }
        && op.Path.All(f => f.FieldType.IsValueType || f.FieldType.IsFunctionPointer);

    private static (PvOp[] Ops, DynamicMethod Probe, nint[] Places) Probed(PvOp[] ops)
    {
        string name = string.Join(", ", ops.Select(o => $"{o.Path[0].DeclaringType}.{o.Place}"));
        Module module = ops.Length > 0 ? ops[0].Path[0].Module : typeof(SlotMentions).Module;
        DynamicMethod probe = EmittedMethods.Of(module, $"probe of {name}", () => Probe(ops, module));
        nint[] places = new nint[ops.Sum(o => o.Path.Count)];
        probe.CreateDelegate<Action<nint[]>>()(places);
        return (ops, probe, places);
    }

    private void EnterKnown(PvOp[] ops, DynamicMethod probe, nint[] places)
    {
        HashSet<nint> inProbe = [.. _code.Mentions.Where(m => m.Method == EmittedMethods.HandleOf(probe).Value).Select(m => m.Address)];
        int next = 0;
        foreach (PvOp op in ops)
        {
            nint[] path = places[next..(next += op.Path.Count)];
            if (_code.IsWhole && Array.TrueForAll(path, a => a > uint.MaxValue && inProbe.Contains(a)))
                _addresses[op] = [.. path.Distinct()];
        }
    }

    /// <summary>A method that writes down the address of every field on the way to each slot, as code that uses the slot names it.</summary>
    private static DynamicMethod Probe(PvOp[] ops, Module module)
    {
        int count = 0;
        var probe = new DynamicMethod("places", typeof(void), [typeof(nint[])], module, skipVisibility: true);
        ILGenerator il = probe.GetILGenerator();
        foreach (PvOp op in ops)
        {
            for (int length = 1; length <= op.Path.Count; length++)
            {
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldc_I4, count++);
                foreach (FieldInfo field in op.Path.Take(length))
                    il.Emit(field.IsStatic ? OpCodes.Ldsflda : OpCodes.Ldflda, field);
                il.Emit(OpCodes.Conv_U);
                il.Emit(OpCodes.Stelem_I);
            }
        }

        il.Emit(OpCodes.Ret);
        return probe;
    }

    private void Enter(AddressMention mention, Dictionary<nint, MethodBase?> emitted)
    {
        bool isOwn = emitted.TryGetValue(mention.Method, out MethodBase? method);
        if (isOwn && method is null)
            return; // it calls nothing
        if (!isOwn && !mention.IsEmitted && mention.Method != 0)
        {
            // SAFETY: the number stands in the header of compiled code, which was told from other memory by where its pieces begin
            // and end. Code that reads these slots is unloaded only with an assembly that can be, and that while we look at it.
            method = MethodBase.GetMethodFromHandle(RuntimeMethodHandle.FromIntPtr(mention.Method), default);
        }

        if (method is null)
        {
            _readByUnknown.Add(mention.Address);
            return;
        }

        ref HashSet<MethodBase>? readers = ref CollectionsMarshal.GetValueRefOrAddDefault(_readers, mention.Address, out _);
        (readers ??= []).Add(Definition(method));
    }

    private static MethodBase Definition(MethodBase method) =>
        method.IsGenericMethod || method.DeclaringType is { IsGenericType: true } ? method.Module.ResolveMethod(method.MetadataToken)! : method;
}
