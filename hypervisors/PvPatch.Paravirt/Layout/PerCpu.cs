using System.Runtime.InteropServices;
using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Layout;

/// <summary>
/// One CPU's own data, a page that GS points at, as in Linux. The ops find their state here, so they need no static
/// fields: <c>sched_clock</c> under KVM is a read of this page.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 4096)]
public unsafe struct PerCpu
{
    /// <summary>This CPU's number.</summary>
    [FieldOffset(0)]
    public int Number;

    /// <summary>How many interrupt handlers are on the stack.</summary>
    [FieldOffset(4)]
    public int InterruptDepth;

    /// <summary>Not 0 while entry changes may be batched.</summary>
    [FieldOffset(8)]
    public int LazyMode;

    /// <summary>How many CPUs the kernel has.</summary>
    [FieldOffset(12)]
    public int CpuCount;

    /// <summary>Nanoseconds per TSC cycle, 32.32 fixed point; 0 until the rate is known.</summary>
    [FieldOffset(16)]
    public ulong TscToNanoseconds;

    /// <summary>TSC when the clock started.</summary>
    [FieldOffset(24)]
    public ulong TscStart;

    /// <summary>TSC rate in kHz.</summary>
    [FieldOffset(32)]
    public ulong TscKhz;

    /// <summary>The lock this CPU is queued for, 0 for none: how an unlocker finds whom to kick (a physical address).</summary>
    [FieldOffset(40)]
    public ulong WaitsForLock;

    /// <summary>How often this CPU was blocked by <c>lock.wait</c>.</summary>
    [FieldOffset(48)]
    public ulong LockWaits;

    /// <summary>How often this CPU woke another by <c>lock.kick</c>.</summary>
    [FieldOffset(56)]
    public ulong LockKicks;

    /// <summary>This CPU's node in the queue of a contended lock.</summary>
    [FieldOffset(64)]
    public QueueNode Node;

    /// <summary>Address space this CPU was asked to flush, and whether it has: the mailbox of the TLB flush IPI.</summary>
    [FieldOffset(96)]
    public FlushTlbInfo FlushRequest;

    /// <summary>Not 0 while <see cref="FlushRequest"/> waits to be done.</summary>
    [FieldOffset(128)]
    public int FlushPending;

    /// <summary>What another CPU asks this one to do; 0 when there is nothing.</summary>
    [FieldOffset(132)]
    public int Work;

    /// <summary>The argument of <see cref="Work"/>.</summary>
    [FieldOffset(136)]
    public ulong WorkArgument;

    /// <summary>Not 0 once this CPU has set itself up.</summary>
    [FieldOffset(144)]
    public int IsOnline;

    /// <summary>The TSS.</summary>
    [FieldOffset(256)]
    public TaskStateSegment Tss;

    /// <summary>The GDT.</summary>
    [FieldOffset(512)]
    public fixed ulong Gdt[Selectors.GdtEntries];

    /// <summary>Pages shared with the hypervisor; each hypervisor's guest side lays them out.</summary>
    [FieldOffset(1024)]
    public fixed byte Hypervisor[HypervisorSize];

    /// <summary>Offset of <see cref="Hypervisor"/> in the page.</summary>
    public const int HypervisorOffset = 1024;

    /// <summary>Bytes of <see cref="Hypervisor"/>.</summary>
    public const int HypervisorSize = 1024;

    /// <summary>The page of the CPU that executes.</summary>
    public static PerCpu* Of(CpuState* cpu) => (PerCpu*)(cpu->Ram + (cpu->Gs.Base - MemoryLayout.DirectMap));

    /// <summary>The page of another CPU.</summary>
    public static PerCpu* Of(CpuState* cpu, int number) => MemoryLayout.At<PerCpu>(cpu, AddressOf(number));

    /// <summary>Physical address of a CPU's page.</summary>
    public static ulong AddressOf(int number) => MemoryLayout.PerCpuPages + ((ulong)number << MemoryLayout.PageShift);
}
