using System.Runtime.InteropServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Layout;

namespace PvPatch.GuestOs.Tests.Kit;

/// <summary>
/// CPUs that really run at the same time, each on a host thread, without a machine: PAUSE lets the host schedule, HLT
/// sleeps until a kick, the kick hypercall wakes. What queued locks need and nothing more.
/// </summary>
internal sealed unsafe class HostThreadCpus : IDisposable
{
    private static SemaphoreSlim[] _kicks = [];

    private readonly PhysicalMemory _memory = new(PhysicalMemory.MinSize);
    private readonly CpuState* _states;
    private readonly SensitiveOps* _ops;

    public HostThreadCpus(int count)
    {
        _kicks = [.. Enumerable.Range(0, count).Select(_ => new SemaphoreSlim(0))];

        // SAFETY: both blocks are zeroed, sized for what they hold and freed in Dispose, when the threads have ended.
        _states = (CpuState*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(CpuState));
        _ops = (SensitiveOps*)NativeMemory.AllocZeroed((nuint)sizeof(SensitiveOps));
        _ops->Pause = &Pause;
        _ops->Hlt = &Halt;
        _ops->Vmcall = &Vmcall;
        for (int number = 0; number < count; number++)
        {
            CpuState* cpu = Cpu(number);
            cpu->Index = number;
            cpu->Ram = _memory.Base;
            cpu->RamSize = _memory.Size;
            cpu->Sensitive = _ops;
            cpu->Gs.Base = MemoryLayout.Linear(PerCpu.AddressOf(number));
            PerCpu.Of(cpu)->Number = number;
            PerCpu.Of(cpu)->CpuCount = count;
        }
    }

    /// <summary>The lock that they fight for, in guest memory.</summary>
    public QSpinLock* Lock => MemoryLayout.At<QSpinLock>(Cpu(0), MemoryLayout.FirstFree);

    public CpuState* Cpu(int number) => _states + number;

    /// <summary>Tells every CPU that a CPU is preempted, as a host does: who waits for it blocks at once.</summary>
    public void SetPreempted(int number) => KvmPerCpu.Of(Cpu(0), number)->StealTime.Preempted = KvmStealTime.PreemptedBit;

    /// <summary>Runs code on a CPU's own thread.</summary>
    public Thread Start(int number, GuestCode code)
    {
        var cpu = (nint)Cpu(number);
        var thread = new Thread(() => code((CpuState*)cpu)) { IsBackground = true, Name = $"CPU {number}" };
        thread.Start();
        return thread;
    }

    public void Dispose()
    {
        NativeMemory.Free(_states);
        NativeMemory.Free(_ops);
        _memory.Dispose();
    }

    [UnmanagedCallersOnly]
    private static void Pause(CpuState* cpu) => Thread.Yield();

    [UnmanagedCallersOnly]
    private static void Halt(CpuState* cpu) => _kicks[cpu->Index].Wait();

    [UnmanagedCallersOnly]
    private static uint Vmcall(CpuState* cpu)
    {
        if (cpu->Rax == KvmHypercall.KickCpu)
            _kicks[cpu->Rcx].Release();
        cpu->Rax = 0;
        return 0;
    }
}
