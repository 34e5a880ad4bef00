namespace PvPatch.Emulator.State;

/// <summary>What mode a CPU is in (Intel SDM vol. 3, 2.2).</summary>
public static unsafe class ProcessorMode
{
    /// <summary>Long mode: 64-bit or compatibility, by CS.</summary>
    public static bool IsLong(CpuState* cpu) => (cpu->Efer & EferBits.LongModeActive) != 0;

    /// <summary>Real mode.</summary>
    public static bool IsReal(CpuState* cpu) => (cpu->Cr0 & Cr0Bits.ProtectionEnable) == 0;

    /// <summary>Virtual-8086 mode.</summary>
    public static bool IsVirtual8086(CpuState* cpu) =>
        (cpu->RFlags & RFlags.Virtual8086) != 0 && (cpu->Cr0 & Cr0Bits.ProtectionEnable) != 0 && !IsLong(cpu);

    /// <summary>Whether selectors are paragraphs, not indexes of descriptors: in real and in virtual-8086 mode.</summary>
    public static bool SelectorsAreParagraphs(CpuState* cpu) => IsReal(cpu) || IsVirtual8086(cpu);

    /// <summary>64-bit mode.</summary>
    public static bool Is64Bit(CpuState* cpu) => IsLong(cpu) && (cpu->Cs.Attributes & SegmentAttributes.Long) != 0;
}
