using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>
/// An instruction that can stand at any offset and, with <see cref="Member"/> or <see cref="Text"/>, in any module: its
/// branch targets are numbers of instructions of its piece of code, where the piece's length stands for what follows it.
/// </summary>
/// <param name="Code">The opcode.</param>
/// <param name="Operand">Number, variable, token of the module it is written to, or number of the branch target; 0 where there is none.</param>
internal sealed record MovableInstruction(OpCode Code, long Operand = 0)
{
    /// <summary>The type, field or method whose token is the operand; <see langword="null"/> where the operand says it.</summary>
    public MemberInfo? Member { get; init; }

    /// <summary>The string whose token is the operand of <c>ldstr</c>; <see langword="null"/> where the operand says it.</summary>
    public string? Text { get; init; }

    /// <summary>The targets of a <c>switch</c>, as numbers of instructions.</summary>
    public int[] Targets { get; init; } = [];

    /// <summary>Whether it goes on at the instruction of number <see cref="Operand"/>, always or under a condition.</summary>
    public bool IsBranch => Code.OperandType is OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget;

    /// <summary>Whether it goes on at an instruction of a number in a range, always or under a condition.</summary>
    public bool LeadsTo(int first, int end)
    {
        bool leads = IsBranch && Operand >= first && Operand < end;
        foreach (int target in Targets)
            leads |= target >= first && target < end;
        return leads;
    }

    /// <summary>Whether its token has still to be found in the module it is written to.</summary>
    public bool NeedsToken => Member is not null || Text is not null;

    /// <summary>The instruction at offset 0.</summary>
    public Instruction Plain => new(0, Size, Code, Operand);

    /// <summary>Its length with its operand, in bytes.</summary>
    public int Size => Code.Size + Code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * Targets.Length),
        _ => 4,
    };

    /// <summary>Whether it is this opcode.</summary>
    public bool Is(OpCode code) => Code.Value == code.Value;

    /// <summary>The same instruction with its branch targets moved.</summary>
    public MovableInstruction Retargeted(Func<int, int> number) =>
        !IsBranch && Targets.Length == 0 ? this : this with { Operand = IsBranch ? number((int)Operand) : Operand, Targets = Array.ConvertAll(Targets, target => number(target)) };

    /// <summary>Pushes a local variable; in a short form.</summary>
    public static MovableInstruction LoadLocal(int local) =>
        local <= byte.MaxValue ? new(OpCodes.Ldloc_S, local) : new(OpCodes.Ldloc, local);

    /// <summary>Stores into a local variable; in a short form.</summary>
    public static MovableInstruction StoreLocal(int local) =>
        local <= byte.MaxValue ? new(OpCodes.Stloc_S, local) : new(OpCodes.Stloc, local);

    /// <summary>Pushes the address of a local variable; in a short form.</summary>
    public static MovableInstruction LoadLocalAddress(int local) =>
        local <= byte.MaxValue ? new(OpCodes.Ldloca_S, local) : new(OpCodes.Ldloca, local);
}
