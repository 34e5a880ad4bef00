using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Growth;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Emitted;

/// <summary>
/// Calls of ops in code that a program emits while it runs, by a translator or a serializer: each is written at once as what its
/// slot holds asks for, by the rules that patching follows. When something else is installed afterwards, the code has to be
/// emitted anew: it is the program's, so nobody else can change it.
/// </summary>
/// <param name="table">The ops, with what is installed in them.</param>
/// <param name="patched">Whether the rules are followed; else every call goes through its slot.</param>
public sealed class EmittedCalls(PvOpTable table, bool patched = true)
{
    private const string NotAsked = "left indirect, as asked";

    private readonly PvOpTable _table = table ?? throw new ArgumentNullException(nameof(table));

    /// <summary>Whether nothing at all will stand where an op is called: it returns nothing and does nothing.</summary>
    /// <param name="op">The op's name.</param>
    /// <exception cref="PatchException"><see cref="PatchError.UnknownOp"/>.</exception>
    public bool IsGone(string op) => ReplacementOf(_table.SlotOf(op)) is CallReplacement.Nothing;

    /// <summary>Writes the call of an op. Its arguments are on the evaluation stack, its result is there afterwards.</summary>
    /// <param name="il">Where to: a method that may name what is not public, if the target does.</param>
    /// <param name="op">The op's name.</param>
    /// <param name="module">What the row of the report shall say for the module.</param>
    /// <param name="method">What it shall say for the method.</param>
    /// <returns>The row.</returns>
    /// <exception cref="PatchException"><see cref="PatchError.UnknownOp"/>.</exception>
    public PatchedSite Write(ILGenerator il, string op, string module, string method)
    {
        ArgumentNullException.ThrowIfNull(il);
        Slot slot = _table.SlotOf(op);
        CallReplacement replacement = ReplacementOf(slot);
        var row = new PatchedSite
        {
            Op = op,
            Class = slot.Op.Class,
            Module = module,
            Method = method,
            MethodToken = 0,
            IlOffset = il.ILOffset,
            Replacement = replacement.ToString(),
            Before = $"slot {slot.Op.Place}; ldind.i; calli",
            State = SiteState.Left,
        };
        if (FormOf(replacement, slot) is not { } form)
        {
            slot.EmitAddress(il);
            il.Emit(OpCodes.Ldind_I);
            EmittedCode.Call(il, slot.Signature);
            return row with { Reason = replacement is CallReplacement.Indirect indirect ? indirect.Reason : "its slot stops" };
        }

        MovableInstruction[] pops = [.. Enumerable.Repeat(new MovableInstruction(OpCodes.Pop), slot.Signature.Parameters.Length - form.Kept)];
        MovableInstruction[] code = [.. pops, .. form.CodeBehind(pops.Length)];
        EmittedCode.Write(il, code, form.Locals);
        return row with { Replacement = form.Text, After = MovableText.Of(code), State = SiteState.Patched, Way = PatchWay.Emitted };
    }

    private CallReplacement ReplacementOf(Slot slot)
    {
        if (!patched)
            return new CallReplacement.Indirect(NotAsked);
        return slot.WrittenByHand ? new CallReplacement.Indirect("the slot was written by hand") : CallReplacement.Choose(slot.Op, slot.Target);
    }

    /// <summary>The form of a replacement; <see langword="null"/> where the call goes through its slot.</summary>
    private static SiteForm? FormOf(CallReplacement replacement, Slot slot)
    {
        string text = replacement.ToString();
        return replacement switch
        {
            CallReplacement.Nothing => new SiteForm(text, 0, [], [], 0),
            CallReplacement.Argument { Type: var type } => new SiteForm(text, 1, Conversions.To(type) is { } convert ? [new(convert)] : [], [], 1),
            CallReplacement.Number number => SiteForms.Pushing(text, Constants.Push(number.Value, number.Type)),
            CallReplacement.Real real => SiteForms.Pushing(text, Constants.Push(real.Value, real.Type)),
            CallReplacement.DirectCall direct => CallOf(direct.Target, text, slot),
            CallReplacement.Inline inline => InlineOf(inline.Target, slot),
            _ => null,
        };
    }

    private static SiteForm InlineOf(MethodInfo target, Slot slot)
    {
        string? refusal = "it calls through a pointer";
        if (InlineBody.Of(target, out string? why) is { } body)
        {
            if (body.CodeElsewhere is { } code)
                return new InlineForms(body, code).InLocals();
        }
        else
        {
            refusal = why;
        }

        return CallOf(target, $"call {target.DeclaringType?.Name}.{target.Name}, not inline: {refusal}", slot);
    }

    private static SiteForm CallOf(MethodInfo target, string text, Slot slot)
    {
        int arguments = slot.Signature.Parameters.Length;
        return new SiteForm(text, arguments, [new MovableInstruction(OpCodes.Call) { Member = target }], [], Math.Max(arguments, 1));
    }
}
