namespace PvPatch.Paravirt.Tables;

/// <summary>
/// The op tables: the one place where the kernel and what it runs on meet. Nothing calls a slot but its wrapper, so an op
/// has one site in the image, and the JIT's inlining carries what the site is patched to into every caller.
/// </summary>
public static class Pv
{
    /// <summary>CPU ops.</summary>
    public static CpuOps Cpu;

    /// <summary>Interrupt and APIC ops.</summary>
    public static IrqOps Irq;

    /// <summary>Memory ops.</summary>
    public static MmuOps Mmu;

    /// <summary>Time ops.</summary>
    public static TimeOps Time;

    /// <summary>Lock ops.</summary>
    public static LockOps Lock;

    /// <summary>Set-up ops.</summary>
    public static InitOps Init;
}
