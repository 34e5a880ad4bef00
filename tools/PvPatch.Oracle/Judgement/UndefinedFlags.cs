using Iced.Intel;
using PvPatch.Emulator.State;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Judgement;

/// <summary>Flags that the manuals leave undefined: those are not compared. Each row is the instruction's own page in Intel SDM vol. 2, "Flags Affected".</summary>
internal static class UndefinedFlags
{
    private const ulong C = RFlags.Carry;
    private const ulong P = RFlags.Parity;
    private const ulong A = RFlags.Adjust;
    private const ulong Z = RFlags.Zero;
    private const ulong S = RFlags.Sign;
    private const ulong O = RFlags.Overflow;

    /// <summary>The flags that an instruction leaves undefined in a given state.</summary>
    public static ulong Of(in Instruction instruction, MachineCase state) => instruction.Mnemonic switch
    {
        Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Test => A,
        Mnemonic.Andn or Mnemonic.Blsi or Mnemonic.Blsr or Mnemonic.Blsmsk or Mnemonic.Bzhi => A | P,
        Mnemonic.Bextr => A | P | S,
        Mnemonic.Bsf or Mnemonic.Bsr => C | O | S | A | P,
        Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc => O | S | A | P,
        Mnemonic.Div or Mnemonic.Idiv => C | O | S | Z | A | P,
        Mnemonic.Mul or Mnemonic.Imul => S | Z | A | P,
        Mnemonic.Lzcnt or Mnemonic.Tzcnt => O | S | P | A,
        Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar => OfShift(instruction, state),
        Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr => Count(instruction, state) > 1 ? O : 0,
        Mnemonic.Shld or Mnemonic.Shrd => OfDoubleShift(instruction, state),
        _ => 0,
    };

    /// <summary>
    /// Whether an instruction leaves flags undefined in some state. Iced knows, but for RCL and RCR: by a multiple of their
    /// width and one they leave the operand as it was, and processors do not agree on OF.
    /// </summary>
    public static bool MayBeLeftBy(in Instruction instruction) =>
        instruction.RflagsUndefined != RflagsBits.None || instruction.Mnemonic is Mnemonic.Rcl or Mnemonic.Rcr;

    /// <summary>Whether SHLD or SHRD shifts by more than the operand has bits: the result itself is undefined.</summary>
    public static bool ShiftsTooFar(in Instruction instruction, MachineCase state) =>
        instruction.Mnemonic is Mnemonic.Shld or Mnemonic.Shrd && Count(instruction, state) > Bits(instruction);

    private static ulong OfShift(in Instruction instruction, MachineCase state)
    {
        int count = Count(instruction, state);
        if (count == 0)
            return 0;
        ulong undefined = A;
        if (count > 1)
            undefined |= O;
        if (count >= Bits(instruction) && instruction.Mnemonic != Mnemonic.Sar)
            undefined |= C;
        return undefined;
    }

    private static ulong OfDoubleShift(in Instruction instruction, MachineCase state)
    {
        int count = Count(instruction, state);
        if (count == 0)
            return 0;
        if (count > Bits(instruction))
            return C | O | S | Z | A | P;
        return count > 1 ? A | O : A;
    }

    private static int Count(in Instruction instruction, MachineCase state)
    {
        int last = instruction.OpCount - 1;
        int count = instruction.GetOpKind(last) == OpKind.Register ? (int)state.General[1] : (int)instruction.GetImmediate(last);
        return count & (Bits(instruction) == 64 ? 63 : 31);
    }

    private static int Bits(in Instruction instruction) =>
        8 * (instruction.Op0Kind == OpKind.Register ? instruction.Op0Register.GetSize() : instruction.MemorySize.GetSize());
}
