using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Tables;

namespace PvPatch.Paravirt.Wrappers;

/// <summary>What the kernel calls: one small inlined wrapper a slot of <see cref="MmuOps"/>, like Linux's static inlines in asm/paravirt.h. Each is that op's only call site.</summary>
public static unsafe class PvMmu
{
    /// <summary>Drops this CPU's user translations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FlushTlbUser(CpuState* cpu) => Pv.Mmu.FlushTlbUser(cpu);

    /// <summary>Drops all translations of this CPU, global ones too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FlushTlbKernel(CpuState* cpu) => Pv.Mmu.FlushTlbKernel(cpu);

    /// <summary>Drops this CPU's translation of one linear address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FlushTlbOneUser(CpuState* cpu, ulong address) => Pv.Mmu.FlushTlbOneUser(cpu, address);

    /// <summary>Drops translations on several CPUs (bit mask, what).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FlushTlbMulti(CpuState* cpu, ulong cpus, FlushTlbInfo* info) => Pv.Mmu.FlushTlbMulti(cpu, cpus, info);

    /// <summary>Frees a page table when no CPU walks it any more (gather, page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TlbRemoveTable(CpuState* cpu, MmuGather* gather, ulong frame) => Pv.Mmu.TlbRemoveTable(cpu, gather, frame);

    /// <summary>An address space goes away (page frame of its top table).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ExitMmap(CpuState* cpu, ulong frame) => Pv.Mmu.ExitMmap(cpu, frame);

    /// <summary>Pages became shared with, or private from, the hypervisor (page frame, count, private).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NotifyPageEncStatusChanged(CpuState* cpu, ulong frame, ulong count, uint isPrivate) => Pv.Mmu.NotifyPageEncStatusChanged(cpu, frame, count, isPrivate);

    /// <summary>Reads the address of the last page fault.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadCr2(CpuState* cpu) => Pv.Mmu.ReadCr2(cpu);

    /// <summary>Writes CR2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteCr2(CpuState* cpu, ulong value) => Pv.Mmu.WriteCr2(cpu, value);

    /// <summary>Reads CR3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadCr3(CpuState* cpu) => Pv.Mmu.ReadCr3(cpu);

    /// <summary>Writes CR3: switches the address space.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteCr3(CpuState* cpu, ulong value) => Pv.Mmu.WriteCr3(cpu, value);

    /// <summary>An address space is used for the first time (page frame of its top table).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EnterMmap(CpuState* cpu, ulong frame) => Pv.Mmu.EnterMmap(cpu, frame);

    /// <summary>A page becomes a top table (page frame); not 0 refuses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PgdAlloc(CpuState* cpu, ulong frame) => Pv.Mmu.PgdAlloc(cpu, frame);

    /// <summary>A page stops being a top table (page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PgdFree(CpuState* cpu, ulong frame) => Pv.Mmu.PgdFree(cpu, frame);

    /// <summary>A page becomes a page table (page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AllocPte(CpuState* cpu, ulong frame) => Pv.Mmu.AllocPte(cpu, frame);

    /// <summary>A page becomes a page directory (page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AllocPmd(CpuState* cpu, ulong frame) => Pv.Mmu.AllocPmd(cpu, frame);

    /// <summary>A page becomes a page directory pointer table (page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AllocPud(CpuState* cpu, ulong frame) => Pv.Mmu.AllocPud(cpu, frame);

    /// <summary>A page stops being a page table (page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleasePte(CpuState* cpu, ulong frame) => Pv.Mmu.ReleasePte(cpu, frame);

    /// <summary>A page stops being a page directory (page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleasePmd(CpuState* cpu, ulong frame) => Pv.Mmu.ReleasePmd(cpu, frame);

    /// <summary>A page stops being a page directory pointer table (page frame).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleasePud(CpuState* cpu, ulong frame) => Pv.Mmu.ReleasePud(cpu, frame);

    /// <summary>Writes a page table entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetPte(CpuState* cpu, ulong* entry, ulong value) => Pv.Mmu.SetPte(cpu, entry, value);

    /// <summary>Writes a page directory entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetPmd(CpuState* cpu, ulong* entry, ulong value) => Pv.Mmu.SetPmd(cpu, entry, value);

    /// <summary>Writes a page directory pointer table entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetPud(CpuState* cpu, ulong* entry, ulong value) => Pv.Mmu.SetPud(cpu, entry, value);

    /// <summary>Writes a top table entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetP4d(CpuState* cpu, ulong* entry, ulong value) => Pv.Mmu.SetP4d(cpu, entry, value);

    /// <summary>Begins a change of a live entry's flags; returns the entry, which is not present meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PtepModifyProtStart(CpuState* cpu, ulong address, ulong* entry) => Pv.Mmu.PtepModifyProtStart(cpu, address, entry);

    /// <summary>Ends a change of a live entry's flags (linear address, entry, new value).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PtepModifyProtCommit(CpuState* cpu, ulong address, ulong* entry, ulong value) => Pv.Mmu.PtepModifyProtCommit(cpu, address, entry, value);

    /// <summary>An entry as the kernel's number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PteVal(ulong value) => Pv.Mmu.PteVal(value);

    /// <summary>A number as the hypervisor's entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MakePte(ulong value) => Pv.Mmu.MakePte(value);

    /// <summary>A page directory entry as the kernel's number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PmdVal(ulong value) => Pv.Mmu.PmdVal(value);

    /// <summary>A number as the hypervisor's page directory entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MakePmd(ulong value) => Pv.Mmu.MakePmd(value);

    /// <summary>A page directory pointer table entry as the kernel's number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PudVal(ulong value) => Pv.Mmu.PudVal(value);

    /// <summary>A number as the hypervisor's page directory pointer table entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MakePud(ulong value) => Pv.Mmu.MakePud(value);

    /// <summary>A top table entry as the kernel's number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong P4dVal(ulong value) => Pv.Mmu.P4dVal(value);

    /// <summary>A number as the hypervisor's top table entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong MakeP4d(ulong value) => Pv.Mmu.MakeP4d(value);

    /// <summary>Opens a window in which entry changes may be batched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LazyModeEnter(CpuState* cpu) => Pv.Mmu.LazyModeEnter(cpu);

    /// <summary>Closes the window; what was batched is done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LazyModeLeave(CpuState* cpu) => Pv.Mmu.LazyModeLeave(cpu);

    /// <summary>Does what was batched and keeps the window open.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LazyModeFlush(CpuState* cpu) => Pv.Mmu.LazyModeFlush(cpu);

    /// <summary>Maps a page at a fixed linear address (slot number, physical address, flags).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetFixmap(CpuState* cpu, uint slot, ulong address, ulong flags) => Pv.Mmu.SetFixmap(cpu, slot, address, flags);
}
