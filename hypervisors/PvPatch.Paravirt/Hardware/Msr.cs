namespace PvPatch.Paravirt.Hardware;

/// <summary>Model-specific registers of every x86-64 CPU (Intel SDM vol. 4, 2.1; x2APIC: vol. 3, table 11-6).</summary>
public static class Msr
{
    /// <summary>Local APIC base, x2APIC enable (bit 10) and global enable (bit 11).</summary>
    public const uint ApicBase = 0x1b;

    /// <summary>TSC value at which the local APIC timer fires.</summary>
    public const uint TscDeadline = 0x6e0;

    /// <summary>x2APIC id.</summary>
    public const uint X2ApicId = 0x802;

    /// <summary>End of interrupt.</summary>
    public const uint X2ApicEoi = 0x80b;

    /// <summary>Spurious interrupt vector, software enable (bit 8).</summary>
    public const uint X2ApicSpurious = 0x80f;

    /// <summary>Interrupt command.</summary>
    public const uint X2ApicIcr = 0x830;

    /// <summary>Timer entry of the local vector table.</summary>
    public const uint X2ApicLvtTimer = 0x832;

    /// <summary>Extended features: SCE, LME, LMA, NXE.</summary>
    public const uint Efer = 0xc000_0080;

    /// <summary>Base of GS.</summary>
    public const uint GsBase = 0xc000_0101;

    /// <summary>TSC_AUX: RDTSCP and RDPID return it, Linux keeps the CPU number there.</summary>
    public const uint TscAux = 0xc000_0103;
}
