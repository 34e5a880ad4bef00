using System.Runtime.InteropServices;

namespace PvPatch.Paravirt.Layout;

/// <summary>
/// Page tables that an unmap made unused (Linux: struct mmu_gather). Where other CPUs are flushed by interrupts, those
/// interrupts also prove that nobody walks the tables, so they are freed with the flush; where the hypervisor flushes,
/// they wait for a grace period (the next clock tick).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MmuGather
{
    /// <summary>Most tables in one gather.</summary>
    public const int Capacity = 48;

    /// <summary>How many of <see cref="Tables"/> are freed with the flush.</summary>
    public int Count;

    /// <summary>How many of <see cref="Deferred"/> wait for the grace period.</summary>
    public int DeferredCount;

    /// <summary>Page frames to free with the flush.</summary>
    public fixed ulong Tables[Capacity];

    /// <summary>Page frames to free after the grace period.</summary>
    public fixed ulong Deferred[Capacity];

    /// <summary>Whether another table fits into either list.</summary>
    public readonly bool IsFull => Count == Capacity || DeferredCount == Capacity;
}
