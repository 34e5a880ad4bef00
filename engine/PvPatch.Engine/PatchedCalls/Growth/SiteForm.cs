using System.Reflection.Emit;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>One form that a call site can take.</summary>
/// <param name="Text">The form in a few words, as in the rows of a report.</param>
/// <param name="Kept">How many of the call's arguments, from the first, the code finds on the stack. The others are dropped.</param>
/// <param name="Code">What stands in the call's place. Its local variables are those of <paramref name="Locals"/>, by number.</param>
/// <param name="Locals">Types of the local variables that it needs.</param>
/// <param name="MaxStack">The most entries that it has on the stack at once, those of its arguments included.</param>
internal sealed record SiteForm(
    string Text, int Kept, IReadOnlyList<MovableInstruction> Code, IReadOnlyList<Type> Locals, int MaxStack)
{
    /// <summary>The code as bytes, and what they lack.</summary>
    public AssembledIl Assembled => field ??= IlAssembler.Assemble(Code);

    /// <summary>Whether it needs nothing that its method and its module do not have.</summary>
    public bool NeedsOnlyBytes { get; } = Locals.Count == 0 && !Code.Any(i => i.NeedsToken);

    /// <summary>The code for a site where other code stands before it, in a method that has some local variables already.</summary>
    /// <param name="before">How many instructions stand before it.</param>
    /// <param name="firstLocal">Number of the first variable of this form.</param>
    public IEnumerable<MovableInstruction> CodeBehind(int before, int firstLocal = 0)
    {
        foreach (MovableInstruction instruction in Code)
            yield return (Locals.Count == 0 ? instruction : Shifted(instruction, firstLocal)).Retargeted(number => before + number);
    }

    /// <summary>Forms name their variables by the long instructions, whose numbers can be moved.</summary>
    private static MovableInstruction Shifted(MovableInstruction instruction, int first)
    {
        int local = (int)instruction.Operand + first;
        if (instruction.Is(OpCodes.Ldloc))
            return MovableInstruction.LoadLocal(local);
        if (instruction.Is(OpCodes.Stloc))
            return MovableInstruction.StoreLocal(local);
        return instruction.Is(OpCodes.Ldloca) ? MovableInstruction.LoadLocalAddress(local) : instruction;
    }
}
