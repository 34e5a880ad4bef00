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
    private readonly List<int> _members = [];
    private readonly IlRanges _ranges = new();
    private bool[] _erased = []; // by instruction
    private List<SiteRewrite> _sites = [];

    /// <summary>Prepares for one method after another.</summary>
    /// <param name="flow">Follows them.</param>
    /// <param name="mayGrow">Asked where a form does not fit: whether it may need more room, local variables or tokens than are there.</param>
    public MethodRewrite(StackFlow flow, Func<bool> mayGrow)
    {
        _flow = flow;
        _mayGrow = mayGrow;
        _needless = new NeedlessCode(flow);
    }

    /// <summary>Rewrites the method that the flow stands at.</summary>
    /// <param name="sites">Its calls, in the order of their offsets. What becomes of each is written there.</param>
    public void Rewrite(List<SiteRewrite> sites)
    {
        _sites = sites;
        _needless.Begin();
        byte[]? done;
        do
        {
            _needless.Find(sites);
            done = Write();
        }
        while (done is null); // another form, or none, may keep code that others counted on to go
        Il = done;
        Growth = Grown();
    }

    /// <summary>The method's new IL. Where it grows, this is what <see cref="Growth"/> is to be applied to, and of no use without.</summary>
    public byte[] Il { get; private set; } = [];

    /// <summary>The sites that are more than the bytes they had; <see langword="null"/> where there are none.</summary>
    public MethodGrowth? Growth { get; private set; }

    /// <summary>The instructions that a site consists of: those that bring its pointer, and the call. They are there until the next are asked for.</summary>
    /// <param name="call">Number of its <c>calli</c>.</param>
    public IlRanges RangesOf(int call)
    {
        _members.Clear();
        _members.Add(call);
        if (call > 0 && _flow.Code[call - 1].IsPrefix)
            _members.Add(call - 1);
        ReadOnlySpan<FlowEntry> inputs = _flow.InputsOf(call);
        for (int k = 0; k < inputs.Length; k++)
        {
            if (k == inputs.Length - 1 || _needless.TakesRemoved(call, k))
                AddSources(inputs[k]);
        }

        return Ranges();
    }

    /// <summary>The instructions that another use consists of.</summary>
    public IlRanges RangesOf(OtherUse use)
    {
        _members.Clear();
        _members.Add(use.Origin);
        if (use.User is { } user && user != use.Origin)
            _members.Add(user);
        return Ranges();
    }

    private IlRanges Ranges()
    {
        _members.Sort();
        _ranges.Clear();
        foreach (int member in _members)
            _ranges.Add(_flow.Code[member]);
        return _ranges;
    }

    /// <summary>Writes what was decided.</summary>
    /// <returns><see langword="null"/> if a call had to take another form, or none; then everything is decided anew.</returns>
    private byte[]? Write()
    {
        bool isDecided = true;
        foreach (SiteRewrite site in _sites)
        {
            site.Grows = false;
            if (site.Refusal is not null || _needless.TakesRemoved(site.Call.Index, _flow.InputsOf(site.Call.Index).Length - 1))
                continue;
            site.Refuse("its pointer has another use, so it has to stay on the stack");
            isDecided = false;
        }

        if (!isDecided)
            return null;

        var writer = new IlWriter(_flow.Body.Il);
        Room.For(ref _erased, _flow.Code.Length);
        for (int i = 0; i < _flow.Code.Length; i++)
            EraseIfNeedless(i, writer);

        foreach (SiteRewrite site in _sites)
        {
            if (site.Refusal is not null)
                continue;
            string? misfit = null;
            if (site.Form.NeedsOnlyBytes && (misfit = MisfitOf(site.Call.Index, site.Form, writer)) is null)
                continue;
            if (_mayGrow())
            {
                site.Grows = true;
                continue;
            }

            site.TakeNext(misfit ?? $"{site.Form.Text} needs {(site.Form.Locals.Count > 0 ? "local variables" : "tokens that the module has not")}");
            isDecided = false;
        }

        return isDecided ? writer.Bytes : null;
    }

    /// <summary>Writes a form over the bytes of its site.</summary>
    /// <returns>Why it does not fit; <see langword="null"/> where it is done.</returns>
    private string? MisfitOf(int call, SiteForm form, IlWriter writer)
    {
        if (_flow.Below(call) + form.MaxStack > _flow.Body.MaxStack)
            return $"{form.Text} needs {form.MaxStack} entries on the stack, the method has {_flow.Body.MaxStack - _flow.Below(call)} left";
        MovableInstruction[] pops = PopsFor(call, form);
        byte[] code = pops.Length == 0 ? form.Assembled.Il : IlAssembler.Assemble([.. pops, .. form.CodeBehind(pops.Length)]).Il;
        int start = _flow.Code[FirstInWindow(call, code.Length)].Offset, end = _flow.Code[call].End;
        if (end - start < code.Length)
            return $"{form.Text} needs {code.Length} bytes, the site has {end - start}";
        writer.Fill(start, end, code);
        return null;
    }

    /// <summary>The edits with their forms' code. Two sites of one form share its local variables: one ends before the other begins.</summary>
    private MethodGrowth? Grown()
    {
        if (!_sites.Exists(s => s.Grows))
            return null;
        var edits = new List<IlEdit>(1);
        List<Type>? locals = null;
        Dictionary<SiteForm, int>? firstOf = null; // of forms that have local variables
        int extra = 0;
        foreach (SiteRewrite site in _sites)
        {
            if (!site.Grows)
                continue;
            SiteForm form = site.Form;
            int call = site.Call.Index, first = 0;
            if (form.Locals.Count > 0 && !(firstOf ??= new(ReferenceEqualityComparer.Instance)).TryGetValue(form, out first))
            {
                locals ??= [];
                firstOf[form] = first = _flow.Body.LocalCount + locals.Count;
                locals.AddRange(form.Locals);
            }

            int start = _flow.Code[FirstOf(call)].Offset, end = _flow.Code[call].End;
            MovableInstruction[] pops = PopsFor(call, form);
            site.Edit = pops.Length == 0 && form.Locals.Count == 0
                ? new IlEdit(start, end, form.Code) { Assembled = form.Assembled }
                : new IlEdit(start, end, [.. pops, .. form.CodeBehind(pops.Length, first)]);
            edits.Add(site.Edit);
            extra = Math.Max(extra, _flow.Below(call) + form.MaxStack - _flow.Body.MaxStack);
        }

        return new MethodGrowth(edits, locals ?? (IReadOnlyList<Type>)[], extra);
    }

    private void EraseIfNeedless(int index, IlWriter writer)
    {
        ref readonly Instruction instruction = ref _flow.Code[index];
        _erased[index] = instruction.Is(OpCodes.Nop);
        if (!_flow.IsReached(index))
            return;
        bool isDeadStore = instruction.StoredLocal >= 0 && _needless.TakesRemoved(index, 0);
        if (!isDeadStore && !_needless.LosesOutput(index))
            return;

        writer.Erase(instruction);
        bool inputStays = _flow.InputsOf(index).Length > 0 && _needless.LosesAllOutputs(index) && !_needless.TakesRemoved(index, 0);
        if (inputStays)
            writer.Fill(instruction.Offset, instruction.End, [(byte)OpCodes.Pop.Value]);
        _erased[index] = !inputStays;
        for (int p = index - 1; p >= 0 && _flow.Code[p].IsPrefix; p--)
        {
            writer.Erase(_flow.Code[p]);
            _erased[p] = true;
        }
    }

    /// <summary>Takes from the stack the arguments that the call leaves there and its form does not take.</summary>
    private MovableInstruction[] PopsFor(int call, SiteForm form)
    {
        int count = 0;
        for (int k = form.Kept; k < _flow.InputsOf(call).Length - 1; k++)
            count += _needless.TakesRemoved(call, k) ? 0 : 1;
        if (count == 0)
            return [];
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

    /// <summary>The call or, where it needs more bytes, the first of the NOPs right before it that control cannot jump behind.</summary>
    private int FirstInWindow(int call, int needed)
    {
        int first = FirstOf(call);
        while (_flow.Code[call].End - _flow.Code[first].Offset < needed && first > 0 && !_flow.IsBlockStart(first) && _erased[first - 1])
            first--;
        return first;
    }

    /// <summary>Adds the instructions that bring an entry from the tables.</summary>
    private void AddSources(FlowEntry entry)
    {
        if (!Joins.IsJoin(entry.Source))
        {
            AddSource(entry.Source);
            return;
        }

        foreach (int source in _flow.StackJoins.Behind(entry.Source))
            AddSource(source);
    }

    private void AddSource(int source)
    {
        int owner = StackFlow.OwnerOf(source);
        if (source == Joins.Outside || _members.Contains(owner))
            return;
        _members.Add(owner);
        foreach (ref readonly FlowEntry input in _flow.InputsOf(owner))
        {
            if (input.Value.Kind != FlowKind.Plain)
                AddSources(input);
        }

        if (_flow.LoadedFrom(owner) is { } stored)
            AddStores(stored);
    }

    private void AddStores(int stored)
    {
        if (!Joins.IsJoin(stored))
        {
            AddStore(stored);
            return;
        }

        foreach (int store in _flow.LocalJoins.Behind(stored))
            AddStore(store);
    }

    private void AddStore(int store)
    {
        if (_members.Contains(store))
            return;
        _members.Add(store);
        AddSources(_flow.InputsOf(store)[0]);
    }
}
