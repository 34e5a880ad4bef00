using PvPatch.Emulator.State;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Memory;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Log;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Cpus;

/// <summary>
/// The other CPU. The machine runs it in slices, while the boot CPU pauses or halts, as a hypervisor does that has fewer
/// processors than CPUs: between its slices it is preempted. It takes and releases locks on demand, so that the boot CPU
/// meets what paravirtual locks are for: a lock whose holder does not run.
/// </summary>
public static unsafe class SecondCpu
{
    /// <summary>Its number.</summary>
    public const int Number = 1;

    private const int TakeLock = 1;
    private const int ReleaseLock = 2;
    private const int MostPauses = 1_000_000;
    private const ulong IcrStartup = 6ul << 8;
    private const ulong IcrInit = 5ul << 8;

    /// <summary>Starts it by INIT and startup IPIs, and waits until it is up.</summary>
    /// <returns>Whether it came up.</returns>
    public static bool Start(CpuState* cpu)
    {
        *MemoryLayout.At<ulong>(cpu, MemoryLayout.StartPage) = (ulong)(delegate*<CpuState*, void>)&Slice;
        PerCpu.Of(cpu, Number)->IsOnline = 0;
        PvCpu.WriteMsr(cpu, Msr.X2ApicIcr, ((ulong)Number << 32) | IcrInit);
        PvCpu.WriteMsr(cpu, Msr.X2ApicIcr, ((ulong)Number << 32) | IcrStartup | (MemoryLayout.StartPage >> MemoryLayout.PageShift));
        return Await(cpu, &PerCpu.Of(cpu, Number)->IsOnline, 1);
    }

    /// <summary>Makes it take a lock and lose its processor while it holds it. In its next slice it releases the lock.</summary>
    /// <returns>Whether it holds the lock now.</returns>
    public static bool TakeAndBePreempted(CpuState* cpu, QSpinLock* spinLock)
    {
        PerCpu* other = PerCpu.Of(cpu, Number);
        other->WorkArgument = MemoryLayout.Physical(cpu, spinLock);
        Volatile.Write(ref other->Work, TakeLock);
        PvIrq.SendIpiMask(cpu, 1ul << Number, IrqVectors.Reschedule);
        return Await(cpu, &other->Work, ReleaseLock);
    }

    /// <summary>Waits until it has nothing left to do.</summary>
    public static bool AwaitIdle(CpuState* cpu) => Await(cpu, &PerCpu.Of(cpu, Number)->Work, 0);

    private static bool Await(CpuState* cpu, int* location, int value)
    {
        for (int i = 0; i < MostPauses; i++)
        {
            if (Volatile.Read(ref *location) == value)
                return true;
            Instructions.Pause(cpu);
        }

        return false;
    }

    /// <summary>One slice on the second CPU; returning is losing the processor.</summary>
    private static void Slice(CpuState* cpu)
    {
        PerCpu* self = PerCpu.Of(cpu, cpu->Index);
        if (self->IsOnline == 0)
        {
            SetUp(cpu);
            return;
        }

        QSpinLock* spinLock = MemoryLayout.At<QSpinLock>(cpu, self->WorkArgument);
        switch (self->Work)
        {
            case TakeLock:
                KernelLock.Acquire(cpu, spinLock);
                self->Work = ReleaseLock;
                break;
            case ReleaseLock:
                KernelLock.Release(cpu, spinLock);
                self->Work = 0;
                PvIrq.SafeHalt(cpu);
                break;
            default:
                PvIrq.SafeHalt(cpu);
                break;
        }
    }

    private static void SetUp(CpuState* cpu)
    {
        CpuSetup.InitPerCpu(cpu, PerCpu.Of(cpu, 0)->CpuCount);
        PerCpu* self = PerCpu.Of(cpu);
        PerCpu* boot = PerCpu.Of(cpu, 0);
        self->TscKhz = boot->TscKhz;
        self->TscStart = boot->TscStart;
        self->TscToNanoseconds = boot->TscToNanoseconds;
        AddressSpace.EnablePaging(cpu);
        CpuSetup.Init(cpu);
        PvIrq.InitIrq(cpu);
        PvInit.GuestLateInit(cpu);
        KernelLog.Print(cpu, $"smpboot: CPU{cpu->Index} is up");
        PvIrq.Enable(cpu);
        Volatile.Write(ref self->IsOnline, 1);
        PvIrq.SafeHalt(cpu);
    }
}
