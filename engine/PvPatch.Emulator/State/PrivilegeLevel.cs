namespace PvPatch.Emulator.State;

/// <summary>The current privilege level (Intel SDM vol. 3, 5.5).</summary>
public static unsafe class PrivilegeLevel
{
    /// <summary>CPL: 0 in real mode, 3 in virtual-8086 mode, else the low bits of CS.</summary>
    public static int Of(CpuState* cpu)
    {
        if ((cpu->Cr0 & Cr0Bits.ProtectionEnable) == 0)
            return 0;
        if ((cpu->RFlags & RFlags.Virtual8086) != 0)
            return 3;
        return (cpu->Cs.Attributes & SegmentAttributes.Paragraph) != 0 ? 0 : cpu->Cs.Selector & 3;
    }
}
