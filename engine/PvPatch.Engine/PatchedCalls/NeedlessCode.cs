using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.PatchedCalls.Flow;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// What brings the values that replaced calls no longer take: every web whose inputs all became needless, beginning with the
/// calls' pointers, until none is left. What has effects of its own stays.
/// </summary>
internal sealed class NeedlessCode
{
    private readonly StackFlow _flow;
    private readonly SlotMap _map;
    private readonly Webs _webs;
    private readonly Webs _locals;
    private readonly bool[] _isRemoved;  // by web
    private readonly bool[] _isReleased; // by input
    private readonly int[] _usesLeft;    // by web
    private readonly int[] _loadsLeft;   // by web of local variables
    private readonly List<int> _waiting = [];

    /// <summary>Prepares a method.</summary>
    /// <param name="flow">The method.</param>
    /// <param name="map">Its module's fields.</param>
    public NeedlessCode(StackFlow flow, SlotMap map)
    {
        _flow = flow;
        _map = map;
        _webs = Webs.OfStack(flow);
        _locals = Webs.OfLocals(flow);
        _isRemoved = new bool[_webs.Count];
        _isReleased = new bool[flow.InputCount];
        _usesLeft = new int[_webs.Count];
        _loadsLeft = new int[_locals.Count];
    }

    /// <summary>Decides anew.</summary>
    /// <param name="sites">The calls; those that stay are skipped.</param>
    public void Find(List<SiteRewrite> sites)
    {
        Array.Clear(_isRemoved);
        Array.Clear(_isReleased);
        for (int web = 0; web < _usesLeft.Length; web++)
            _usesLeft[web] = _webs.UsesOf(web);
        for (int web = 0; web < _loadsLeft.Length; web++)
            _loadsLeft[web] = _locals.UsesOf(web);

        foreach (SiteRewrite site in sites)
        {
            for (int k = site.Refusal is null ? site.Form.Kept : int.MaxValue; k < _flow.InputsOf(site.Call.Index).Length; k++)
                Release(site.Call.Index, k); // the pointer is the last
        }

        while (_waiting.Count > 0)
        {
            int web = _waiting[^1];
            _waiting.RemoveAt(_waiting.Count - 1);
            if (!IsPure(web))
                continue;
            _isRemoved[web] = true;
            for (int output = _webs.FirstOf(web); output != Webs.None; output = _webs.NextOf(output))
                ReleaseInputsOf(StackFlow.OwnerOf(output));
        }
    }

    /// <summary>Whether what an instruction takes is gone.</summary>
    /// <param name="index">The instruction.</param>
    /// <param name="input">Number of its input.</param>
    public bool TakesRemoved(int index, int input) => _isRemoved[_webs.WebOf(_flow.InputsOf(index)[input].Source)];

    /// <summary>Whether some output of an instruction is gone.</summary>
    public bool LosesOutput(int index) => RemovedOutputs(index) > 0;

    /// <summary>Whether an instruction has outputs and all of them are gone.</summary>
    public bool LosesAllOutputs(int index) => RemovedOutputs(index) == (_flow.Code[index].Is(OpCodes.Dup) ? 2 : 1);

    private int RemovedOutputs(int owner) =>
        (_isRemoved[_webs.WebOf(StackFlow.OutputOf(owner, 0))] ? 1 : 0) + (_isRemoved[_webs.WebOf(StackFlow.OutputOf(owner, 1))] ? 1 : 0);

    private void Release(int index, int input)
    {
        ref bool isReleased = ref _isReleased[_flow.NumberOf(index, input)];
        if (isReleased)
            return;
        isReleased = true;
        int web = _webs.WebOf(_flow.InputsOf(index)[input].Source);
        if (--_usesLeft[web] == 0)
            _waiting.Add(web);
    }

    private void ReleaseInputsOf(int owner)
    {
        if (LosesAllOutputs(owner))
        {
            for (int k = 0; k < _flow.InputsOf(owner).Length; k++)
                Release(owner, k);
        }

        if (_flow.LoadedFrom(owner) is not { } source || --_loadsLeft[_locals.WebOf(source)] > 0)
            return;
        for (int store = _locals.FirstOf(_locals.WebOf(source)); store != Webs.None; store = _locals.NextOf(store))
            Release(store, 0);
    }

    private bool IsPure(int web)
    {
        for (int output = _webs.FirstOf(web); output != Webs.None; output = _webs.NextOf(output))
        {
            if (output == Joins.Outside || !IsPureInstruction(StackFlow.OwnerOf(output)))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Whether an instruction makes its outputs and does nothing else. Reading a table's static field may run its class's
    /// initialiser; by the time of patching the table has written all its slots, so that has happened.
    /// </summary>
    private bool IsPureInstruction(int owner)
    {
        Instruction instruction = _flow.Code[owner];
        return instruction.IsPlainPush || instruction.LoadedLocal >= 0 || instruction.IsPureConversion || Step.Passes(instruction)
            || (_map.ReadBy(instruction) is { IsStatic: true } read && _map.RootOf(read.Field) is not null)
            || (_flow.Step.Follows(instruction) && _flow.InputsOf(owner)[0].Value.Kind == FlowKind.Table && (!Step.ReadsElement(instruction) || IsInArray(owner)));
    }

    /// <summary>Whether the element is one that is known to be there, and its index is pushed for this one use.</summary>
    private bool IsInArray(int owner) =>
        _flow.InputsOf(owner) is [{ Value.Node: { } array }, { Value.Constant: { } number } index]
        && array.Elements.ContainsKey(number) && _webs.UsesOf(_webs.WebOf(index.Source)) == 1;
}
