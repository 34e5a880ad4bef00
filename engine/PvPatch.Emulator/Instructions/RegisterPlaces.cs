using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Where registers lie in <see cref="CpuState"/>, as byte offsets.</summary>
internal static unsafe class RegisterPlaces
{
    /// <summary>A general register by number.</summary>
    public static ushort General(CpuState* cpu, int number) => (ushort)((byte*)&cpu->Gpr[number] - (byte*)cpu);

    /// <summary>The field that is always zero.</summary>
    public static ushort Zero(CpuState* cpu) => (ushort)((byte*)&cpu->Zero - (byte*)cpu);

    /// <summary>A segment register.</summary>
    public static ushort Segment(CpuState* cpu, Register register) => (ushort)(register switch
    {
        Register.ES => (byte*)&cpu->Es,
        Register.CS => (byte*)&cpu->Cs,
        Register.SS => (byte*)&cpu->Ss,
        Register.FS => (byte*)&cpu->Fs,
        Register.GS => (byte*)&cpu->Gs,
        _ => (byte*)&cpu->Ds,
    } - (byte*)cpu);

    /// <summary>
    /// Any register that instructions name, a YMM register by its lower half; numbers of control, debug and x87 registers are kept as numbers.
    /// </summary>
    public static ushort Of(CpuState* cpu, Register register)
    {
        if (register is >= Register.AH and <= Register.BH)
            return (ushort)(General(cpu, register - Register.AH) + 1);
        if (register.IsGPR())
            return General(cpu, register.GetFullRegister() - Register.RAX);
        if (register.IsSegmentRegister())
            return Segment(cpu, register);
        if (register.IsXMM())
            return (ushort)((byte*)&cpu->Xmm[2 * (register - Register.XMM0)] - (byte*)cpu);
        if (register.IsYMM())
            return Of(cpu, Register.XMM0 + (register - Register.YMM0));
        if (register.IsMM())
            return (ushort)((byte*)&cpu->Fpu.Mantissa[register - Register.MM0] - (byte*)cpu);
        return (ushort)register.GetNumber();
    }
}
