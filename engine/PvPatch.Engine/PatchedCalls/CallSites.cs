using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using PvPatch.Engine.Il;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Flow;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>A call through a pointer that came from a slot.</summary>
/// <param name="Index">Number of its <c>calli</c> in the method.</param>
/// <param name="Ops">The op; several where it is not proven which.</param>
/// <param name="Refusal">Why it is not proven; <see langword="null"/> where it is.</param>
internal readonly record struct CallSite(int Index, List<PvOp> Ops, string? Refusal);

/// <summary>A use of a slot or a table that is no call.</summary>
/// <param name="Origin">Number of the instruction that reads the slot or takes the table's address.</param>
/// <param name="User">Number of the instruction that uses it; <see langword="null"/> where nothing does.</param>
/// <param name="Ops">The ops concerned.</param>
/// <param name="Reason">What is done with it.</param>
internal sealed record OtherUse(int Origin, int? User, IReadOnlyList<PvOp> Ops, string Reason);

/// <summary>What the slots loaded in a method are used for, one method after another. Nothing that is loaded is missing here.</summary>
/// <param name="flow">Follows the methods.</param>
/// <param name="map">Their module's tokens of tables and slots.</param>
/// <param name="image">Their module.</param>
/// <param name="parameters">What is known of its methods' parameters.</param>
internal sealed class CallSites(StackFlow flow, SlotMap map, ModuleImage image, KnownParameters parameters)
{
    private readonly List<OtherUse> _others = [];
    private CallSite[] _calls = [];
    private int _count;
    private bool[] _isUsed = []; // by instruction

    /// <summary>Collects the uses in the method that the flow stands at.</summary>
    public void Collect()
    {
        _count = 0;
        _others.Clear();
        Room.ForEmpty(ref _isUsed, flow.Code.Length);
        for (int i = 0; i < flow.Code.Length; i++)
            Collect(i, flow.InputsOf(i));

        for (int i = 0; i < flow.Code.Length; i++)
        {
            if (!_isUsed[i] && SlotsReadAt(i) is { } ops)
                _others.Add(new OtherUse(i, null, ops, !flow.IsReached(i) ? "control never comes there" : "it is read but never called"));
        }
    }

    /// <summary>The calls, in the order of their offsets.</summary>
    public ReadOnlySpan<CallSite> Calls => _calls.AsSpan(0, _count);

    /// <summary>The other uses.</summary>
    public List<OtherUse> Others => _others;

    private void Collect(int index, ReadOnlySpan<FlowEntry> inputs)
    {
        ref readonly Instruction instruction = ref flow.Code[index];
        if (IsWrite(index, inputs, out SlotNode? written))
            _others.Add(new OtherUse(index, null, written.Ops, "the slot is written here, which patched sites do not see"));

        for (int k = 0; k < inputs.Length; k++)
        {
            FlowValue value = inputs[k].Value;
            if (value.Kind == FlowKind.Plain)
                continue;
            if (instruction.Is(OpCodes.Calli) && k == inputs.Length - 1)
                AddCall(index, value);
            else if (ReasonOf(index, k, value) is { } reason)
                AddOther(index, value, reason);
            else if (flow.Follows(index) || IsStoreTarget(instruction, k) || IsKnownThere(instruction, k))
                Use(value);
        }
    }

    /// <summary>Whether an input is passed to a method that knows what it gets there, so that its uses are told there.</summary>
    private bool IsKnownThere(in Instruction instruction, int input) =>
        (instruction.Is(OpCodes.Call) || instruction.Is(OpCodes.Callvirt))
        && parameters.Of(instruction.Token) is var known && input < known.Length && known[input] is not null;

    private void AddCall(int index, FlowValue pointer)
    {
        Use(pointer);
        List<PvOp> ops = OpsOf(pointer);
        string? refusal = pointer.Kind switch
        {
            FlowKind.Slot => SignatureRefusal(index, ops[0]),
            FlowKind.Table => "the address of the slot is called, not what it holds",
            _ => pointer.Reason,
        };
        Room.For(ref _calls, _count + 1);
        _calls[_count++] = new CallSite(index, ops, refusal);
    }

    private void Use(FlowValue value)
    {
        foreach (int origin in value.Origins.Items)
            _isUsed[origin] = true;
    }

    private string? SignatureRefusal(int index, PvOp op)
    {
        EntityHandle signature = MetadataTokens.EntityHandle(flow.Code[index].Token);
        string called = signature.Kind == HandleKind.StandaloneSignature ? image.ScopedSignatures.OfCall((StandaloneSignatureHandle)signature) : "nothing";
        string declared = map.SignatureOf(op) ?? "nothing";
        return string.Equals(called, declared, StringComparison.Ordinal) ? null : $"it is called as {called}, the slot is {declared}";
    }

    private void AddOther(int index, FlowValue value, string reason)
    {
        foreach (int origin in value.Origins.Items)
        {
            _isUsed[origin] = true;
            _others.Add(new OtherUse(origin, index, OpsReadAt(origin), reason));
        }
    }

    /// <summary>What an instruction does with a followed value; <see langword="null"/> where the value stays followed.</summary>
    private string? ReasonOf(int index, int input, FlowValue value)
    {
        ref readonly Instruction instruction = ref flow.Code[index];
        bool isAddress = value.Kind == FlowKind.Table;
        if (value is { Node: { IsReference: true, Elements.Count: 0 } })
            return null; // whoever gets the object reads its slots there, and that is told there
        if (Step.Passes(instruction) || instruction.Is(OpCodes.Pop) || (isAddress && IsStoreTarget(instruction, input)))
            return null;
        if (flow.Follows(index) && input == 0 && value.Kind is FlowKind.Table or FlowKind.Unproven)
            return null;
        if (instruction.StoredLocal is >= 0 and var local)
            return flow.IsAddressed(local) ? $"it escapes to local variable {local}, whose address is taken" : null;

        if (IsKnownThere(instruction, input))
            return null;

        string name = instruction.Code.Name!;
        string subject = isAddress ? "the table's address escapes" : "it escapes";
        return instruction switch
        {
            _ when instruction.Is(OpCodes.Calli) => $"{subject}: passed to a call through a pointer",
            { Code.OperandType: OperandType.InlineMethod } => $"{subject}: passed to {image.Names.Short(instruction.Token)}",
            { Code.OperandType: OperandType.InlineField } => $"{subject}: stored in {image.Names.Short(instruction.Token)}",
            { Code.OperandType: OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget } => $"{subject}: compared by {name}",
            _ when instruction.Is(OpCodes.Ret) => $"{subject}: returned",
            _ when name.StartsWith("st", StringComparison.Ordinal) => $"{subject}: stored by {name}",
            _ when name[0] == 'c' && name.Length < 7 && !name.StartsWith("conv", StringComparison.Ordinal) => $"{subject}: compared by {name}",
            _ => $"{subject}: used by {name}",
        };
    }

    /// <summary>Whether an input only says where something is stored.</summary>
    private static bool IsStoreTarget(in Instruction instruction, int input) =>
        input == 0 && (instruction.Is(OpCodes.Stfld) || instruction.Is(OpCodes.Stind_I) || instruction.Is(OpCodes.Stobj) || instruction.Is(OpCodes.Initobj)
            || WritesElement(instruction));

    private static bool WritesElement(in Instruction instruction) => instruction.Is(OpCodes.Stelem_I) || instruction.Is(OpCodes.Stelem);

    private bool IsWrite(int index, ReadOnlySpan<FlowEntry> inputs, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SlotNode? written)
    {
        ref readonly Instruction instruction = ref flow.Code[index];
        if (instruction.Is(OpCodes.Stsfld))
            written = map.PlaceOf(instruction.Token) is { Outer: null } root ? root : null;
        else if (inputs.Length > 0 && inputs[0].Value is { Kind: FlowKind.Table, Node: { } table } && IsStoreTarget(instruction, 0))
            written = instruction.Is(OpCodes.Stfld) ? MemberOf(table, instruction.Token) : WritesElement(instruction) ? Element(table, inputs[1]) : table;
        else
            written = null;
        if (written is { IsReference: true } && !WritesElement(instruction))
            written = null; // the one store of the object or array itself, by the initialiser of its read-only field
        return written is not null;
    }

    private SlotNode? MemberOf(SlotNode table, int field) => map.PlaceOf(field) is { } member && member.Outer == table ? member : null;

    /// <summary>The element that is written; the whole array where it is not known which.</summary>
    private static SlotNode? Element(SlotNode array, FlowEntry index) =>
        index.Value.Constant is { } number ? array.Elements.GetValueOrDefault(number) : array;

    private List<PvOp> OpsOf(FlowValue value)
    {
        if (value.Node is { } node)
            return node.Ops;
        var ops = new List<PvOp>();
        foreach (int origin in value.Origins.Items)
            ops.AddRange(OpsReadAt(origin).Except(ops));
        return ops;
    }

    /// <summary>The ops of the slot or the table that an instruction reads or takes the address of.</summary>
    private List<PvOp> OpsReadAt(int index)
    {
        if (SlotsReadAt(index) is { } slots)
            return slots;
        if (flow.ParameterAt(index) is { } fact)
            return fact.Node.Ops;
        return flow.ReadAt(index) is { } read ? read.Place.Ops : [];
    }

    /// <summary>The ops of the slots that an instruction reads or takes the address of; <see langword="null"/> where it does neither.</summary>
    private List<PvOp>? SlotsReadAt(int index)
    {
        if (flow.ReadAt(index) is { } read)
            return (read.Root ?? read.Member) is { } place && (place.Op is not null || place.Elements.Count > 0) ? place.Ops : null;
        if (!flow.Code[index].Is(OpCodes.Ldind_I))
            return null;
        ReadOnlySpan<FlowEntry> inputs = flow.InputsOf(index);
        return inputs.Length == 1 && inputs[0].Value is { Kind: FlowKind.Table, Node: { Op: not null } address } ? address.Ops : null;
    }
}
