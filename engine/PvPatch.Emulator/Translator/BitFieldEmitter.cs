using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>BMI1 and BMI2 instructions that have a destination of their own, by the meanings that the interpreter uses.</summary>
internal sealed class BitFieldEmitter(RegionIl il, OperandEmitter operands, MeaningEmitter meanings)
{
    /// <summary>Whether it writes an instruction.</summary>
    public static bool Has(Mnemonic mnemonic) => SetsFlags(mnemonic) || ShiftOf(mnemonic) != null;

    /// <summary>Whether an instruction overwrites all status flags.</summary>
    public static bool SetsFlags(Mnemonic mnemonic) => MeaningOf(mnemonic) != null;

    /// <summary>Writes an instruction.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="wantsFlags">Whether somebody may want its flags.</param>
    public void Write(in Instruction instruction, bool wantsFlags)
    {
        int size = OperandEmitter.Size(instruction, 0);
        operands.Read(instruction);
        for (int operand = 1; operand < instruction.OpCount; operand++)
            operands.Push(instruction, operand, size);
        if (ShiftOf(instruction.Mnemonic) is { } shift)
            il.Call(MeaningEmitter.MethodOf(typeof(Shifts), shift, size));
        else if (wantsFlags)
            meanings.Call(typeof(Logic), MeaningOf(instruction.Mnemonic)!, size);
        else
            meanings.CallForResult(typeof(Logic), MeaningOf(instruction.Mnemonic)!, size);
        operands.Pop(instruction);
    }

    private static string? MeaningOf(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Andn => nameof(Logic.AndNot),
        Mnemonic.Bextr => nameof(Logic.Extract),
        Mnemonic.Bzhi => nameof(Logic.ClearAbove),
        Mnemonic.Blsi => nameof(Logic.IsolateLowest),
        Mnemonic.Blsr => nameof(Logic.ClearLowest),
        Mnemonic.Blsmsk => nameof(Logic.MaskToLowest),
        _ => null,
    };

    private static string? ShiftOf(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Shlx => nameof(Shifts.LeftOnly),
        Mnemonic.Shrx => nameof(Shifts.RightOnly),
        Mnemonic.Sarx => nameof(Shifts.ArithmeticRightOnly),
        Mnemonic.Rorx => nameof(Shifts.RotateRightOnly),
        _ => null,
    };
}
