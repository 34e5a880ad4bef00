namespace PvPatch.Paravirt.Layout;

/// <summary>Bits of a paging-structure entry (Intel SDM vol. 3, 4.5, table 4-20).</summary>
public static class PageFlags
{
    /// <summary>The entry is used.</summary>
    public const ulong Present = 1ul << 0;

    /// <summary>Writes are allowed.</summary>
    public const ulong Writable = 1ul << 1;

    /// <summary>User mode may use it.</summary>
    public const ulong User = 1ul << 2;

    /// <summary>Set by the CPU at the first use.</summary>
    public const ulong Accessed = 1ul << 5;

    /// <summary>Set by the CPU at the first write.</summary>
    public const ulong Dirty = 1ul << 6;

    /// <summary>In a directory: maps a large page.</summary>
    public const ulong LargePage = 1ul << 7;

    /// <summary>Survives a write to CR3.</summary>
    public const ulong Global = 1ul << 8;

    /// <summary>Instructions can't be fetched from it.</summary>
    public const ulong NoExecute = 1ul << 63;

    /// <summary>The physical address in an entry.</summary>
    public const ulong AddressMask = 0x000f_ffff_ffff_f000;

    /// <summary>What an entry of a higher table carries: everything allowed, the leaf decides (Linux: _PAGE_TABLE).</summary>
    public const ulong Table = Present | Writable | User | Accessed | Dirty;

    /// <summary>Kernel data: writable, global, not executable (Linux: PAGE_KERNEL).</summary>
    public const ulong KernelData = Present | Writable | Accessed | Dirty | Global | NoExecute;
}
