using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
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

    /// <summary>Searches all code for the slots of a table.</summary>
    public SlotMentions(IReadOnlyList<PvOp> ops)
    {
        PvOp[] fixedOps = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? [.. ops.Where(StaysInPlace)] : [];
        foreach (IGrouping<Module, PvOp> own in fixedOps.GroupBy(o => o.Path[0].Module))
            Search([.. own]);
    }

    /// <summary>Whether the code that reads an op's slot can be known.</summary>
    public bool Knows(PvOp op) => _addresses.ContainsKey(op);

    /// <summary>The methods with compiled code that reads, or may read, an op's slot; generic ones by their definition.</summary>
    public IEnumerable<MethodBase> ReadersOf(PvOp op) => _addresses[op].SelectMany(a => _readers.GetValueOrDefault(a) ?? []).Distinct();

    /// <summary>Whether code of which it is not known whose it is reads an op's slot, or may.</summary>
    public bool IsReadByUnknown(PvOp op) => _addresses[op].Any(_readByUnknown.Contains);

    private static bool StaysInPlace(PvOp op) =>
        op.Index is null && !op.Path[0].Module.Assembly.IsCollectible && op.Path[0].DeclaringType is { IsGenericType: false }
        && op.Path.All(f => f.FieldType.IsValueType || f.FieldType.IsFunctionPointer);

    private void Search(PvOp[] ops)
    {
        DynamicMethod probe = Probe(ops, out int count);
        nint[] places = new nint[count];
        probe.CreateDelegate<Action<nint[]>>()(places);
        var code = new CompiledCode([.. places.Distinct()], probe);
        HashSet<nint> inProbe = [.. code.Mentions.Where(m => m.Method == EmittedMethods.HandleOf(probe).Value).Select(m => m.Address)];
        int next = 0;
        foreach (PvOp op in ops)
        {
            nint[] path = places[next..(next += op.Path.Count)];
            if (Array.TrueForAll(path, a => a > uint.MaxValue && inProbe.Contains(a)))
                _addresses[op] = [.. path.Distinct()];
        }

        foreach (AddressMention mention in code.Mentions)
            Enter(mention, probe);
    }

    /// <summary>A method that writes down the address of every field on the way to each slot, as code that uses the slot names it.</summary>
    private static DynamicMethod Probe(PvOp[] ops, out int count)
    {
        var probe = new DynamicMethod("places", typeof(void), [typeof(nint[])], ops[0].Path[0].Module, skipVisibility: true);
        ILGenerator il = probe.GetILGenerator();
        count = 0;
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

    private void Enter(AddressMention mention, DynamicMethod probe)
    {
        MethodBase? method = mention.Method == 0 ? null : Numbered(mention.Method);
        if (method == probe || (method is not null && SlotPlaces.Has(method)))
            return; // the engine's own, which calls nothing
        method = method is DynamicMethod emitted ? EmittedMethods.OriginalOf(emitted) : method;
        if (method is null)
        {
            _readByUnknown.Add(mention.Address);
            return;
        }

        ref HashSet<MethodBase>? readers = ref CollectionsMarshal.GetValueRefOrAddDefault(_readers, mention.Address, out _);
        (readers ??= []).Add(Definition(method));
    }

    private static MethodBase? Numbered(nint number)
    {
        // SAFETY: the number stands in the header of compiled code that was told from other memory by where its pieces begin
        // and end; code that reads this table's slots is not unloaded before the table's assembly, which cannot be.
        return MethodBase.GetMethodFromHandle(RuntimeMethodHandle.FromIntPtr(number), default);
    }

    private static MethodBase Definition(MethodBase method) =>
        method.IsGenericMethod || method.DeclaringType is { IsGenericType: true } ? method.Module.ResolveMethod(method.MetadataToken)! : method;
}
