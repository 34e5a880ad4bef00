using System.Numerics;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Kvm;

/// <summary>APIC operations under KVM (Linux: kvm_guest_apic_eoi_write, __send_ipi_mask, arch/x86/kernel/kvm.c).</summary>
internal static unsafe class KvmIrq
{
    /// <summary>If the host set the word's bit, clearing it is the end of interrupt: no exit.</summary>
    public static void Eoi(CpuState* cpu)
    {
        // One atomic instruction, because the host may inject between a test and a clear.
        if ((Interlocked.And(ref KvmPerCpu.Of(cpu)->Eoi, ~1u) & 1) == 0)
            PvCpu.WriteMsr(cpu, Msr.X2ApicEoi, 0);
    }

    /// <summary>One hypercall for all CPUs of the mask.</summary>
    public static void SendIpiMask(CpuState* cpu, ulong cpus, uint vector)
    {
        if (cpus == 0)
            return;
        int lowest = BitOperations.TrailingZeroCount(cpus);
        KvmCall.Invoke(cpu, KvmHypercall.SendIpi, cpus >> lowest, 0, (ulong)lowest, vector);
    }
}
