using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>What handlers of VEX instructions on vectors find in a decoded instruction.</summary>
internal static unsafe class VexOperands
{
    private const int HighShiftBit = 8;

    /// <summary>Bytes of the memory operand, also where a register stands in its place.</summary>
    public static int MemorySize(DecodedInstruction* u) => (byte)u->Immediate2;

    /// <summary>By how much the immediate is shifted for the high lane.</summary>
    public static int HighShift(DecodedInstruction* u) => u->Immediate2 >> HighShiftBit;

    /// <summary>
    /// Gives every instruction a first operand in Op1 and a second one in Op2, unless that is memory: where it has only one, that is both.
    /// A fourth register is in the immediate.
    /// </summary>
    public static void Fill(in Instruction instruction, in InstructionRow row, ushort* registers, DecodedInstruction* u)
    {
        u->Marks |= Marks.Vex;
        u->Immediate2 = (ushort)(instruction.MemorySize.GetSize() | (row.HighShift << HighShiftBit));
        if (instruction.OpCount < 2 || instruction.Op1Kind == OpKind.Memory)
            u->Op1 = u->Op0;
        if (instruction.OpCount < 3 || instruction.Op2Kind == OpKind.Immediate8)
            u->Op2 = u->Op1;
        // SAFETY: there is room for the operands of every instruction.
        if (instruction.OpCount == 4 && instruction.Op3Kind == OpKind.Register)
            u->Immediate = registers[3];
    }
}
