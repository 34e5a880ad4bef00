using System.Runtime.InteropServices;

namespace PvPatch.Paravirt.Layout;

/// <summary>What to drop from a TLB (Linux: struct flush_tlb_info): the pages from <see cref="Start"/> up to <see cref="End"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlushTlbInfo
{
    /// <summary>First linear address.</summary>
    public ulong Start;

    /// <summary>First linear address past the range; <see cref="ulong.MaxValue"/> means everything of user mode.</summary>
    public ulong End;

    /// <summary>Physical address of the top table of the address space.</summary>
    public ulong Space;

    /// <summary>Above so many pages all user translations are dropped at once (Linux: tlb_single_page_flush_ceiling).</summary>
    public const ulong SinglePageCeiling = 33;

    /// <summary>Whether the whole address space is dropped rather than page by page.</summary>
    public readonly bool IsFull => End == ulong.MaxValue || (End - Start) >> MemoryLayout.PageShift > SinglePageCeiling;
}
