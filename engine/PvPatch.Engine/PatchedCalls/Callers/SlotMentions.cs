using System.Reflection;
using System.Reflection.Emit;
using System.Runtime;
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
    /// <summary>The last search of each table, for as long as it happens to be there: it names methods whose assemblies may be unloaded.</summary>
    private static readonly ConditionalWeakTable<PvOpTable, WeakReference<SlotMentions>> Last = [];

    private readonly Dictionary<PvOp, nint[]> _addresses = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<nint, Readers> _readers = [];
    private readonly CompiledCode _code;
    private readonly long _compilations;

    private SlotMentions(IReadOnlyList<PvOp> ops, long compilations)
    {
        _compilations = compilations;
        PvOp[] fixedOps = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? [.. ops.Where(StaysInPlace)] : [];
        List<Probe> probes = [.. fixedOps.GroupBy(o => o.Path[0].Module).Select(g => new Probe([.. g]))];
        DynamicMethod known = (probes.Count > 0 ? probes[0] : new Probe([])).Method;
        nint[] places = Together(probes);
        _code = new CompiledCode(places, known);
        for (int again = 0; again < 5 && _code.HasUnknown; again++)
        {
            Thread.Sleep(20); // code that the JIT is just writing has no header yet
            _code = new CompiledCode(places, known);
        }

        foreach (Probe probe in probes)
            EnterKnown(probe);
        Dictionary<nint, MethodBase?> emitted = EmittedMethods.ByNumber();
        foreach (nint place in places)
        {
            if (!_readers.ContainsKey(place)) // slots of one struct share its address
                _readers[place] = ReadersAt(place, emitted);
        }
    }

    /// <summary>Searches all code for the slots of a table, unless nothing was compiled since it was last done.</summary>
    public static SlotMentions Of(PvOpTable table)
    {
        long compilations = JitInfo.GetCompiledMethodCount();
        WeakReference<SlotMentions> last = Last.GetValue(table, _ => new WeakReference<SlotMentions>(null!));
        if (last.TryGetTarget(out SlotMentions? known) && known._compilations == compilations)
            return known;
        var mentions = new SlotMentions(table.Ops, compilations);
        last.SetTarget(mentions);
        return mentions;
    }

    /// <summary>Whether there is code of a method, which its entry does not always tell.</summary>
    public bool HasCode(MethodBase method) => _code.Has(method.MethodHandle.Value);

    /// <summary>Whether the code that reads an op's slot can be known.</summary>
    public bool Knows(PvOp op) => _addresses.ContainsKey(op);

    /// <summary>The methods with compiled code that reads, or may read, an op's slot; generic ones by their definition.</summary>
    public IEnumerable<MethodBase> ReadersOf(PvOp op)
    {
        var found = new HashSet<MethodBase>();
        foreach (nint address in _addresses[op])
            found.UnionWith(_readers[address].Methods);
        return found;
    }

    /// <summary>Whether a method's compiled code reads, or may read, an op's slot; a generic one by its definition.</summary>
    public bool IsReadBy(MethodBase method, PvOp op)
    {
        foreach (nint address in _addresses[op])
        {
            if (_readers[address].Methods.Contains(method))
                return true;
        }

        return false;
    }

    /// <summary>Whether code of which it is not known whose it is reads an op's slot, or may.</summary>
    public bool IsReadByUnknown(PvOp op)
    {
        foreach (nint address in _addresses[op])
        {
            if (_readers[address].HasUnknown)
                return true;
        }

        return false;
    }

    private static bool StaysInPlace(PvOp op) =>
        op.Index is null && !op.Path[0].Module.Assembly.IsCollectible && op.Path[0].DeclaringType is { IsGenericType: false }
        && op.Path.All(f => f.FieldType.IsValueType || f.FieldType.IsFunctionPointer);

    private static nint[] Together(List<Probe> probes)
    {
        int count = 0;
        foreach (Probe probe in probes)
            count += probe.Places.Length;
        nint[] all = new nint[count];
        foreach (Probe probe in probes)
            probe.Places.CopyTo(all, count -= probe.Places.Length);
        return all;
    }

    private void EnterKnown(Probe probe)
    {
        nint number = EmittedMethods.HandleOf(probe.Method).Value;
        int next = 0;
        foreach (PvOp op in probe.Ops)
        {
            nint[] path = new nint[op.Path.Count];
            bool isKnown = _code.IsWhole;
            for (int i = 0; i < path.Length; i++)
            {
                path[i] = probe.Places[next++];
                isKnown &= path[i] > uint.MaxValue && _code.MentionsOf(path[i]).Exists(m => m.Method == number);
            }

            if (isKnown)
                _addresses[op] = path;
        }
    }

    private Readers ReadersAt(nint place, Dictionary<nint, MethodBase?> emitted)
    {
        var readers = new Readers();
        foreach (AddressMention mention in _code.MentionsOf(place))
        {
            bool isOwn = emitted.TryGetValue(mention.Method, out MethodBase? method);
            if (isOwn && method is null)
                continue; // it calls nothing
            if (!isOwn && !mention.IsEmitted && mention.Method != 0)
            {
                // SAFETY: the number stands in the header of compiled code, which was told from other memory by where its pieces begin
                // and end. Code that reads these slots is unloaded only with an assembly that can be, and that while we look at it.
                method = MethodBase.GetMethodFromHandle(RuntimeMethodHandle.FromIntPtr(mention.Method), default);
            }

            if (method is null)
                readers.HasUnknown = true;
            else
                readers.Methods.Add(Definition(method));
        }

        return readers;
    }

    private static MethodBase Definition(MethodBase method) =>
        method.IsGenericMethod || method.DeclaringType is { IsGenericType: true } ? method.Module.ResolveMethod(method.MetadataToken)! : method;

    /// <summary>Who reads one address.</summary>
    private sealed class Readers
    {
        public HashSet<MethodBase> Methods { get; } = [];

        public bool HasUnknown { get; set; }
    }

    /// <summary>A method that names the address of every field on the way to each slot, as code that uses the slot does.</summary>
    private sealed class Probe
    {
        public Probe(PvOp[] ops)
        {
            Ops = ops;
            string name = string.Join(", ", ops.Select(o => $"{o.Path[0].DeclaringType}.{o.Place}"));
            Module module = ops.Length > 0 ? ops[0].Path[0].Module : typeof(SlotMentions).Module;
            Method = EmittedMethods.Of(module, $"probe of {name}", () => Emitted(ops, module));
            int count = 0;
            foreach (PvOp op in ops)
                count += op.Path.Count;
            Places = new nint[count];
            Method.CreateDelegate<Action<nint[]>>()(Places);
        }

        /// <summary>The ops, all of one module.</summary>
        public PvOp[] Ops { get; }

        public DynamicMethod Method { get; }

        /// <summary>The addresses, as many for each op as its path has fields.</summary>
        public nint[] Places { get; }

        private static DynamicMethod Emitted(PvOp[] ops, Module module)
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
    }
}
