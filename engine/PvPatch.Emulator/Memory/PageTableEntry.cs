namespace PvPatch.Emulator.Memory;

/// <summary>Bits of the entries of all paging structures (Intel SDM vol. 3, 4.3 to 4.5).</summary>
public static class PageTableEntry
{
    /// <summary>Present.</summary>
    public const ulong Present = 1ul << 0;

    /// <summary>Writable.</summary>
    public const ulong Writable = 1ul << 1;

    /// <summary>User mode may access it.</summary>
    public const ulong User = 1ul << 2;

    /// <summary>Accessed.</summary>
    public const ulong Accessed = 1ul << 5;

    /// <summary>Dirty: a leaf that was written.</summary>
    public const ulong Dirty = 1ul << 6;

    /// <summary>Page size: above the last level, this entry maps a page.</summary>
    public const ulong PageSize = 1ul << 7;

    /// <summary>Global: survives a write to CR3.</summary>
    public const ulong Global = 1ul << 8;

    /// <summary>No execution, where EFER.NXE is set.</summary>
    public const ulong NoExecute = 1ul << 63;

    /// <summary>Physical addresses have this many bits (CPUID leaf 0x80000008, EAX bits 0 to 7).</summary>
    public const int PhysicalAddressBits = 40;

    /// <summary>The address bits of a 64-bit entry.</summary>
    public const ulong AddressMask = ((1ul << PhysicalAddressBits) - 1) & ~0xffful;
}
