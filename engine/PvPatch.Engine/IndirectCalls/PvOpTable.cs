using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using PvPatch.Engine.Ops;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.IndirectCalls;

/// <summary>
/// The op tables of a program: every slot below some static classes, and what is installed in each. A slot that nothing
/// was installed in stops the process with the op's name. Targets are plain static methods; the unmanaged entries that the
/// slots hold are made for them.
/// </summary>
public sealed class PvOpTable
{
    private readonly Lock _gate = new();
    private readonly Slot[] _slots;
    private readonly Dictionary<string, Slot> _byName;
    private readonly Stack<List<Installation>> _undo = new();

    /// <summary>Finds the slots and makes each of them stop with its op's name.</summary>
    /// <param name="roots">Classes whose static fields are slots, or lead to structs, objects and arrays that hold slots.</param>
    /// <exception cref="PatchException">
    /// There is no op, two have one name, or one stands where no slot can be (<see cref="PatchError.NoOps"/>,
    /// <see cref="PatchError.DuplicateOp"/>, <see cref="PatchError.NotASlot"/>, <see cref="PatchError.UnsupportedRoot"/>,
    /// <see cref="PatchError.UnsupportedSignature"/>).
    /// </exception>
    public PvOpTable(params Type[] roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        if (Array.IndexOf(roots, null) >= 0)
            throw new ArgumentException("A root class is null.", nameof(roots));
        Ops = SlotSearch.Find(roots);
        var places = new SlotPlaces(Ops);
        _slots = [.. Ops.Select((op, i) => new Slot(op, places, i, new SlotSignature(op), []))];
        _byName = _slots.ToDictionary(s => s.Op.Name, StringComparer.Ordinal);
        Write([.. _slots.Select(s => new Installation(s, PvTarget.Missing))]);
        if (Array.Find(_slots, s => s.WrittenByHand) is { Op: var hit }) // every entry is another address
            throw new PatchException(PatchError.UnsupportedRoot, $"{hit.Name} lies over another slot of the table.") { Op = hit.Name };
    }

    private PvOpTable(SlotLayout layout, nint address, IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        Ops = layout.Ops;
        IsUnmanaged = true;
        var places = new SlotPlaces(layout, address);
        _slots = [.. Ops.Select((op, i) => new Slot(op, places, i, layout.Signatures[i], layout.Entries[i]))];
        _byName = _slots.ToDictionary(s => s.Op.Name, StringComparer.Ordinal);
        List<Installation> wanted = Checked(targets);
        Write([.. wanted, .. _slots.Except(wanted.Select(w => w.Slot)).Select(s => new Installation(s, PvTarget.Missing))]);
    }

    /// <summary>
    /// The ops of a struct in unmanaged memory, of which a program may have many: each has a table of its own. Code that is
    /// compiled cannot know which one it will be given, so its calls stay as they are; calls that the program emits itself
    /// can be patched (<see cref="PatchedCalls.Emitted.EmittedCalls"/>).
    /// </summary>
    /// <param name="slots">The struct; its fields, and those of structs in it, are the slots.</param>
    /// <param name="address">Where it lies, aligned; it must stay there as long as the table is used.</param>
    /// <param name="targets">What is installed at once: an op's name and its target, each op once. The other slots stop.</param>
    /// <exception cref="PatchException">As for the constructor and <see cref="Install(IEnumerable{KeyValuePair{string, PvTarget}})"/>.</exception>
    public static PvOpTable At(Type slots, nint address, IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        ArgumentNullException.ThrowIfNull(slots);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentOutOfRangeException.ThrowIfZero(address);
        return new PvOpTable(SlotLayout.Of(slots), address, targets);
    }

    /// <summary>The ops, in the order of declaration.</summary>
    public IReadOnlyList<PvOp> Ops { get; }

    /// <summary>Whether its slots lie in unmanaged memory.</summary>
    internal bool IsUnmanaged { get; }

    /// <summary>Finds the ops below some classes without touching their slots.</summary>
    /// <param name="roots">Classes whose static fields are slots, or lead to structs, objects and arrays that hold slots.</param>
    /// <exception cref="PatchException">As for the constructor.</exception>
    public static IReadOnlyList<PvOp> Find(params Type[] roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        return SlotSearch.Find(roots);
    }

    /// <summary>The ops that nothing is installed for.</summary>
    public IReadOnlyList<PvOp> Missing => [.. _slots.Where(s => s.Target is PvTarget.MissingTarget).Select(s => s.Op)];

    /// <summary>Whether <see cref="Seal"/> was called.</summary>
    internal bool IsSealed { get; private set; }

    /// <summary>The op of this name.</summary>
    /// <param name="name">Group first: <c>irq.save_fl</c>.</param>
    /// <exception cref="PatchException"><see cref="PatchError.UnknownOp"/>.</exception>
    public PvOp this[string name] => SlotOf(name).Op;

    /// <summary>What is installed for an op.</summary>
    /// <param name="name">The op's name.</param>
    /// <exception cref="PatchException"><see cref="PatchError.UnknownOp"/>.</exception>
    public PvTarget TargetOf(string name) => SlotOf(name).Target;

    /// <summary>Whether a slot holds something else than the table put there: someone wrote it by hand.</summary>
    /// <param name="name">The op's name.</param>
    /// <exception cref="PatchException"><see cref="PatchError.UnknownOp"/>.</exception>
    public bool IsWrittenByHand(string name) => SlotOf(name).WrittenByHand;

    /// <summary>Installs a target over what is there.</summary>
    /// <param name="op">The op's name.</param>
    /// <param name="target">What its slot is to hold.</param>
    /// <exception cref="PatchException">As for several: then nothing is written.</exception>
    public void Install(string op, PvTarget target) => Install([KeyValuePair.Create(op, target)]);

    /// <summary>Installs targets over what is there. Either all slots are written or, on any error, none.</summary>
    /// <param name="targets">An op's name and its target, each op once.</param>
    /// <exception cref="PatchException">
    /// The table is sealed, an op is unknown or named twice, or a target does not fit its slot (<see cref="PatchError.Sealed"/>,
    /// <see cref="PatchError.UnknownOp"/>, <see cref="PatchError.DuplicateOp"/>, <see cref="PatchError.TargetMismatch"/>).
    /// </exception>
    public void Install(IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        lock (_gate)
        {
            List<Installation> wanted = Checked(targets);
            List<Installation> before = [.. wanted.Select(w => w.Slot.State)];
            Write(wanted);
            _undo.Push(before);
        }
    }

    /// <summary>
    /// Installs what another table has installed, op by op. Where this table's program is another copy of the same
    /// assemblies, the targets are this copy's methods.
    /// </summary>
    /// <param name="other">A table of the same ops.</param>
    /// <exception cref="PatchException">As <see cref="Install(IEnumerable{KeyValuePair{string, PvTarget}})"/>.</exception>
    public void InstallFrom(PvOpTable other)
    {
        ArgumentNullException.ThrowIfNull(other);
        AssemblyLoadContext? here = AssemblyLoadContext.GetLoadContext(Ops[0].Slot.Module.Assembly);
        Install(other._slots.Select(s => KeyValuePair.Create(s.Op.Name, CopyIn(here, s.Target))));
    }

    /// <summary>Undoes the latest installation that is not undone yet: its slots get back what they held before.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.Sealed"/>, <see cref="PatchError.NothingToRestore"/>.</exception>
    public void Restore()
    {
        lock (_gate)
        {
            CheckNotSealed();
            if (!_undo.TryPop(out List<Installation>? before))
                throw new PatchException(PatchError.NothingToRestore, "No installation is left to undo.");
            foreach (Installation installed in before)
                installed.Slot.Write(installed.Target, installed.Entry);
        }
    }

    /// <summary>
    /// Counts the calls that go through the slots while something runs: what a program really asks of each op. Patched
    /// sites do not go through the slots and are not counted.
    /// </summary>
    /// <param name="work">What runs. Nothing may be installed meanwhile.</param>
    /// <returns>Calls by op, for the ops that were called.</returns>
    public IReadOnlyDictionary<string, long> CountCalls(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        lock (_gate)
        {
            // A thread that has read a slot may enter its counting entry late, so the counters live as long as the slots.
            nint counters = RuntimeHelpers.AllocateTypeAssociatedMemory(Ops[0].Path[0].DeclaringType!, _slots.Length * sizeof(long));
            Installation[] before = [.. _slots.Select(s => s.State)];
            nint[] counting = SlotEntries.Emit(before, counters);
            for (int i = 0; i < _slots.Length; i++)
                _slots[i].Write(before[i].Target, counting[i]);
            try
            {
                work();
            }
            finally
            {
                for (int i = 0; i < _slots.Length; i++)
                    _slots[i].Write(before[i].Target, before[i].Entry);
            }

            var calls = new Dictionary<string, long>(StringComparer.Ordinal);
            for (int i = 0; i < _slots.Length; i++)
            {
                long count = Marshal.ReadInt64(counters, i * sizeof(long));
                if (count != 0)
                    calls[_slots[i].Op.Name] = count;
            }

            return calls;
        }
    }

    /// <summary>Ends installing: from now on the slots stay as they are, and patched sites with them.</summary>
    public void Seal()
    {
        lock (_gate)
        {
            IsSealed = true;
            _undo.Clear();
        }
    }

    /// <summary>Checks that targets can be installed, and makes what their slots will hold, without writing one.</summary>
    /// <param name="targets">An op's name and its target, each op once.</param>
    /// <exception cref="PatchException">As <see cref="Install(IEnumerable{KeyValuePair{string, PvTarget}})"/>.</exception>
    internal void Prepare(IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        lock (_gate)
            EntriesOf(Checked(targets));
    }

    /// <summary>Installs targets in place of what is there: <see cref="Restore"/> undoes the installation before.</summary>
    /// <param name="targets">An op's name and its target, each op once.</param>
    /// <exception cref="PatchException">As <see cref="Install(IEnumerable{KeyValuePair{string, PvTarget}})"/>.</exception>
    internal void Replace(IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        lock (_gate)
            Write(Checked(targets));
    }

    private List<Installation> Checked(IEnumerable<KeyValuePair<string, PvTarget>> targets)
    {
        CheckNotSealed();
        var wanted = new List<Installation>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, PvTarget target) in targets)
        {
            ArgumentNullException.ThrowIfNull(target, nameof(targets));
            Slot slot = SlotOf(name);
            if (!seen.Add(name))
                throw new PatchException(PatchError.DuplicateOp, $"{name} is installed twice at once.") { Op = name };
            if (!slot.Entries.ContainsKey(target))
                slot.Signature.Check(target);
            wanted.Add(new Installation(slot, target));
        }

        return wanted;
    }

    private static void Write(List<Installation> wanted)
    {
        nint[] entries = EntriesOf(wanted); // the step that can fail comes before the first write
        for (int i = 0; i < entries.Length; i++)
            wanted[i].Slot.Write(wanted[i].Target, entries[i]);
    }

    /// <summary>What the slots will hold: an entry made before or a new one, which is kept unless its target can be unloaded.</summary>
    private static nint[] EntriesOf(List<Installation> wanted)
    {
        var entries = new nint[wanted.Count];
        var missing = new List<Installation>();
        for (int i = 0; i < entries.Length; i++)
        {
            if (!wanted[i].Slot.Entries.TryGetValue(wanted[i].Target, out entries[i]))
                missing.Add(wanted[i]);
        }

        nint[] made = missing.Count == 0 ? [] : SlotEntries.Emit(missing);
        for (int i = 0, next = 0; next < made.Length; i++)
        {
            if (entries[i] != 0)
                continue;
            (Slot slot, PvTarget target, _) = missing[next];
            entries[i] = made[next++];
            if (target is not PvTarget.MethodTarget { Info.Module.Assembly.IsCollectible: true })
                slot.Entries[target] = entries[i];
        }

        return entries;
    }

    /// <summary>The same method of the copy of its assembly to which a load context binds, if it is of the same build.</summary>
    private static PvTarget CopyIn(AssemblyLoadContext? context, PvTarget target)
    {
        if (target is not PvTarget.MethodTarget { Info: var method } installed || CopyIn(context, method.Module.Assembly)?.ManifestModule is not { } copy)
            return target;
        return copy.ModuleVersionId == method.Module.ModuleVersionId && copy.ResolveMethod(method.MetadataToken) is MethodInfo same && string.Equals(same.Name, method.Name, StringComparison.Ordinal)
            ? installed with { Info = same }
            : target;
    }

    private static Assembly? CopyIn(AssemblyLoadContext? context, Assembly assembly)
    {
        try
        {
            return context?.LoadFromAssemblyName(assembly.GetName());
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return null; // the context has none
        }
    }

    /// <summary>The slot of an op.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.UnknownOp"/>.</exception>
    internal Slot SlotOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _byName.TryGetValue(name, out Slot? slot)
            ? slot
            : throw new PatchException(PatchError.UnknownOp, $"The table has no op named {name}.") { Op = name };
    }

    private void CheckNotSealed()
    {
        if (IsSealed)
            throw new PatchException(PatchError.Sealed, "The table is sealed: its slots no longer change.");
    }
}
