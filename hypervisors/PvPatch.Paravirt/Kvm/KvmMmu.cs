using System.Numerics;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Native;

namespace PvPatch.Paravirt.Kvm;

/// <summary>Memory ops under KVM (Linux: arch/x86/kernel/kvm.c).</summary>
internal static unsafe class KvmMmu
{
    /// <summary>A CPU that does not run need not be interrupted: a bit in its steal time record makes the host flush it before it runs again.</summary>
    public static void FlushTlbMulti(CpuState* cpu, ulong cpus, FlushTlbInfo* info)
    {
        for (ulong rest = cpus & ~(1ul << cpu->Index); rest != 0; rest &= rest - 1)
        {
            int number = BitOperations.TrailingZeroCount(rest);
            byte* preempted = &KvmPerCpu.Of(cpu, number)->StealTime.Preempted;
            byte state = Volatile.Read(ref *preempted);
            if ((state & KvmStealTime.PreemptedBit) != 0
                && Interlocked.CompareExchange(ref *preempted, (byte)(state | KvmStealTime.FlushTlbBit), state) == state)
                cpus &= ~(1ul << number);
        }

        if (cpus != 0)
            TlbShootdown.Request(cpu, cpus, info);
    }

    /// <summary>Without an interrupt to every CPU nothing proves that the table is not walked: it waits for a grace period.</summary>
    public static void TlbRemoveTable(CpuState* cpu, MmuGather* gather, ulong frame) => gather->Deferred[gather->DeferredCount++] = frame;

    public static void NotifyPageEncStatusChanged(CpuState* cpu, ulong frame, ulong count, uint isPrivate) =>
        KvmCall.Invoke(cpu, KvmHypercall.MapGpaRange, frame << MemoryLayout.PageShift, count, isPrivate != 0 ? KvmHypercall.MapGpaEncrypted : 0);
}
