using System.Reflection.Emit;
using System.Runtime.InteropServices;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Flow;
using PvPatch.Engine.PatchedCalls.Growth;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// The new IL of one method: each proven call is replaced, and the code that brought its pointer is taken out. Nothing
/// moves: what is taken out becomes NOPs, and what has effects of its own stays.
/// </summary>
internal sealed class MethodRewrite
{
    private readonly StackFlow _flow;
    private readonly SlotMap _map;
    private readonly StackWebs _webs;
    private readonly Func<bool> _mayGrow;
    private readonly Dictionary<int, IReadOnlyList<SiteForm>> _wanted;
    private readonly Dictionary<int, int> _chosen = [];
    private readonly Dictionary<int, List<string>> _misfits = [];
    private readonly SortedDictionary<int, IlEdit> _edits = [];
    private readonly Dictionary<int, List<int>> _loadsOf = [];
    private readonly HashSet<int> _removed = [];
    private readonly HashSet<(int Index, int Input)> _released = [];
    private readonly Stack<int> _waiting = new();

    /// <summary>Rewrites a method.</summary>
    /// <param name="flow">The method.</param>
    /// <param name="map">Its module's fields.</param>
    /// <param name="wanted">The calls to replace, by the number of their <c>calli</c>, with the forms they may take, best first.</param>
    /// <param name="mayGrow">Asked where a form does not fit: whether it may need more room, local variables or tokens than are there.</param>
    public MethodRewrite(StackFlow flow, SlotMap map, IReadOnlyDictionary<int, IReadOnlyList<SiteForm>> wanted, Func<bool> mayGrow)
    {
        _flow = flow;
        _map = map;
        _webs = new StackWebs(flow);
        _mayGrow = mayGrow;
        for (int load = 0; load < flow.Code.Length; load++)
        {
            foreach (int store in flow.LoadedFrom(load).Items)
                (CollectionsMarshal.GetValueRefOrAddDefault(_loadsOf, store, out _) ??= []).Add(load);
        }

        _wanted = wanted.ToDictionary();
        foreach (int call in wanted.Keys)
            _chosen[call] = 0;

        IlWriter? done;
        do
        {
            _removed.Clear();
            _released.Clear();
            _edits.Clear();
            TakeOut();
            done = Write();
        }
        while (done is null); // another form, or none, may keep code that others counted on to go
        Il = done.ToArray();
        Growth = _edits.Count == 0 ? null : Grown();
    }

    /// <summary>The method's new IL. Where it grows, this is what <see cref="Growth"/> is to be applied to, and of no use without.</summary>
    public byte[] Il { get; }

    /// <summary>The sites that are more than the bytes they had; <see langword="null"/> where there are none.</summary>
    public MethodGrowth? Growth { get; }

    /// <summary>Why a wanted call was not replaced, by the number of its <c>calli</c>.</summary>
    public Dictionary<int, string> Refusals { get; } = [];

    /// <summary>The form that a replaced call took, and why not a better one.</summary>
    /// <param name="call">Number of its <c>calli</c>.</param>
    public string TextOf(int call) =>
        _misfits.TryGetValue(call, out List<string>? misfits) ? $"{FormOf(call).Text}, as {string.Join("; ", misfits)}" : FormOf(call).Text;

    /// <summary>The new code of a call that grows; <see langword="null"/> for others.</summary>
    /// <param name="call">Number of its <c>calli</c>.</param>
    public IlEdit? EditOf(int call) => _edits.GetValueOrDefault(call);

    /// <summary>The instructions that a site consists of: those that bring its pointer, and the call.</summary>
    /// <param name="call">Number of its <c>calli</c>.</param>
    public IReadOnlyList<(int Start, int End)> RangesOf(int call)
    {
        var members = new SortedSet<int> { call };
        if (call > 0 && _flow.Code[call - 1].IsPrefix)
            members.Add(call - 1);
        ReadOnlySpan<FlowEntry> inputs = _flow.InputsOf(call);
        AddSources(inputs[^1].Sources, members);
        foreach (FlowEntry argument in inputs[..^1])
        {
            if (_removed.Contains(_webs.WebOf(argument)))
                AddSources(argument.Sources, members);
        }

        return Ranges(members);
    }

    /// <summary>The byte ranges of some instructions, neighbours together.</summary>
    public IReadOnlyList<(int Start, int End)> Ranges(IEnumerable<int> members)
    {
        var ranges = new List<(int Start, int End)>();
        foreach (Instruction instruction in members.Select(m => _flow.Code[m]))
        {
            if (ranges.Count > 0 && ranges[^1].End == instruction.Offset)
                ranges[^1] = (ranges[^1].Start, instruction.End);
            else
                ranges.Add((instruction.Offset, instruction.End));
        }

        return ranges;
    }

    private SiteForm FormOf(int call) => _wanted[call][_chosen[call]];

    /// <summary>Takes out every web whose inputs all became needless, beginning with the pointers, until none is left.</summary>
    private void TakeOut()
    {
        foreach (int call in _chosen.Keys)
        {
            for (int k = FormOf(call).Kept; k < _flow.InputsOf(call).Length; k++)
                Release(call, k); // the pointer is the last
        }

        while (_waiting.TryPop(out int web))
        {
            if (_removed.Contains(web) || !IsNeedless(web))
                continue; // or not yet: its last input to be released asks again
            _removed.Add(web);
            foreach (int output in _webs.OutputsOf(web))
                ReleaseInputsOf(StackFlow.OwnerOf(output));
        }
    }

    private void Release(int index, int input)
    {
        if (_released.Add((index, input)))
            _waiting.Push(_webs.WebOf(_flow.InputsOf(index)[input]));
    }

    private bool IsNeedless(int web) => _webs.InputsOf(web).All(_released.Contains) && _webs.OutputsOf(web).All(IsPure);

    /// <summary>
    /// Whether the instruction that makes an output does nothing else. Reading a table's static field may run its class's
    /// initialiser; by the time of patching the table has written all its slots, so that has happened.
    /// </summary>
    private bool IsPure(int output)
    {
        if (output == FlowEntry.Outside)
            return false;
        int owner = StackFlow.OwnerOf(output);
        Instruction instruction = _flow.Code[owner];
        return instruction.IsPlainPush || instruction.LoadedLocal >= 0 || instruction.IsPureConversion || Step.Passes(instruction)
            || (_map.ReadBy(instruction) is { IsStatic: true } read && _map.RootOf(read.Field) is not null)
            || (_flow.Step.Follows(instruction) && _flow.InputsOf(owner)[0].Value.Kind == FlowKind.Table && (!Step.ReadsElement(instruction) || IsInArray(owner)));
    }

    /// <summary>Whether the element is one that is known to be there, and its index is pushed for this one use.</summary>
    private bool IsInArray(int owner) =>
        _flow.InputsOf(owner) is [{ Value.Node: { } array }, var index]
        && _flow.Step.ConstantOf(index) is { } number && array.Elements.ContainsKey(number)
        && _webs.InputsOf(_webs.WebOf(index)).Take(2).Count() == 1;

    private void ReleaseInputsOf(int owner)
    {
        if (RemovedOutputs(owner) == (_flow.Code[owner].Is(OpCodes.Dup) ? 2 : 1))
        {
            for (int k = 0; k < _flow.InputsOf(owner).Length; k++)
                Release(owner, k);
        }

        if (_flow.Code[owner].LoadedLocal < 0)
            return;
        foreach (int store in _flow.LoadedFrom(owner).Items)
        {
            if (store != FlowEntry.Outside && _loadsOf[store].All(load => RemovedOutputs(load) == 1))
                Release(store, 0);
        }
    }

    private int RemovedOutputs(int owner)
    {
        int count = 0;
        for (int k = 0; k < 2; k++)
        {
            if (_webs.WebOf(StackFlow.OutputOf(owner, k)) is { } web && _removed.Contains(web))
                count++;
        }

        return count;
    }

    private bool IsRemoved(int index, int input) => _removed.Contains(_webs.WebOf(_flow.InputsOf(index)[input]));

    /// <summary>Writes what was decided.</summary>
    /// <returns><see langword="null"/> if a call had to take another form, or none; then everything is decided anew.</returns>
    private IlWriter? Write()
    {
        bool isDecided = true;
        foreach (int call in _chosen.Keys.ToArray())
        {
            if (!IsRemoved(call, _flow.InputsOf(call).Length - 1))
            {
                Refuse(call, "its pointer has another use, so it has to stay on the stack");
                isDecided = false;
            }
        }

        if (!isDecided)
            return null;

        var writer = new IlWriter(_flow.Body.Il);
        bool[] erased = [.. _flow.Code.Select(i => i.Is(OpCodes.Nop))];
        for (int i = 0; i < _flow.Code.Length; i++)
            EraseIfNeedless(i, writer, erased);

        foreach (int call in _chosen.Keys.ToArray())
        {
            SiteForm form = FormOf(call);
            MovableInstruction[] pops = [.. Enumerable.Repeat(new MovableInstruction(OpCodes.Pop), PopsFor(call, form))];
            if (MisfitOf(call, form, pops, writer, erased) is not { } misfit)
                continue;
            if (_mayGrow())
                _edits[call] = new IlEdit(_flow.Code[FirstOf(call)].Offset, _flow.Code[call].End, pops);
            else
                isDecided &= TakeNext(call, misfit);
        }

        return isDecided ? writer : null;
    }

    /// <summary>Writes a form over the bytes of its site.</summary>
    /// <returns>Why it does not fit; <see langword="null"/> where it is done.</returns>
    private string? MisfitOf(int call, SiteForm form, MovableInstruction[] pops, IlWriter writer, bool[] erased)
    {
        if (!form.NeedsOnlyBytes)
            return form.Locals.Count > 0 ? $"{form.Text} needs local variables" : $"{form.Text} needs tokens that the module has not";
        if (_flow.Below(call) + form.MaxStack > _flow.Body.MaxStack)
            return $"{form.Text} needs {form.MaxStack} entries on the stack, the method has {_flow.Body.MaxStack - _flow.Below(call)} left";
        byte[] code = pops.Length == 0
            ? form.Bytes
            : IlAssembler.Assemble(pops.Concat(form.Code.Select(i => i.Retargeted(number => number + pops.Length))).ToArray()).Il;
        (int start, int end) = WindowOf(call, code.Length, erased);
        if (end - start < code.Length)
            return $"{form.Text} needs {code.Length} bytes, the site has {end - start}";
        writer.Fill(start, end, code);
        return null;
    }

    /// <summary>Goes on to a call's next form.</summary>
    /// <returns>Never that all is decided.</returns>
    private bool TakeNext(int call, string misfit)
    {
        if (_chosen[call] + 1 == _wanted[call].Count)
        {
            Refuse(call, misfit);
            return false;
        }

        _chosen[call]++;
        if (!_misfits.TryGetValue(call, out List<string>? misfits))
            _misfits[call] = misfits = [];
        misfits.Add(misfit);
        return false;
    }

    private void Refuse(int call, string reason)
    {
        _chosen.Remove(call);
        Refusals[call] = reason;
    }

    /// <summary>The edits with their forms' code. Two sites of one form share its local variables: one ends before the other begins.</summary>
    private MethodGrowth Grown()
    {
        var locals = new List<Type>();
        var firstOf = new Dictionary<SiteForm, int>(ReferenceEqualityComparer.Instance);
        int extra = 0;
        foreach ((int call, IlEdit edit) in _edits.ToArray())
        {
            SiteForm form = FormOf(call);
            if (!firstOf.TryGetValue(form, out int first))
            {
                firstOf[form] = first = _flow.Body.LocalCount + locals.Count;
                locals.AddRange(form.Locals);
            }

            int pops = edit.Code.Count;
            _edits[call] = edit with { Code = [.. edit.Code, .. form.CodeAt(first).Select(i => i.Retargeted(number => number + pops))] };
            extra = Math.Max(extra, _flow.Below(call) + form.MaxStack - _flow.Body.MaxStack);
        }

        return new MethodGrowth([.. _edits.Values], locals, extra);
    }

    private void EraseIfNeedless(int index, IlWriter writer, bool[] erased)
    {
        if (!_flow.IsReached(index))
            return;
        Instruction instruction = _flow.Code[index];
        bool isDeadStore = instruction.StoredLocal >= 0 && IsRemoved(index, 0);
        if (!isDeadStore && RemovedOutputs(index) == 0)
            return;

        writer.Erase(instruction);
        bool inputStays = _flow.InputsOf(index).Length > 0 && RemovedOutputs(index) == (instruction.Is(OpCodes.Dup) ? 2 : 1) && !IsRemoved(index, 0);
        if (inputStays)
            writer.Fill(instruction.Offset, instruction.End, [(byte)OpCodes.Pop.Value]);
        erased[index] = !inputStays;
        ErasePrefixes(index, writer, erased);
    }

    private void ErasePrefixes(int index, IlWriter writer, bool[] erased)
    {
        for (int p = index - 1; p >= 0 && _flow.Code[p].IsPrefix; p--)
        {
            writer.Erase(_flow.Code[p]);
            erased[p] = true;
        }
    }

    /// <summary>How many arguments the call leaves on the stack that its form does not take.</summary>
    private int PopsFor(int call, SiteForm form)
    {
        int arguments = _flow.InputsOf(call).Length - 1;
        return Enumerable.Range(form.Kept, arguments - form.Kept).Count(k => !IsRemoved(call, k));
    }

    /// <summary>The first of a call's prefixes, or the call: <c>tail.</c> has no meaning for what stands here afterwards.</summary>
    private int FirstOf(int call)
    {
        while (call > 0 && _flow.Code[call - 1].IsPrefix)
            call--;
        return call;
    }

    /// <summary>The bytes of a call and, where it needs them, of the NOPs right before it that control cannot jump behind.</summary>
    private (int Start, int End) WindowOf(int call, int needed, bool[] erased)
    {
        int first = FirstOf(call);
        while (_flow.Code[call].End - _flow.Code[first].Offset < needed && first > 0 && !_flow.IsBlockStart(first) && erased[first - 1])
            first--;
        return (_flow.Code[first].Offset, _flow.Code[call].End);
    }

    private void AddSources(IndexSet sources, SortedSet<int> members)
    {
        foreach (int source in sources.Items)
        {
            if (source == FlowEntry.Outside || !members.Add(StackFlow.OwnerOf(source)))
                continue;
            int owner = StackFlow.OwnerOf(source);
            foreach (FlowEntry input in _flow.InputsOf(owner))
            {
                if (input.Value.Kind != FlowKind.Plain)
                    AddSources(input.Sources, members);
            }

            foreach (int store in _flow.LoadedFrom(owner).Items)
            {
                if (store != FlowEntry.Outside && members.Add(store))
                    AddSources(_flow.InputsOf(store)[0].Sources, members);
            }
        }
    }
}
