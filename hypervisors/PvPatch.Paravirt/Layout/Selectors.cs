namespace PvPatch.Paravirt.Layout;

/// <summary>The kernel's GDT as Linux has it (arch/x86/include/asm/segment.h, 64 bit): selectors and descriptors.</summary>
public static class Selectors
{
    /// <summary>Kernel code, index 2.</summary>
    public const ushort KernelCode = 0x10;

    /// <summary>Kernel data, index 3.</summary>
    public const ushort KernelData = 0x18;

    /// <summary>The TSS, index 8 and 9.</summary>
    public const ushort Tss = 0x40;

    /// <summary>Index of the first of three TLS descriptors.</summary>
    public const int TlsIndex = 12;

    /// <summary>Descriptors in the table.</summary>
    public const int GdtEntries = 16;

    /// <summary>Flat 64-bit code of ring 0: G, L, P, S, execute/read, accessed.</summary>
    public const ulong KernelCodeDescriptor = 0x00af_9b00_0000_ffff;

    /// <summary>Flat data of ring 0: G, B, P, S, read/write, accessed.</summary>
    public const ulong KernelDataDescriptor = 0x00cf_9300_0000_ffff;

    /// <summary>Low half of an available 64-bit TSS's descriptor (Intel SDM vol. 3, 7.2.3).</summary>
    public static ulong TssLow(ulong address, uint limit) =>
        (limit & 0xffff) | ((address & 0xff_ffff) << 16) | (0x89ul << 40) | ((ulong)(limit >> 16 & 0xf) << 48) | ((address >> 24 & 0xff) << 56);

    /// <summary>High half of a 64-bit TSS's descriptor.</summary>
    public static ulong TssHigh(ulong address) => address >> 32;
}
