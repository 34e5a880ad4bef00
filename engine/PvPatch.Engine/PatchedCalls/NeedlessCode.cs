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
    private readonly Webs _webs = new();
    private readonly Webs _locals = new();
    private readonly List<int> _waiting = [];
    private bool[] _isRemoved = [];  // by web
    private bool[] _isReleased = []; // by input
    private int[] _usesLeft = [];    // by web
    private int[] _loadsLeft = [];   // by web of local variables

    /// <summary>Prepares for one method after another.</summary>
    /// <param name="flow">Follows them.</param>
    public NeedlessCode(StackFlow flow) => _flow = flow;

    /// <summary>Begins with the method that the flow stands at.</summary>
    public void Begin()
    {
        _webs.FindOnStack(_flow);
        _locals.FindInLocals(_flow);
    }

    /// <summary>Decides anew.</summary>
    /// <param name="sites">The calls; those that stay are skipped.</param>
    public void Find(List<SiteRewrite> sites)
    {
        _waiting.Clear();
        Room.ForEmpty(ref _isRemoved, _webs.Count);
        Room.ForEmpty(ref _isReleased, _flow.InputCount);
        Room.For(ref _usesLeft, _webs.Count);
        Room.For(ref _loadsLeft, _locals.Count);
        for (int web = 0; web < _webs.Count; web++)
            _usesLeft[web] = _webs.UsesOf(web);
        for (int web = 0; web < _locals.Count; web++)
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
        ref readonly Instruction instruction = ref _flow.Code[owner];
        return instruction.IsPlainPush || instruction.LoadedLocal >= 0 || instruction.IsPureConversion || Step.Passes(instruction)
            || _flow.ReadAt(owner)?.Root is not null
            || (_flow.Follows(owner) && _flow.InputsOf(owner)[0].Value.Kind == FlowKind.Table && (!Step.ReadsElement(instruction) || IsInArray(owner)));
    }

    /// <summary>Whether the element is one that is known to be there, and its index is pushed for this one use.</summary>
    private bool IsInArray(int owner)
    {
        ReadOnlySpan<FlowEntry> inputs = _flow.InputsOf(owner);
        return inputs.Length == 2 && inputs[0].Value.Node is { } array && inputs[1].Value.Constant is { } number
            && array.Elements.ContainsKey(number) && _webs.UsesOf(_webs.WebOf(inputs[1].Source)) == 1;
    }
}
