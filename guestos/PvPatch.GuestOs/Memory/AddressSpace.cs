using System.Runtime.InteropServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Locks;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Native;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Memory;

/// <summary>
/// Address spaces, named by the physical address of their top table. The upper half is the kernel's and the same in all;
/// in the lower half pages are mapped one by one, in a lazy window so that a hypervisor may batch, or on demand by the page fault.
/// </summary>
public static unsafe class AddressSpace
{
    private const ulong Cr0WriteProtect = 1ul << 16;
    private const ulong Cr0Paging = 1ul << 31;
    private const ulong Cr0Protection = 1ul << 0;
    private const ulong Cr4Pae = 1ul << 5;
    private const ulong Cr4Pge = 1ul << 7;
    private const ulong EferLongModeEnable = 1ul << 8;
    private const ulong EferNoExecute = 1ul << 11;
    private const ulong LargePage = 2ul << 20;

    [StructLayout(LayoutKind.Sequential)]
    private struct State
    {
        public ulong Kernel;            // the kernel's top table
        public ulong DemandStart;       // linear range whose pages the page fault makes
        public ulong DemandEnd;
        public ulong DemandFaults;
        public MmuGather Deferred;      // tables that wait for a grace period
    }

    /// <summary>Builds the kernel's address space and switches paging on: the direct map in 2 MiB pages, and the fixmap's table.</summary>
    public static void InitKernel(CpuState* cpu)
    {
        State* state = StateOf(cpu);
        *state = default;
        state->Kernel = PageAllocator.Allocate(cpu);
        if (state->Kernel == 0 || PvMmu.PgdAlloc(cpu, state->Kernel >> MemoryLayout.PageShift) != 0)
            Panic.Stop(cpu, "No memory for the kernel's page tables");
        for (ulong address = 0; address < cpu->RamSize; address += LargePage)
        {
            ulong* pmd = PageTables.EnsurePmd(cpu, state->Kernel, MemoryLayout.Linear(address));
            if (pmd == null)
                Panic.Stop(cpu, "No memory for the direct map");
            PvMmu.SetPmd(cpu, pmd, PvMmu.MakePmd(address | PageFlags.KernelData | PageFlags.LargePage));
        }

        ulong* fixmap = PageTables.EnsurePmd(cpu, state->Kernel, MemoryLayout.FixmapTop);
        PvMmu.AllocPte(cpu, MemoryLayout.FixmapTable >> MemoryLayout.PageShift);
        PvMmu.SetPmd(cpu, fixmap, PvMmu.MakePmd(MemoryLayout.FixmapTable | PageFlags.Table));
        EnablePaging(cpu);
    }

    /// <summary>Switches a CPU to long mode with the kernel's tables (Intel SDM vol. 3, 9.8.5).</summary>
    public static void EnablePaging(CpuState* cpu)
    {
        PvCpu.WriteCr4(cpu, Instructions.ReadCr4(cpu) | Cr4Pae | Cr4Pge);
        PvMmu.WriteCr3(cpu, StateOf(cpu)->Kernel);
        PvCpu.WriteMsr(cpu, Msr.Efer, PvCpu.ReadMsr(cpu, Msr.Efer) | EferLongModeEnable | EferNoExecute);
        PvCpu.WriteCr0(cpu, PvCpu.ReadCr0(cpu) | Cr0Protection | Cr0WriteProtect | Cr0Paging);
    }

    /// <summary>The kernel's own address space.</summary>
    public static ulong Kernel(CpuState* cpu) => StateOf(cpu)->Kernel;

    /// <summary>Makes an address space with an empty lower half.</summary>
    /// <returns>0 when memory is out or the hypervisor refuses.</returns>
    public static ulong Create(CpuState* cpu)
    {
        ulong top = PageAllocator.Allocate(cpu);
        if (top == 0)
            return 0;
        if (PvMmu.PgdAlloc(cpu, top >> MemoryLayout.PageShift) != 0)
        {
            PageAllocator.Free(cpu, top);
            return 0;
        }

        ulong* from = MemoryLayout.At<ulong>(cpu, StateOf(cpu)->Kernel);
        ulong* to = MemoryLayout.At<ulong>(cpu, top);
        for (int i = PageTables.Entries / 2; i < PageTables.Entries; i++)
        {
            ulong value = PvMmu.P4dVal(from[i]);
            if ((value & PageFlags.Present) != 0)
                PvMmu.SetP4d(cpu, to + i, PvMmu.MakeP4d(value));
        }

        PvMmu.EnterMmap(cpu, top >> MemoryLayout.PageShift);
        return top;
    }

    /// <summary>Switches to an address space.</summary>
    public static void Switch(CpuState* cpu, ulong top)
    {
        if (PvMmu.ReadCr3(cpu) != top)
            PvMmu.WriteCr3(cpu, top);
    }

    /// <summary>Maps fresh zeroed pages from a linear address on, in one lazy window.</summary>
    /// <returns>Whether there was memory for all.</returns>
    public static bool Populate(CpuState* cpu, ulong top, ulong linear, int pages, ulong flags)
    {
        bool done = true;
        PvMmu.LazyModeEnter(cpu);
        for (int i = 0; i < pages && done; i++)
            done = MapFresh(cpu, top, linear + ((ulong)i << MemoryLayout.PageShift), flags);
        PvMmu.LazyModeLeave(cpu);
        return done;
    }

    /// <summary>Changes the flags of mapped pages and drops their old translations everywhere.</summary>
    /// <param name="cpu">The CPU that changes them.</param>
    /// <param name="top">The address space.</param>
    /// <param name="linear">First page.</param>
    /// <param name="pages">How many.</param>
    /// <param name="clear">Flags to clear.</param>
    /// <param name="set">Flags to set.</param>
    public static void Protect(CpuState* cpu, ulong top, ulong linear, int pages, ulong clear, ulong set)
    {
        PvMmu.LazyModeEnter(cpu);
        for (int i = 0; i < pages; i++)
        {
            ulong address = linear + ((ulong)i << MemoryLayout.PageShift);
            ulong* entry = PageTables.Find(cpu, top, address);
            if (entry == null || (PvMmu.PteVal(*entry) & PageFlags.Present) == 0)
                continue;
            ulong value = PvMmu.PteVal(PvMmu.PtepModifyProtStart(cpu, address, entry));
            PvMmu.PtepModifyProtCommit(cpu, address, entry, PvMmu.MakePte((value & ~clear) | set));
        }

        PvMmu.LazyModeLeave(cpu);
        Flush(cpu, top, linear, linear + ((ulong)pages << MemoryLayout.PageShift));
    }

    /// <summary>Unmaps pages, drops their translations everywhere, then frees them.</summary>
    /// <returns>How many pages were mapped.</returns>
    public static int Unmap(CpuState* cpu, ulong top, ulong linear, int pages)
    {
        Span<ulong> freed = stackalloc ulong[PageTables.Entries];
        int total = 0;
        for (int done = 0; done < pages;)
        {
            int batch = Math.Min(pages - done, freed.Length);
            ulong start = linear + ((ulong)done << MemoryLayout.PageShift);
            int count = 0;
            PvMmu.LazyModeEnter(cpu);
            for (int i = 0; i < batch; i++)
            {
                ulong* entry = PageTables.Find(cpu, top, start + ((ulong)i << MemoryLayout.PageShift));
                ulong value = entry == null ? 0 : PvMmu.PteVal(*entry);
                if ((value & PageFlags.Present) == 0)
                    continue;
                PvMmu.SetPte(cpu, entry, PvMmu.MakePte(0));
                freed[count++] = value & PageFlags.AddressMask;
            }

            PvMmu.LazyModeLeave(cpu);
            Flush(cpu, top, start, start + ((ulong)batch << MemoryLayout.PageShift));
            foreach (ulong page in freed[..count])
                PageAllocator.Free(cpu, page);
            total += count;
            done += batch;
        }

        return total;
    }

    /// <summary>Ends an address space whose pages are unmapped: frees its tables. No CPU may be in it any more.</summary>
    public static void Destroy(CpuState* cpu, ulong top)
    {
        ulong frame = top >> MemoryLayout.PageShift;
        PvMmu.ExitMmap(cpu, frame);
        bool done;
        do
        {
            MmuGather gather = default;
            done = PageTables.RemoveUserTables(cpu, top, &gather);
            Flush(cpu, top, 0, ulong.MaxValue);
            for (int i = 0; i < gather.Count; i++)
                PageAllocator.Free(cpu, gather.Tables[i] << MemoryLayout.PageShift);
            Defer(cpu, &gather);
        }
        while (!done);
        PvMmu.PgdFree(cpu, frame);
        PageAllocator.Free(cpu, top);
    }

    /// <summary>
    /// The grace period of deferred tables is over: no CPU has been in a walk since. Frees them. The clock's interrupt
    /// calls it too, so whoever touches the list does it with interrupts off.
    /// </summary>
    public static void EndGracePeriod(CpuState* cpu)
    {
        MmuGather* deferred = &StateOf(cpu)->Deferred;
        ulong flags = InterruptFlag.Save(cpu);
        for (int i = 0; i < deferred->DeferredCount; i++)
            PageAllocator.Free(cpu, deferred->Deferred[i] << MemoryLayout.PageShift);
        deferred->DeferredCount = 0;
        InterruptFlag.Restore(cpu, flags);
    }

    /// <summary>From now on a fault in this range of the current address space gets a fresh page.</summary>
    public static void SetDemandRange(CpuState* cpu, ulong start, ulong end)
    {
        StateOf(cpu)->DemandStart = start;
        StateOf(cpu)->DemandEnd = end;
    }

    /// <summary>How many pages came by a fault.</summary>
    public static ulong DemandFaults(CpuState* cpu) => StateOf(cpu)->DemandFaults;

    /// <summary>Tries to make the page of a fault. A page that is there and forbids the access stays as it is.</summary>
    /// <param name="cpu">The CPU that faulted.</param>
    /// <param name="linear">The address.</param>
    /// <param name="errorCode">The fault's error code.</param>
    /// <returns>Whether the access can be tried again.</returns>
    public static bool HandleFault(CpuState* cpu, ulong linear, ulong errorCode)
    {
        State* state = StateOf(cpu);
        if (linear < state->DemandStart || linear >= state->DemandEnd || (errorCode & PageFaultBits.Protection) != 0)
            return false;
        state->DemandFaults++;
        return MapFresh(cpu, PvMmu.ReadCr3(cpu) & PageFlags.AddressMask, linear & ~(MemoryLayout.PageSize - 1), PageFlags.Present | PageFlags.Writable | PageFlags.NoExecute);
    }

    private static bool MapFresh(CpuState* cpu, ulong top, ulong linear, ulong flags)
    {
        ulong* entry = PageTables.Ensure(cpu, top, linear);
        if (entry == null)
            return false;
        ulong page = PageAllocator.Allocate(cpu);
        if (page == 0)
            return false;
        PvMmu.SetPte(cpu, entry, PvMmu.MakePte(page | flags));
        return true;
    }

    private static void Flush(CpuState* cpu, ulong top, ulong start, ulong end)
    {
        FlushTlbInfo info = new() { Start = start, End = end, Space = top };
        int cpus = PerCpu.Of(cpu)->CpuCount;
        if (cpus == 1)
            TlbShootdown.FlushHere(cpu, &info);
        else
            PvMmu.FlushTlbMulti(cpu, (1ul << cpus) - 1, &info);
    }

    private static void Defer(CpuState* cpu, MmuGather* gather)
    {
        MmuGather* deferred = &StateOf(cpu)->Deferred;
        ulong flags = InterruptFlag.Save(cpu);
        for (int i = 0; i < gather->DeferredCount; i++)
        {
            if (deferred->DeferredCount == MmuGather.Capacity)
                EndGracePeriod(cpu);        // this CPU walks no table here, and the others run only while this one waits
            deferred->Deferred[deferred->DeferredCount++] = gather->Deferred[i];
        }

        InterruptFlag.Restore(cpu, flags);
    }

    private static State* StateOf(CpuState* cpu) => MemoryLayout.At<State>(cpu, MemoryLayout.MemoryState);
}
