using PvPatch.Emulator.State;

namespace PvPatch.Paravirt.Layout;

/// <summary>
/// Where things are. Everything the kernel must remember lives in guest memory, so that its text can be replaced while
/// its data stay.
/// <code>
/// physical
///   0x00000000  unused: a null pointer must hit nothing
///   0x00001000  state of the page allocator, the clock, the scheduler, memory management: 1 KiB each
///   0x00002000  IDT, 256 gates of 16 bytes
///   0x00003000  per-CPU pages, one a CPU, 8 at most (GDT and TSS inside)
///   0x0000b000  page table of the fixmap
///   0x0000c000  start pages of the other CPUs
///   0x00010000  kernel log, 64 KiB
///   0x00020000  task table, 64 KiB
///   0x00040000  boot stacks, 16 KiB a CPU
///   0x00080000  page frame table, then the frames that the allocator hands out
/// linear
///   0xffff888000000000  direct map: all physical memory
///   0xffffffffff5ff000  fixmap, downwards
/// </code>
/// </summary>
public static unsafe class MemoryLayout
{
    /// <summary>Bytes in a page.</summary>
    public const ulong PageSize = 4096;

    /// <summary>Binary logarithm of <see cref="PageSize"/>.</summary>
    public const int PageShift = 12;

    /// <summary>Most CPUs a kernel has.</summary>
    public const int MaxCpus = 8;

    /// <summary>Physical address of the page allocator's state.</summary>
    public const ulong PageAllocatorState = 0x1000;

    /// <summary>Physical address of the clock's state.</summary>
    public const ulong ClockState = 0x1400;

    /// <summary>Physical address of the scheduler's state.</summary>
    public const ulong SchedulerState = 0x1800;

    /// <summary>Physical address of the state of memory management.</summary>
    public const ulong MemoryState = 0x1c00;

    /// <summary>Physical address of the interrupt descriptor table.</summary>
    public const ulong Idt = 0x2000;

    /// <summary>Physical address of the first CPU's per-CPU page.</summary>
    public const ulong PerCpuPages = 0x3000;

    /// <summary>Physical address of the page table whose entries are the fixmap's slots.</summary>
    public const ulong FixmapTable = 0xb000;

    /// <summary>Physical address of the page that tells CPU 1 where to start (vector of its startup IPI times 4096).</summary>
    public const ulong StartPage = 0xc000;

    /// <summary>Physical address of the kernel log.</summary>
    public const ulong Log = 0x10000;

    /// <summary>Bytes of the kernel log.</summary>
    public const ulong LogSize = 0x10000;

    /// <summary>Physical address of the task table.</summary>
    public const ulong Tasks = 0x20000;

    /// <summary>Bytes of the task table.</summary>
    public const ulong TasksSize = 0x10000;

    /// <summary>Physical address of the boot CPU's stack; the others' follow.</summary>
    public const ulong BootStacks = 0x40000;

    /// <summary>Bytes of a kernel stack.</summary>
    public const ulong StackSize = 0x4000;

    /// <summary>Physical address of the first byte that the page allocator may use.</summary>
    public const ulong FirstFree = 0x80000;

    /// <summary>Linear address of physical address 0 in the direct map (Linux: page_offset_base).</summary>
    public const ulong DirectMap = 0xffff_8880_0000_0000;

    /// <summary>Linear address of fixmap slot 0; slot n is n pages below.</summary>
    public const ulong FixmapTop = 0xffff_ffff_ff5f_f000;

    /// <summary>Host address of a physical address. The caller knows that it is RAM: it comes from this layout or from the page allocator.</summary>
    public static T* At<T>(CpuState* cpu, ulong physical)
        where T : unmanaged => (T*)(cpu->Ram + physical);

    /// <summary>Linear address of a physical address in the direct map.</summary>
    public static ulong Linear(ulong physical) => DirectMap + physical;

    /// <summary>Physical address of a host address inside the guest's RAM.</summary>
    public static ulong Physical(CpuState* cpu, void* host) => (ulong)((byte*)host - cpu->Ram);

    /// <summary>Linear address of a fixmap slot.</summary>
    public static ulong Fixmap(uint slot) => FixmapTop - ((ulong)slot << PageShift);
}
