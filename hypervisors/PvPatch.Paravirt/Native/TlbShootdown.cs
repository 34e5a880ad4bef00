using System.Numerics;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Native;

/// <summary>Makes other CPUs drop translations: a request in each CPU's page, an interrupt, and a wait until all have done it (Linux: mm/tlb.c).</summary>
public static unsafe class TlbShootdown
{
    /// <summary>Asks the CPUs of a bit mask and returns when none of them uses the translations any more.</summary>
    public static void Request(CpuState* cpu, ulong cpus, FlushTlbInfo* info)
    {
        ulong self = 1ul << cpu->Index;
        ulong others = cpus & ~self;
        for (ulong rest = others; rest != 0; rest &= rest - 1)
        {
            PerCpu* other = PerCpu.Of(cpu, BitOperations.TrailingZeroCount(rest));
            other->FlushRequest = *info;
            Volatile.Write(ref other->FlushPending, 1);
        }

        if (others != 0)
            PvIrq.SendIpiMask(cpu, others, IrqVectors.InvalidateTlb);
        if ((cpus & self) != 0)
            FlushHere(cpu, info);
        for (; others != 0; others &= others - 1)
        {
            while (Volatile.Read(ref PerCpu.Of(cpu, BitOperations.TrailingZeroCount(others))->FlushPending) != 0)
                Instructions.Pause(cpu);
        }
    }

    /// <summary>Does what another CPU asked this one for; called by the interrupt handler.</summary>
    public static void Serve(CpuState* cpu)
    {
        PerCpu* self = PerCpu.Of(cpu);
        if (self->FlushPending == 0)
            return;
        FlushHere(cpu, &self->FlushRequest);
        Volatile.Write(ref self->FlushPending, 0);
    }

    /// <summary>Drops the translations on this CPU.</summary>
    public static void FlushHere(CpuState* cpu, FlushTlbInfo* info)
    {
        if (info->IsFull)
        {
            PvMmu.FlushTlbUser(cpu);
            return;
        }

        for (ulong address = info->Start; address < info->End; address += MemoryLayout.PageSize)
            PvMmu.FlushTlbOneUser(cpu, address);
    }
}
