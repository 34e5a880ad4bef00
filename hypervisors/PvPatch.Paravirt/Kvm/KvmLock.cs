using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Kvm;

/// <summary>A CPU that waits for a lock halts; whoever releases the lock kicks it by hypercall (Linux: kvm_wait, kvm_kick_cpu, arch/x86/kernel/kvm.c).</summary>
internal static unsafe class KvmLock
{
    public static void Wait(CpuState* cpu, byte* location, byte value)
    {
        if ((PvIrq.SaveFlags(cpu) & RFlags.InterruptEnable) == 0)
        {
            if (Volatile.Read(ref *location) == value)
                Block(cpu, interruptsOn: false);
            return;
        }

        PvIrq.Disable(cpu);
        if (Volatile.Read(ref *location) == value)
            Block(cpu, interruptsOn: true);             // enables interrupts
        else
            PvIrq.Enable(cpu);
    }

    public static void Kick(CpuState* cpu, int number)
    {
        PerCpu.Of(cpu)->LockKicks++;
        KvmCall.Invoke(cpu, KvmHypercall.KickCpu, 0, (ulong)number);
    }

    public static uint VcpuIsPreempted(CpuState* cpu, int number) =>
        Volatile.Read(ref KvmPerCpu.Of(cpu, number)->StealTime.Preempted) & (uint)KvmStealTime.PreemptedBit;

    private static void Block(CpuState* cpu, bool interruptsOn)
    {
        PerCpu.Of(cpu)->LockWaits++;
        if (interruptsOn)
            PvIrq.SafeHalt(cpu);
        else
            PvIrq.Halt(cpu);
    }
}
