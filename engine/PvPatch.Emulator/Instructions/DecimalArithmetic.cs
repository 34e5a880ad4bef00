using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// The adjustments of decimal arithmetic, which 64-bit code does not have (Intel SDM vol. 2, AAA to DAS). Flags that the manual
/// leaves undefined are those of the result, OF is cleared.
/// </summary>
internal static unsafe class DecimalArithmetic
{
    /// <summary>AAA.</summary>
    public static DecodedInstruction* AdjustAfterAddition(CpuState* cpu, DecodedInstruction* u) => AdjustUnpacked(cpu, u, 0x106);

    /// <summary>AAS.</summary>
    public static DecodedInstruction* AdjustAfterSubtraction(CpuState* cpu, DecodedInstruction* u) => AdjustUnpacked(cpu, u, -0x106);

    /// <summary>AAM: AL into two digits; by 0 it is #DE.</summary>
    public static DecodedInstruction* AdjustAfterMultiplication(CpuState* cpu, DecodedInstruction* u)
    {
        byte radix = (byte)u->Immediate;
        if (radix == 0)
            return Execution.Raise(cpu, u, Vectors.DivideError);
        byte value = (byte)cpu->Rax;
        byte low = (byte)(value % radix);
        SetAx(cpu, (ushort)((value / radix) << 8 | low));
        StatusFlags.Set(ref cpu->RFlags, StatusFlags.OfResult(low));
        return u + 1;
    }

    /// <summary>AAD: two digits into AL.</summary>
    public static DecodedInstruction* AdjustBeforeDivision(CpuState* cpu, DecodedInstruction* u)
    {
        byte value = (byte)((byte)cpu->Rax + ((byte)(cpu->Rax >> 8) * (byte)u->Immediate));
        SetAx(cpu, value);
        StatusFlags.Set(ref cpu->RFlags, StatusFlags.OfResult(value));
        return u + 1;
    }

    /// <summary>DAA.</summary>
    public static DecodedInstruction* AdjustPackedAfterAddition(CpuState* cpu, DecodedInstruction* u) => AdjustPacked(cpu, u, sign: 1);

    /// <summary>DAS.</summary>
    public static DecodedInstruction* AdjustPackedAfterSubtraction(CpuState* cpu, DecodedInstruction* u) => AdjustPacked(cpu, u, sign: -1);

    private static DecodedInstruction* AdjustUnpacked(CpuState* cpu, DecodedInstruction* u, int by)
    {
        bool adjusts = (cpu->Rax & 0xf) > 9 || (cpu->RFlags & RFlags.Adjust) != 0;
        ushort value = (ushort)((int)(ushort)cpu->Rax + (adjusts ? by : 0));
        SetAx(cpu, (ushort)(value & 0xff0f));
        StatusFlags.Set(ref cpu->RFlags, StatusFlags.OfResult((byte)(value & 0xf)) | (adjusts ? RFlags.Adjust | RFlags.Carry : 0));
        return u + 1;
    }

    private static DecodedInstruction* AdjustPacked(CpuState* cpu, DecodedInstruction* u, int sign)
    {
        byte before = (byte)cpu->Rax;
        bool low = (before & 0xf) > 9 || (cpu->RFlags & RFlags.Adjust) != 0;
        bool high = before > 0x99 || (cpu->RFlags & RFlags.Carry) != 0;

        // DAS borrows out of the low digit too: below 6 there is nothing to take it from.
        bool borrows = sign < 0 && low && before < 6;
        byte value = (byte)(before + (sign * ((low ? 6 : 0) + (high ? 0x60 : 0))));
        Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 0), value);
        ulong carries = (low ? RFlags.Adjust : 0) | (high || borrows ? RFlags.Carry : 0);
        StatusFlags.Set(ref cpu->RFlags, StatusFlags.OfResult(value) | carries);
        return u + 1;
    }

    private static void SetAx(CpuState* cpu, ushort value) => Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 0), value);
}
