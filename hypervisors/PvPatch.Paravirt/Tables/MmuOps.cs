using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Layout;
using static PvPatch.Engine.Ops.PvOpClass;

namespace PvPatch.Paravirt.Tables;

/// <summary>
/// Memory ops (<c>pv_ops.mmu</c>). Page frame numbers are physical addresses divided by 4096. Entries are the 64-bit
/// formats of Intel SDM vol. 3, 4.5; pointers to entries are host addresses inside guest RAM.
/// With four levels the top table's entries are the p4d ones (the fifth level is folded).
/// </summary>
public unsafe struct MmuOps
{
    [PvOp("mmu.flush_tlb_user", PatchedCall, "Drops this CPU's user translations")]
    public delegate* unmanaged<CpuState*, void> FlushTlbUser;

    [PvOp("mmu.flush_tlb_kernel", PatchedCall, "Drops all translations of this CPU, global ones too")]
    public delegate* unmanaged<CpuState*, void> FlushTlbKernel;

    [PvOp("mmu.flush_tlb_one_user", PatchedCall, "Drops this CPU's translation of one linear address")]
    public delegate* unmanaged<CpuState*, ulong, void> FlushTlbOneUser;

    [PvOp("mmu.flush_tlb_multi", PatchedCall, "Drops translations on several CPUs (bit mask, what)")]
    public delegate* unmanaged<CpuState*, ulong, FlushTlbInfo*, void> FlushTlbMulti;

    [PvOp("mmu.tlb_remove_table", PatchedCall, "Frees a page table when no CPU walks it any more (gather, page frame)")]
    public delegate* unmanaged<CpuState*, MmuGather*, ulong, void> TlbRemoveTable;

    [PvOp("mmu.exit_mmap", PatchedCall, "An address space goes away (page frame of its top table)")]
    public delegate* unmanaged<CpuState*, ulong, void> ExitMmap;

    [PvOp("mmu.notify_page_enc_status_changed", PatchedCall, "Pages became shared with, or private from, the hypervisor (page frame, count, private)")]
    public delegate* unmanaged<CpuState*, ulong, ulong, uint, void> NotifyPageEncStatusChanged;

    [PvOp("mmu.read_cr2", PatchedCall | AssemblyMacro, "Reads the address of the last page fault")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr2;

    [PvOp("mmu.write_cr2", PatchedCall, "Writes CR2")]
    public delegate* unmanaged<CpuState*, ulong, void> WriteCr2;

    [PvOp("mmu.read_cr3", PatchedCall, "Reads CR3")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr3;

    [PvOp("mmu.write_cr3", PatchedCall, "Writes CR3: switches the address space")]
    public delegate* unmanaged<CpuState*, ulong, void> WriteCr3;

    [PvOp("mmu.enter_mmap", PatchedCall, "An address space is used for the first time (page frame of its top table)")]
    public delegate* unmanaged<CpuState*, ulong, void> EnterMmap;

    [PvOp("mmu.pgd_alloc", PatchedCall, "A page becomes a top table (page frame); not 0 refuses")]
    public delegate* unmanaged<CpuState*, ulong, int> PgdAlloc;

    [PvOp("mmu.pgd_free", PatchedCall, "A page stops being a top table (page frame)")]
    public delegate* unmanaged<CpuState*, ulong, void> PgdFree;

    [PvOp("mmu.alloc_pte", PatchedCall, "A page becomes a page table (page frame)")]
    public delegate* unmanaged<CpuState*, ulong, void> AllocPte;

    [PvOp("mmu.alloc_pmd", PatchedCall, "A page becomes a page directory (page frame)")]
    public delegate* unmanaged<CpuState*, ulong, void> AllocPmd;

    [PvOp("mmu.alloc_pud", PatchedCall, "A page becomes a page directory pointer table (page frame)")]
    public delegate* unmanaged<CpuState*, ulong, void> AllocPud;

    [PvOp("mmu.release_pte", PatchedCall, "A page stops being a page table (page frame)")]
    public delegate* unmanaged<CpuState*, ulong, void> ReleasePte;

    [PvOp("mmu.release_pmd", PatchedCall, "A page stops being a page directory (page frame)")]
    public delegate* unmanaged<CpuState*, ulong, void> ReleasePmd;

    [PvOp("mmu.release_pud", PatchedCall, "A page stops being a page directory pointer table (page frame)")]
    public delegate* unmanaged<CpuState*, ulong, void> ReleasePud;

    [PvOp("mmu.set_pte", PatchedCall, "Writes a page table entry")]
    public delegate* unmanaged<CpuState*, ulong*, ulong, void> SetPte;

    [PvOp("mmu.set_pmd", PatchedCall, "Writes a page directory entry")]
    public delegate* unmanaged<CpuState*, ulong*, ulong, void> SetPmd;

    [PvOp("mmu.set_pud", PatchedCall, "Writes a page directory pointer table entry")]
    public delegate* unmanaged<CpuState*, ulong*, ulong, void> SetPud;

    [PvOp("mmu.set_p4d", PatchedCall, "Writes a top table entry")]
    public delegate* unmanaged<CpuState*, ulong*, ulong, void> SetP4d;

    [PvOp("mmu.ptep_modify_prot_start", PatchedCall, "Begins a change of a live entry's flags; returns the entry, which is not present meanwhile")]
    public delegate* unmanaged<CpuState*, ulong, ulong*, ulong> PtepModifyProtStart;

    [PvOp("mmu.ptep_modify_prot_commit", PatchedCall, "Ends a change of a live entry's flags (linear address, entry, new value)")]
    public delegate* unmanaged<CpuState*, ulong, ulong*, ulong, void> PtepModifyProtCommit;

    [PvOp("mmu.pte_val", PatchedCall, "An entry as the kernel's number")]
    public delegate* unmanaged<ulong, ulong> PteVal;

    [PvOp("mmu.make_pte", PatchedCall, "A number as the hypervisor's entry")]
    public delegate* unmanaged<ulong, ulong> MakePte;

    [PvOp("mmu.pmd_val", PatchedCall, "A page directory entry as the kernel's number")]
    public delegate* unmanaged<ulong, ulong> PmdVal;

    [PvOp("mmu.make_pmd", PatchedCall, "A number as the hypervisor's page directory entry")]
    public delegate* unmanaged<ulong, ulong> MakePmd;

    [PvOp("mmu.pud_val", PatchedCall, "A page directory pointer table entry as the kernel's number")]
    public delegate* unmanaged<ulong, ulong> PudVal;

    [PvOp("mmu.make_pud", PatchedCall, "A number as the hypervisor's page directory pointer table entry")]
    public delegate* unmanaged<ulong, ulong> MakePud;

    [PvOp("mmu.p4d_val", PatchedCall, "A top table entry as the kernel's number")]
    public delegate* unmanaged<ulong, ulong> P4dVal;

    [PvOp("mmu.make_p4d", PatchedCall, "A number as the hypervisor's top table entry")]
    public delegate* unmanaged<ulong, ulong> MakeP4d;

    [PvOp("mmu.lazy_mode.enter", PatchedCall, "Opens a window in which entry changes may be batched")]
    public delegate* unmanaged<CpuState*, void> LazyModeEnter;

    [PvOp("mmu.lazy_mode.leave", PatchedCall, "Closes the window; what was batched is done")]
    public delegate* unmanaged<CpuState*, void> LazyModeLeave;

    [PvOp("mmu.lazy_mode.flush", PatchedCall, "Does what was batched and keeps the window open")]
    public delegate* unmanaged<CpuState*, void> LazyModeFlush;

    [PvOp("mmu.set_fixmap", SimpleIndirectCall, "Maps a page at a fixed linear address (slot number, physical address, flags)")]
    public delegate* unmanaged<CpuState*, uint, ulong, ulong, void> SetFixmap;
}
