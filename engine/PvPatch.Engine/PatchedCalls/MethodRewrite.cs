using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Flow;

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
    private readonly Dictionary<int, byte[]> _codes;
    private readonly Dictionary<int, CallReplacement> _replacements;
    private readonly ILookup<int, int> _loadsOf;
    private readonly HashSet<int> _removed = [];
    private readonly HashSet<(int Index, int Input)> _released = [];

    /// <summary>Rewrites a method.</summary>
    /// <param name="flow">The method.</param>
    /// <param name="map">Its module's fields.</param>
    /// <param name="wanted">The calls to replace, by the number of their <c>calli</c>: what to, and the token for a direct call.</param>
    public MethodRewrite(StackFlow flow, SlotMap map, IReadOnlyDictionary<int, (CallReplacement Replacement, int Token)> wanted)
    {
        _flow = flow;
        _map = map;
        _webs = new StackWebs(flow);
        _loadsOf = Enumerable.Range(0, flow.Code.Length)
            .SelectMany(load => flow.LoadedFrom[load].Items.ToArray(), (load, store) => (Store: store, Load: load))
            .ToLookup(p => p.Store, p => p.Load);
        _replacements = wanted.ToDictionary(w => w.Key, w => w.Value.Replacement);
        _codes = wanted.ToDictionary(w => w.Key, w => CodeOf(w.Value.Replacement, w.Value.Token));

        IlWriter? done;
        do
        {
            _removed.Clear();
            _released.Clear();
            TakeOut();
            done = Write();
        }
        while (done is null); // a refusal may keep code that others counted on to go
        Il = done.ToArray();
    }

    /// <summary>The method's new IL.</summary>
    public byte[] Il { get; }

    /// <summary>Why a wanted call was not replaced, by the number of its <c>calli</c>.</summary>
    public Dictionary<int, string> Refusals { get; } = [];

    /// <summary>The instructions that a site consists of: those that bring its pointer, and the call.</summary>
    /// <param name="call">Number of its <c>calli</c>.</param>
    public IReadOnlyList<(int Start, int End)> RangesOf(int call)
    {
        var members = new SortedSet<int> { call };
        if (call > 0 && _flow.Code[call - 1].IsPrefix)
            members.Add(call - 1);
        FlowEntry[] inputs = _flow.Inputs[call]!;
        AddSources(inputs[^1].Sources, members);
        foreach (FlowEntry argument in inputs[..^1].Where(a => _removed.Contains(_webs.WebOf(a))))
            AddSources(argument.Sources, members);
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

    private static byte[] CodeOf(CallReplacement replacement, int token) => replacement switch
    {
        CallReplacement.DirectCall => CallReplacement.DirectCall.CodeFor(token),
        CallReplacement.Argument argument => argument.Code,
        CallReplacement.Number number => number.Code,
        CallReplacement.Stop stop => stop.Code,
        _ => [],
    };

    private static bool DropsArguments(CallReplacement replacement) => replacement is CallReplacement.Nothing or CallReplacement.Number;

    /// <summary>Takes out every web whose inputs all became needless, beginning with the pointers, until none is left.</summary>
    private void TakeOut()
    {
        foreach (int call in _codes.Keys)
        {
            int pointer = _flow.Inputs[call]!.Length - 1;
            _released.Add((call, pointer));
            for (int k = 0; k < pointer && DropsArguments(_replacements[call]); k++)
                _released.Add((call, k));
        }

        bool goesOn = true;
        while (goesOn)
        {
            int[] needless = [.. _released.Select(u => _webs.WebOf(_flow.Inputs[u.Index]![u.Input])).Distinct().Where(w => !_removed.Contains(w) && IsNeedless(w))];
            goesOn = needless.Length > 0;
            _removed.UnionWith(needless);
            foreach (int output in needless.SelectMany(_webs.OutputsOf))
                ReleaseInputsOf(StackFlow.OwnerOf(output));
        }
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
            || ((instruction.Is(OpCodes.Ldsfld) || instruction.Is(OpCodes.Ldsflda)) && _map.RootOf(instruction.Token) is not null)
            || (Step.Follows(instruction) && _flow.Inputs[owner]![0].Value.Kind == FlowKind.Table);
    }

    private void ReleaseInputsOf(int owner)
    {
        if (_flow.Inputs[owner]!.Length > 0 && RemovedOutputs(owner) == (_flow.Code[owner].Is(OpCodes.Dup) ? 2 : 1))
            _released.Add((owner, 0));
        if (_flow.Code[owner].LoadedLocal < 0)
            return;
        foreach (int store in _flow.LoadedFrom[owner].Items)
        {
            if (store != FlowEntry.Outside && _loadsOf[store].All(load => RemovedOutputs(load) == 1))
                _released.Add((store, 0));
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

    private bool IsRemoved(int index, int input) => _removed.Contains(_webs.WebOf(_flow.Inputs[index]![input]));

    /// <summary>Writes what was decided.</summary>
    /// <returns><see langword="null"/> if a call had to be refused; then everything is decided anew without it.</returns>
    private IlWriter? Write()
    {
        int before = _codes.Count;
        foreach (int call in _codes.Keys.ToArray())
        {
            if (!IsRemoved(call, _flow.Inputs[call]!.Length - 1))
                Refuse(call, "its pointer has another use, so it has to stay on the stack");
        }

        if (_codes.Count < before)
            return null;

        var writer = new IlWriter(_flow.Body.Il);
        bool[] erased = [.. _flow.Code.Select(i => i.Is(OpCodes.Nop))];
        for (int i = 0; i < _flow.Code.Length; i++)
            EraseIfNeedless(i, writer, erased);

        foreach ((int call, byte[] code) in _codes.ToArray())
        {
            byte[] whole = [.. PopsFor(call), .. code];
            (int start, int end) = WindowOf(call, whole.Length, erased);
            if (end - start >= whole.Length)
                writer.Fill(start, end, whole);
            else
                Refuse(call, $"{_replacements[call]} needs {whole.Length} bytes, the site has {end - start}");
        }

        return _codes.Count < before ? null : writer;
    }

    private void Refuse(int call, string reason)
    {
        _codes.Remove(call);
        Refusals[call] = reason;
    }

    private void EraseIfNeedless(int index, IlWriter writer, bool[] erased)
    {
        if (_flow.Inputs[index] is not { } inputs)
            return;
        Instruction instruction = _flow.Code[index];
        bool isDeadStore = instruction.StoredLocal >= 0 && IsRemoved(index, 0);
        if (!isDeadStore && RemovedOutputs(index) == 0)
            return;

        writer.Erase(instruction);
        bool inputStays = inputs.Length > 0 && RemovedOutputs(index) == (instruction.Is(OpCodes.Dup) ? 2 : 1) && !IsRemoved(index, 0);
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

    private byte[] PopsFor(int call)
    {
        if (!DropsArguments(_replacements[call]))
            return [];
        int staying = Enumerable.Range(0, _flow.Inputs[call]!.Length - 1).Count(k => !IsRemoved(call, k));
        return [.. Enumerable.Repeat((byte)OpCodes.Pop.Value, staying)];
    }

    /// <summary>The bytes of a call and, where it needs them, of the NOPs right before it that control cannot jump behind.</summary>
    private (int Start, int End) WindowOf(int call, int needed, bool[] erased)
    {
        int first = call;
        while (first > 0 && _flow.Code[first - 1].IsPrefix)
            first--; // tail. has no meaning for what stands here now
        while (_flow.Code[call].End - _flow.Code[first].Offset < needed && first > 0 && !_flow.IsBlockStart[first] && erased[first - 1])
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
            foreach (FlowEntry input in _flow.Inputs[owner]!.Where(i => i.Value.Kind != FlowKind.Plain))
                AddSources(input.Sources, members);
            foreach (int store in _flow.LoadedFrom[owner].Items)
            {
                if (store != FlowEntry.Outside && members.Add(store))
                    AddSources(_flow.Inputs[store]![0].Sources, members);
            }
        }
    }
}
