using System.Reflection.Emit;
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
    private readonly NeedlessCode _needless;
    private readonly Func<bool> _mayGrow;
    private readonly List<SiteRewrite> _sites;

    /// <summary>Rewrites a method.</summary>
    /// <param name="flow">The method.</param>
    /// <param name="map">Its module's fields.</param>
    /// <param name="sites">Its calls, in the order of their offsets. What becomes of each is written there.</param>
    /// <param name="mayGrow">Asked where a form does not fit: whether it may need more room, local variables or tokens than are there.</param>
    public MethodRewrite(StackFlow flow, SlotMap map, List<SiteRewrite> sites, Func<bool> mayGrow)
    {
        _flow = flow;
        _mayGrow = mayGrow;
        _sites = sites;
        _needless = new NeedlessCode(flow, map);
        IlWriter? done;
        do
        {
            _needless.Find(sites);
            done = Write();
        }
        while (done is null); // another form, or none, may keep code that others counted on to go
        Il = done.Bytes;
        Growth = Grown();
    }

    /// <summary>The method's new IL. Where it grows, this is what <see cref="Growth"/> is to be applied to, and of no use without.</summary>
    public byte[] Il { get; }

    /// <summary>The sites that are more than the bytes they had; <see langword="null"/> where there are none.</summary>
    public MethodGrowth? Growth { get; }

    /// <summary>The instructions that a site consists of: those that bring its pointer, and the call.</summary>
    /// <param name="call">Number of its <c>calli</c>.</param>
    public List<IlRange> RangesOf(int call)
    {
        var members = new List<int> { call };
        if (call > 0 && _flow.Code[call - 1].IsPrefix)
            members.Add(call - 1);
        ReadOnlySpan<FlowEntry> inputs = _flow.InputsOf(call);
        for (int k = 0; k < inputs.Length; k++)
        {
            if (k == inputs.Length - 1 || _needless.TakesRemoved(call, k))
                AddSources(inputs[k], members);
        }

        return Ranges(members);
    }

    /// <summary>The byte ranges of some instructions, neighbours together.</summary>
    /// <param name="members">The instructions, by index; they are sorted.</param>
    public List<IlRange> Ranges(List<int> members)
    {
        members.Sort();
        var ranges = new List<IlRange>();
        foreach (int member in members)
        {
            Instruction instruction = _flow.Code[member];
            if (ranges.Count > 0 && ranges[^1].End >= instruction.Offset)
                ranges[^1] = new IlRange(ranges[^1].Start, instruction.End);
            else
                ranges.Add(new IlRange(instruction.Offset, instruction.End));
        }

        return ranges;
    }

    /// <summary>Writes what was decided.</summary>
    /// <returns><see langword="null"/> if a call had to take another form, or none; then everything is decided anew.</returns>
    private IlWriter? Write()
    {
        bool isDecided = true;
        foreach (SiteRewrite site in _sites)
        {
            site.Edit = null;
            if (site.Refusal is not null || _needless.TakesRemoved(site.Call.Index, _flow.InputsOf(site.Call.Index).Length - 1))
                continue;
            site.Refuse("its pointer has another use, so it has to stay on the stack");
            isDecided = false;
        }

        if (!isDecided)
            return null;

        var writer = new IlWriter(_flow.Body.Il);
        var erased = new bool[_flow.Code.Length];
        for (int i = 0; i < erased.Length; i++)
            EraseIfNeedless(i, writer, erased);

        foreach (SiteRewrite site in _sites)
        {
            if (site.Refusal is not null)
                continue;
            int call = site.Call.Index;
            MovableInstruction[] pops = PopsFor(call, site.Form);
            if (MisfitOf(call, site.Form, pops, writer, erased) is not { } misfit)
                continue;
            if (_mayGrow())
            {
                site.Edit = new IlEdit(_flow.Code[FirstOf(call)].Offset, _flow.Code[call].End, pops);
                continue;
            }

            site.TakeNext(misfit);
            isDecided = false;
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
        byte[] code = pops.Length == 0 ? form.Bytes : IlAssembler.Assemble([.. pops, .. form.CodeBehind(pops.Length)]).Il;
        IlRange window = WindowOf(call, code.Length, erased);
        if (window.End - window.Start < code.Length)
            return $"{form.Text} needs {code.Length} bytes, the site has {window.End - window.Start}";
        writer.Fill(window.Start, window.End, code);
        return null;
    }

    /// <summary>The edits with their forms' code. Two sites of one form share its local variables: one ends before the other begins.</summary>
    private MethodGrowth? Grown()
    {
        var edits = new List<IlEdit>();
        var locals = new List<Type>();
        var firstOf = new Dictionary<SiteForm, int>(ReferenceEqualityComparer.Instance);
        int extra = 0;
        foreach (SiteRewrite site in _sites)
        {
            if (site.Edit is not { } edit)
                continue;
            SiteForm form = site.Form;
            if (!firstOf.TryGetValue(form, out int first))
            {
                firstOf[form] = first = _flow.Body.LocalCount + locals.Count;
                locals.AddRange(form.Locals);
            }

            site.Edit = edit with { Code = [.. edit.Code, .. form.CodeBehind(edit.Code.Count, first)] };
            edits.Add(site.Edit);
            extra = Math.Max(extra, _flow.Below(site.Call.Index) + form.MaxStack - _flow.Body.MaxStack);
        }

        return edits.Count == 0 ? null : new MethodGrowth(edits, locals, extra);
    }

    private void EraseIfNeedless(int index, IlWriter writer, bool[] erased)
    {
        Instruction instruction = _flow.Code[index];
        erased[index] = instruction.Is(OpCodes.Nop);
        if (!_flow.IsReached(index))
            return;
        bool isDeadStore = instruction.StoredLocal >= 0 && _needless.TakesRemoved(index, 0);
        if (!isDeadStore && !_needless.LosesOutput(index))
            return;

        writer.Erase(instruction);
        bool inputStays = _flow.InputsOf(index).Length > 0 && _needless.LosesAllOutputs(index) && !_needless.TakesRemoved(index, 0);
        if (inputStays)
            writer.Fill(instruction.Offset, instruction.End, [(byte)OpCodes.Pop.Value]);
        erased[index] = !inputStays;
        for (int p = index - 1; p >= 0 && _flow.Code[p].IsPrefix; p--)
        {
            writer.Erase(_flow.Code[p]);
            erased[p] = true;
        }
    }

    /// <summary>Takes from the stack the arguments that the call leaves there and its form does not take.</summary>
    private MovableInstruction[] PopsFor(int call, SiteForm form)
    {
        int count = 0;
        for (int k = form.Kept; k < _flow.InputsOf(call).Length - 1; k++)
            count += _needless.TakesRemoved(call, k) ? 0 : 1;
        var pops = new MovableInstruction[count];
        for (int i = 0; i < count; i++)
            pops[i] = new MovableInstruction(OpCodes.Pop);
        return pops;
    }

    /// <summary>The first of a call's prefixes, or the call: <c>tail.</c> has no meaning for what stands here afterwards.</summary>
    private int FirstOf(int call)
    {
        while (call > 0 && _flow.Code[call - 1].IsPrefix)
            call--;
        return call;
    }

    /// <summary>The bytes of a call and, where it needs them, of the NOPs right before it that control cannot jump behind.</summary>
    private IlRange WindowOf(int call, int needed, bool[] erased)
    {
        int first = FirstOf(call);
        while (_flow.Code[call].End - _flow.Code[first].Offset < needed && first > 0 && !_flow.IsBlockStart(first) && erased[first - 1])
            first--;
        return new IlRange(_flow.Code[first].Offset, _flow.Code[call].End);
    }

    /// <summary>Adds the instructions that bring an entry from the tables.</summary>
    private void AddSources(FlowEntry entry, List<int> members)
    {
        foreach (int source in _flow.StackJoins.Behind(entry.Source))
        {
            int owner = StackFlow.OwnerOf(source);
            if (source == Joins.Outside || members.Contains(owner))
                continue;
            members.Add(owner);
            foreach (FlowEntry input in _flow.InputsOf(owner))
            {
                if (input.Value.Kind != FlowKind.Plain)
                    AddSources(input, members);
            }

            if (_flow.LoadedFrom(owner) is { } stored)
                AddStores(stored, members);
        }
    }

    private void AddStores(int stored, List<int> members)
    {
        foreach (int store in _flow.LocalJoins.Behind(stored))
        {
            if (members.Contains(store))
                continue;
            members.Add(store);
            AddSources(_flow.InputsOf(store)[0], members);
        }
    }
}
