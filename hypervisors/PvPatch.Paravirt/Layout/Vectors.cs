namespace PvPatch.Paravirt.Layout;

/// <summary>Interrupt vectors (Linux: arch/x86/include/asm/irq_vectors.h; exceptions: Intel SDM vol. 3, table 6-1).</summary>
public static class Vectors
{
    /// <summary>#DE, divide error.</summary>
    public const uint DivideError = 0;

    /// <summary>NMI.</summary>
    public const uint Nmi = 2;

    /// <summary>#UD, invalid opcode.</summary>
    public const uint InvalidOpcode = 6;

    /// <summary>#DF, double fault.</summary>
    public const uint DoubleFault = 8;

    /// <summary>#GP, general protection.</summary>
    public const uint GeneralProtection = 13;

    /// <summary>#PF, page fault.</summary>
    public const uint PageFault = 14;

    /// <summary>The local APIC timer.</summary>
    public const uint LocalTimer = 0xec;

    /// <summary>TLB flush asked for by another CPU.</summary>
    public const uint InvalidateTlb = 0xfb;

    /// <summary>Another CPU wants this one to look at its run queue.</summary>
    public const uint Reschedule = 0xfd;

    /// <summary>Spurious interrupt of the local APIC.</summary>
    public const uint Spurious = 0xff;
}
