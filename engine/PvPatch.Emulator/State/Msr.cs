namespace PvPatch.Emulator.State;

/// <summary>Numbers of the architectural MSRs (Intel SDM vol. 4, table 2-2).</summary>
public static class Msr
{
    /// <summary>IA32_TIME_STAMP_COUNTER.</summary>
    public const uint Tsc = 0x10;

    /// <summary>IA32_APIC_BASE.</summary>
    public const uint ApicBase = 0x1b;

    /// <summary>IA32_TSC_ADJUST.</summary>
    public const uint TscAdjust = 0x3b;

    /// <summary>IA32_MTRRCAP.</summary>
    public const uint MtrrCap = 0xfe;

    /// <summary>IA32_SYSENTER_CS.</summary>
    public const uint SysenterCs = 0x174;

    /// <summary>IA32_SYSENTER_ESP.</summary>
    public const uint SysenterEsp = 0x175;

    /// <summary>IA32_SYSENTER_EIP.</summary>
    public const uint SysenterEip = 0x176;

    /// <summary>IA32_MISC_ENABLE.</summary>
    public const uint MiscEnable = 0x1a0;

    /// <summary>IA32_PAT.</summary>
    public const uint Pat = 0x277;

    /// <summary>IA32_MTRR_DEF_TYPE.</summary>
    public const uint MtrrDefType = 0x2ff;

    /// <summary>IA32_TSC_DEADLINE.</summary>
    public const uint TscDeadline = 0x6e0;

    /// <summary>First of the x2APIC registers: MSR = 0x800 + memory-mapped offset / 16.</summary>
    public const uint X2Apic = 0x800;

    /// <summary>Last of the range that belongs to the x2APIC.</summary>
    public const uint X2ApicLast = 0x8ff;

    /// <summary>x2APIC: the id.</summary>
    public const uint X2ApicId = 0x802;

    /// <summary>x2APIC: end of interrupt; write 0.</summary>
    public const uint X2ApicEoi = 0x80b;

    /// <summary>x2APIC: spurious vector, bit 8 switches the APIC on.</summary>
    public const uint X2ApicSpurious = 0x80f;

    /// <summary>x2APIC: interrupt command.</summary>
    public const uint X2ApicIcr = 0x830;

    /// <summary>x2APIC: LVT timer.</summary>
    public const uint X2ApicLvtTimer = 0x832;

    /// <summary>x2APIC: timer's initial count.</summary>
    public const uint X2ApicInitialCount = 0x838;

    /// <summary>x2APIC: timer's current count.</summary>
    public const uint X2ApicCurrentCount = 0x839;

    /// <summary>x2APIC: timer's divide configuration.</summary>
    public const uint X2ApicDivide = 0x83e;

    /// <summary>x2APIC: interrupt to oneself; the vector.</summary>
    public const uint X2ApicSelfIpi = 0x83f;

    /// <summary>IA32_EFER.</summary>
    public const uint Efer = 0xc000_0080;

    /// <summary>IA32_STAR: selectors of SYSCALL and SYSRET.</summary>
    public const uint Star = 0xc000_0081;

    /// <summary>IA32_LSTAR: where SYSCALL goes in 64-bit mode.</summary>
    public const uint Lstar = 0xc000_0082;

    /// <summary>IA32_CSTAR: where SYSCALL goes in compatibility mode.</summary>
    public const uint Cstar = 0xc000_0083;

    /// <summary>IA32_FMASK: RFLAGS bits SYSCALL clears.</summary>
    public const uint SyscallMask = 0xc000_0084;

    /// <summary>IA32_FS_BASE.</summary>
    public const uint FsBase = 0xc000_0100;

    /// <summary>IA32_GS_BASE.</summary>
    public const uint GsBase = 0xc000_0101;

    /// <summary>IA32_KERNEL_GS_BASE.</summary>
    public const uint KernelGsBase = 0xc000_0102;

    /// <summary>IA32_TSC_AUX.</summary>
    public const uint TscAux = 0xc000_0103;
}
