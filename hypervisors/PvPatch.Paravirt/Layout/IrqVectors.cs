namespace PvPatch.Paravirt.Layout;

/// <summary>The vectors that the kernel chose for interrupts (Linux: arch/x86/include/asm/irq_vectors.h).</summary>
public static class IrqVectors
{
    /// <summary>The local APIC timer.</summary>
    public const uint LocalTimer = 0xec;

    /// <summary>TLB flush asked for by another CPU.</summary>
    public const uint InvalidateTlb = 0xfb;

    /// <summary>Another CPU wants this one to look at its run queue.</summary>
    public const uint Reschedule = 0xfd;

    /// <summary>Spurious interrupt of the local APIC.</summary>
    public const uint Spurious = 0xff;
}
