using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;
using static PvPatch.GuestOs.Tests.Ops.NativeOpRow;

namespace PvPatch.GuestOs.Tests.Ops;

internal static unsafe class NativeMmuRows
{
    private const ulong Page = 0x40_0000;
    private const ulong Data = PageFlags.Present | PageFlags.Writable | PageFlags.NoExecute;
    private const ulong OldWord = 0x01d;
    private const ulong NewWord = 0x2e3;

    private delegate ulong Conversion(ulong value);

    private delegate void EntryWrite(CpuState* cpu, ulong* entry, ulong value);

    public static NativeOpRow[] All { get; } =
    [
        Of("mmu.flush_tlb_user", "drops a stale translation", (cpu, seen) => SeeStalePage(cpu, seen, 0, PvMmu.FlushTlbUser), OldWord, NewWord),
        Of("mmu.flush_tlb_user", "leaves global ones", (cpu, seen) => SeeStalePage(cpu, seen, PageFlags.Global, PvMmu.FlushTlbUser), OldWord, OldWord),
        Of("mmu.flush_tlb_kernel", "drops global ones too", (cpu, seen) =>
        {
            ulong cr4 = cpu->Cr4;
            SeeStalePage(cpu, seen, PageFlags.Global, PvMmu.FlushTlbKernel);
            seen.Add(cr4 ^ cpu->Cr4);
        }, OldWord, NewWord, 0),
        Of("mmu.flush_tlb_one_user", "drops that address", (cpu, seen) => SeeStalePage(cpu, seen, 0, state => PvMmu.FlushTlbOneUser(state, Page)), OldWord, NewWord),
        Of("mmu.flush_tlb_one_user", "leaves other addresses", (cpu, seen) => SeeStalePage(cpu, seen, 0, state => PvMmu.FlushTlbOneUser(state, Page + 4096)), OldWord, OldWord),
        Of("mmu.flush_tlb_multi", "drops a range", (cpu, seen) => SeeStalePage(cpu, seen, 0, state => FlushRange(state, Page - 4096, Page + 4096)), OldWord, NewWord),
        Of("mmu.flush_tlb_multi", "stops at the end of the range", (cpu, seen) => SeeStalePage(cpu, seen, 0, state => FlushRange(state, Page - 8192, Page)), OldWord, OldWord),
        Of("mmu.flush_tlb_multi", "drops all above the ceiling", (cpu, seen) => SeeStalePage(cpu, seen, 0, state => FlushRange(state, 0, 34 * 4096)), OldWord, NewWord),
        Of("mmu.flush_tlb_multi", "drops all when asked", (cpu, seen) => SeeStalePage(cpu, seen, 0, state => FlushRange(state, 0, ulong.MaxValue)), OldWord, NewWord),
        Of("mmu.tlb_remove_table", "frees with the flush", (cpu, seen) =>
        {
            MmuGather gather = default;
            PvMmu.TlbRemoveTable(cpu, &gather, 0x99);
            seen.AddRange([(ulong)gather.Count, (ulong)gather.DeferredCount, gather.Tables[0]]);
        }, 1, 0, 0x99),
        Of("mmu.read_cr2", "reads CR2", (cpu, seen) =>
        {
            cpu->Cr2 = 0x1234;
            seen.Add(PvMmu.ReadCr2(cpu));
        }, 0x1234),
        Of("mmu.write_cr2", "writes CR2", (cpu, seen) =>
        {
            PvMmu.WriteCr2(cpu, 0x4321);
            seen.Add(cpu->Cr2);
        }, 0x4321),
        Of("mmu.read_cr3", "reads CR3", (cpu, seen) => seen.Add(PvMmu.ReadCr3(cpu) == AddressSpace.Kernel(cpu) ? 1ul : 0), 1),
        Of("mmu.write_cr3", "switches the address space", (cpu, seen) =>
        {
            ulong space = AddressSpace.Create(cpu);
            PvMmu.WriteCr3(cpu, space);
            seen.Add(cpu->Cr3 == space ? 1ul : 0);
        }, 1),
        Of("mmu.pgd_alloc", "refuses nothing", (cpu, seen) => seen.Add((ulong)PvMmu.PgdAlloc(cpu, 0x123)), 0),
        Of("mmu.set_pte", "stores the entry", (cpu, seen) => Write(cpu, seen, PvMmu.SetPte), 0xfeed),
        Of("mmu.set_pmd", "stores the entry", (cpu, seen) => Write(cpu, seen, PvMmu.SetPmd), 0xfeed),
        Of("mmu.set_pud", "stores the entry", (cpu, seen) => Write(cpu, seen, PvMmu.SetPud), 0xfeed),
        Of("mmu.set_p4d", "stores the entry", (cpu, seen) => Write(cpu, seen, PvMmu.SetP4d), 0xfeed),
        Of("mmu.ptep_modify_prot_start", "takes the entry out", (cpu, seen) =>
        {
            ulong entry = 0x5067;
            seen.AddRange([PvMmu.PtepModifyProtStart(cpu, Page, &entry), entry]);
        }, 0x5067, 0),
        Of("mmu.ptep_modify_prot_commit", "puts the entry back", (cpu, seen) =>
        {
            ulong entry = 0;
            PvMmu.PtepModifyProtCommit(cpu, Page, &entry, 0x5065);
            seen.Add(entry);
        }, 0x5065),
        Same("mmu.pte_val", PvMmu.PteVal),
        Same("mmu.make_pte", PvMmu.MakePte),
        Same("mmu.pmd_val", PvMmu.PmdVal),
        Same("mmu.make_pmd", PvMmu.MakePmd),
        Same("mmu.pud_val", PvMmu.PudVal),
        Same("mmu.make_pud", PvMmu.MakePud),
        Same("mmu.p4d_val", PvMmu.P4dVal),
        Same("mmu.make_p4d", PvMmu.MakeP4d),
        Of("mmu.set_fixmap", "maps the page at the slot's address, also where another was", (cpu, seen) =>
        {
            ulong first = NewPage(cpu, 0x111), second = NewPage(cpu, 0x222);
            foreach (ulong page in (ulong[])[first, second])
            {
                PvMmu.SetFixmap(cpu, 5, page, PageFlags.KernelData);
                seen.Add(LinearMemory.Load<ulong>(cpu, 0xffff_ffff_ff5f_a000));
            }
        }, 0x111, 0x222),
    ];

    /// <summary>Calls every op that does nothing on bare hardware.</summary>
    public static void CallNops(CpuState* cpu)
    {
        byte location = 1;
        PvCpu.StartContextSwitch(cpu);
        PvCpu.EndContextSwitch(cpu);
        PvMmu.ExitMmap(cpu, 1);
        PvMmu.NotifyPageEncStatusChanged(cpu, 1, 1, isPrivate: 0);
        PvMmu.EnterMmap(cpu, 1);
        PvMmu.PgdFree(cpu, 1);
        PvMmu.AllocPte(cpu, 1);
        PvMmu.AllocPmd(cpu, 1);
        PvMmu.AllocPud(cpu, 1);
        PvMmu.ReleasePte(cpu, 1);
        PvMmu.ReleasePmd(cpu, 1);
        PvMmu.ReleasePud(cpu, 1);
        PvMmu.LazyModeEnter(cpu);
        PvMmu.LazyModeLeave(cpu);
        PvMmu.LazyModeFlush(cpu);
        PvLock.Wait(cpu, &location, 1);
        PvLock.Kick(cpu, 0);
        PvInit.ArchSetup(cpu);
        PvInit.PostAllocatorInit(cpu);
        PvInit.GuestLateInit(cpu);
    }

    private static NativeOpRow Same(string op, Conversion conversion) =>
        Of(op, "is its argument", (cpu, seen) => seen.Add(conversion(0xdead_beef_0123_4567)), 0xdead_beef_0123_4567);

    private static void Write(CpuState* cpu, List<ulong> seen, EntryWrite write)
    {
        ulong entry = 1;
        write(cpu, &entry, 0xfeed);
        seen.Add(entry);
    }

    private static void FlushRange(CpuState* cpu, ulong start, ulong end)
    {
        FlushTlbInfo info = new() { Start = start, End = end };
        PvMmu.FlushTlbMulti(cpu, 1, &info);
    }

    /// <summary>A page is read, so that its translation is remembered; its entry is changed behind the CPU's back; what does a read give after the flush?</summary>
    private static void SeeStalePage(CpuState* cpu, List<ulong> seen, ulong flags, GuestCode flush)
    {
        ulong old = NewPage(cpu, OldWord), next = NewPage(cpu, NewWord);
        ulong* entry = PageTables.Ensure(cpu, AddressSpace.Kernel(cpu), Page);
        *entry = old | Data | flags;
        seen.Add(LinearMemory.Load<ulong>(cpu, Page));
        *entry = next | Data | flags;
        flush(cpu);
        seen.Add(LinearMemory.Load<ulong>(cpu, Page));
    }

    private static ulong NewPage(CpuState* cpu, ulong word)
    {
        ulong page = PageAllocator.Allocate(cpu);
        *MemoryLayout.At<ulong>(cpu, page) = word;
        return page;
    }
}
