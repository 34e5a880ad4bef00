using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Native;

/// <summary>Memory ops as the bare hardware does them (Linux: native_* in asm/pgtable_64.h, mm/tlb.c, mm/pgtable.c).</summary>
internal static unsafe class NativeMmu
{
    private const ulong Cr4Pge = 1ul << 7;

    public static void FlushTlbUser(CpuState* cpu) => Instructions.MovToCr(cpu, 3, cpu->Cr3);

    public static void FlushTlbKernel(CpuState* cpu)
    {
        ulong cr4 = cpu->Cr4;
        Instructions.MovToCr(cpu, 4, cr4 ^ Cr4Pge);
        Instructions.MovToCr(cpu, 4, cr4);
    }

    public static void FlushTlbOneUser(CpuState* cpu, ulong address) => cpu->Sensitive->Invlpg(cpu, address);

    public static void FlushTlbMulti(CpuState* cpu, ulong cpus, FlushTlbInfo* info) => TlbShootdown.Request(cpu, cpus, info);

    /// <summary>The flush's interrupts prove that no other CPU walks the table any more, so it is freed with the flush.</summary>
    public static void TlbRemoveTable(CpuState* cpu, MmuGather* gather, ulong frame) => gather->Tables[gather->Count++] = frame;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadCr2(CpuState* cpu) => cpu->Cr2;

    public static void WriteCr2(CpuState* cpu, ulong value) => cpu->Cr2 = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadCr3(CpuState* cpu) => cpu->Cr3;

    public static void WriteCr3(CpuState* cpu, ulong value) => Instructions.MovToCr(cpu, 3, value);

    /// <summary>One store: the entry of any level (Linux: native_set_pte, _pmd, _pud, _p4d are all WRITE_ONCE).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetEntry(CpuState* cpu, ulong* entry, ulong value) => Volatile.Write(ref *entry, value);

    public static ulong PtepModifyProtStart(CpuState* cpu, ulong address, ulong* entry) => Interlocked.Exchange(ref *entry, 0);

    public static void PtepModifyProtCommit(CpuState* cpu, ulong address, ulong* entry, ulong value) => PvMmu.SetPte(cpu, entry, value);

    public static void SetFixmap(CpuState* cpu, uint slot, ulong address, ulong flags)
    {
        ulong linear = MemoryLayout.Fixmap(slot);
        ulong* entry = MemoryLayout.At<ulong>(cpu, MemoryLayout.FixmapTable) + (linear >> MemoryLayout.PageShift & 0x1ff);
        PvMmu.SetPte(cpu, entry, PvMmu.MakePte(address | flags));
        PvMmu.FlushTlbOneUser(cpu, linear);
    }
}
