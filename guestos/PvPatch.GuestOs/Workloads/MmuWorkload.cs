using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tasks;
using PvPatch.Paravirt.Layout;

namespace PvPatch.GuestOs.Workloads;

/// <summary>
/// A program's life in page tables: an address space is made, pages are mapped in one lazy window and others by page
/// faults, written and read through linear addresses, write-protected, allowed again, unmapped, destroyed.
/// </summary>
internal static unsafe class MmuWorkload
{
    private const ulong Base = 0x0000_5555_0000_0000;   // where programs lie
    private const int MostPages = 24;
    private const int DemandPages = 8;

    public static IEnumerable<TaskStep> Run(CpuHandle cpu, WorkloadSum sum, Randomness random, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            sum.Add(Round(cpu, ref random));
            yield return TaskStep.Yield;
        }
    }

    /// <summary>One address space from begin to end.</summary>
    private static ulong Round(CpuHandle handle, ref Randomness random)
    {
        CpuState* cpu = handle.State;
        const ulong Flags = PageFlags.Present | PageFlags.Writable | PageFlags.NoExecute;
        Checksum sum = new(random.Next());
        uint freeBefore = PageAllocator.FreePages(cpu);
        ulong space = AddressSpace.Create(cpu);
        int pages = 1 + random.Next(MostPages);
        ulong start = Base + ((ulong)random.Next(1 << 20) << MemoryLayout.PageShift);
        ulong demand = start + ((ulong)pages << MemoryLayout.PageShift);
        sum.Add(AddressSpace.Populate(cpu, space, start, pages, Flags) ? 1ul : 0);
        AddressSpace.Switch(cpu, space);
        AddressSpace.SetDemandRange(cpu, demand, demand + ((ulong)DemandPages << MemoryLayout.PageShift));

        for (int i = 0; i < pages + DemandPages; i++)
            LinearMemory.Store(cpu, Word(start, i), random.Next());
        AddressSpace.Protect(cpu, space, start, pages, PageFlags.Writable, 0);
        for (int i = 0; i < pages; i++)
            sum.Add(LinearMemory.TryStore(cpu, Word(start, i), AccessModes.Of(cpu), 0ul, out MemoryFault fault) ? 0 : fault.ErrorCode);
        AddressSpace.Protect(cpu, space, start, pages, 0, PageFlags.Writable);
        for (int i = 0; i < pages + DemandPages; i++)
            sum.Add(LinearMemory.Load<ulong>(cpu, Word(start, i)));

        AddressSpace.SetDemandRange(cpu, 0, 0);
        sum.Add((ulong)AddressSpace.Unmap(cpu, space, start, pages + DemandPages));
        AddressSpace.Switch(cpu, AddressSpace.Kernel(cpu));
        AddressSpace.Destroy(cpu, space);
        AddressSpace.EndGracePeriod(cpu);
        sum.Add(freeBefore - PageAllocator.FreePages(cpu));     // 0: every page came back
        return sum.Value;
    }

    private static ulong Word(ulong start, int page) => start + ((ulong)page << MemoryLayout.PageShift) + ((ulong)(page % 512) * sizeof(ulong));
}
