using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Memory;

/// <summary>
/// 4-level page tables (Intel SDM vol. 3, 4.5), read and changed only through the memory ops: on a hypervisor an entry need
/// not be a plain number, nor a store be a plain store. A table is named by the physical address of its page.
/// </summary>
public static unsafe class PageTables
{
    /// <summary>Entries of a table.</summary>
    public const int Entries = 512;

    private const int P4dShift = 39;
    private const int PudShift = 30;
    private const int PmdShift = 21;
    private const int PteShift = 12;

    /// <summary>The page table entry of a linear address; missing tables are made.</summary>
    /// <returns>Null when memory is out or a large page maps the address.</returns>
    public static ulong* Ensure(CpuState* cpu, ulong top, ulong linear)
    {
        ulong* pmd = EnsurePmd(cpu, top, linear);
        if (pmd == null)
            return null;
        ulong value = PvMmu.PmdVal(*pmd);
        if ((value & PageFlags.Present) != 0)
            return (value & PageFlags.LargePage) != 0 ? null : Entry(cpu, value, linear, PteShift);
        ulong table = PageAllocator.Allocate(cpu);
        if (table == 0)
            return null;
        PvMmu.AllocPte(cpu, table >> MemoryLayout.PageShift);
        PvMmu.SetPmd(cpu, pmd, PvMmu.MakePmd(table | PageFlags.Table));
        return Entry(cpu, table, linear, PteShift);
    }

    /// <summary>The page directory entry of a linear address; missing tables above it are made.</summary>
    /// <returns>Null when memory is out.</returns>
    public static ulong* EnsurePmd(CpuState* cpu, ulong top, ulong linear)
    {
        ulong* p4d = Entry(cpu, top, linear, P4dShift);
        ulong value = PvMmu.P4dVal(*p4d);
        if ((value & PageFlags.Present) == 0)
        {
            ulong table = PageAllocator.Allocate(cpu);
            if (table == 0)
                return null;
            PvMmu.AllocPud(cpu, table >> MemoryLayout.PageShift);
            value = table | PageFlags.Table;
            PvMmu.SetP4d(cpu, p4d, PvMmu.MakeP4d(value));
        }

        ulong* pud = Entry(cpu, value, linear, PudShift);
        value = PvMmu.PudVal(*pud);
        if ((value & PageFlags.Present) == 0)
        {
            ulong table = PageAllocator.Allocate(cpu);
            if (table == 0)
                return null;
            PvMmu.AllocPmd(cpu, table >> MemoryLayout.PageShift);
            value = table | PageFlags.Table;
            PvMmu.SetPud(cpu, pud, PvMmu.MakePud(value));
        }

        return Entry(cpu, value, linear, PmdShift);
    }

    /// <summary>The page table entry of a linear address, null when a table on the way is missing.</summary>
    public static ulong* Find(CpuState* cpu, ulong top, ulong linear)
    {
        ulong value = PvMmu.P4dVal(*Entry(cpu, top, linear, P4dShift));
        if ((value & PageFlags.Present) == 0)
            return null;
        value = PvMmu.PudVal(*Entry(cpu, value, linear, PudShift));
        if ((value & PageFlags.Present) == 0)
            return null;
        value = PvMmu.PmdVal(*Entry(cpu, value, linear, PmdShift));
        return (value & PageFlags.Present) == 0 || (value & PageFlags.LargePage) != 0 ? null : Entry(cpu, value, linear, PteShift);
    }

    /// <summary>
    /// Takes the tables of the lower half out of a top table and gives their pages to the gather, one call of
    /// <c>mmu.tlb_remove_table</c> each. When the gather is full the caller flushes it and calls again.
    /// </summary>
    /// <returns>Whether nothing is left.</returns>
    public static bool RemoveUserTables(CpuState* cpu, ulong top, MmuGather* gather)
    {
        for (int i = 0; i < Entries / 2; i++)
        {
            ulong* p4d = MemoryLayout.At<ulong>(cpu, top) + i;
            ulong p4dValue = PvMmu.P4dVal(*p4d);
            if ((p4dValue & PageFlags.Present) == 0)
                continue;
            ulong puds = p4dValue & PageFlags.AddressMask;
            if (!RemovePuds(cpu, puds, gather) || gather->IsFull)
                return false;
            PvMmu.SetP4d(cpu, p4d, PvMmu.MakeP4d(0));
            PvMmu.ReleasePud(cpu, puds >> MemoryLayout.PageShift);
            PvMmu.TlbRemoveTable(cpu, gather, puds >> MemoryLayout.PageShift);
        }

        return true;
    }

    private static bool RemovePuds(CpuState* cpu, ulong table, MmuGather* gather)
    {
        for (int i = 0; i < Entries; i++)
        {
            ulong* pud = MemoryLayout.At<ulong>(cpu, table) + i;
            ulong value = PvMmu.PudVal(*pud);
            if ((value & PageFlags.Present) == 0)
                continue;
            ulong pmds = value & PageFlags.AddressMask;
            if (!RemovePmds(cpu, pmds, gather) || gather->IsFull)
                return false;
            PvMmu.SetPud(cpu, pud, PvMmu.MakePud(0));
            PvMmu.ReleasePmd(cpu, pmds >> MemoryLayout.PageShift);
            PvMmu.TlbRemoveTable(cpu, gather, pmds >> MemoryLayout.PageShift);
        }

        return true;
    }

    private static bool RemovePmds(CpuState* cpu, ulong table, MmuGather* gather)
    {
        for (int i = 0; i < Entries; i++)
        {
            ulong* pmd = MemoryLayout.At<ulong>(cpu, table) + i;
            ulong value = PvMmu.PmdVal(*pmd);
            if ((value & PageFlags.Present) == 0)
                continue;
            if (gather->IsFull)
                return false;
            ulong ptes = value & PageFlags.AddressMask;
            PvMmu.SetPmd(cpu, pmd, PvMmu.MakePmd(0));
            PvMmu.ReleasePte(cpu, ptes >> MemoryLayout.PageShift);
            PvMmu.TlbRemoveTable(cpu, gather, ptes >> MemoryLayout.PageShift);
        }

        return true;
    }

    private static ulong* Entry(CpuState* cpu, ulong table, ulong linear, int shift) =>
        MemoryLayout.At<ulong>(cpu, table & PageFlags.AddressMask) + (linear >> shift & (Entries - 1));
}
