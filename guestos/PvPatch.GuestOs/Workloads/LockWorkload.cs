using PvPatch.Emulator.State;
using PvPatch.GuestOs.Cpus;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tasks;
using PvPatch.Paravirt.Layout;

namespace PvPatch.GuestOs.Workloads;

/// <summary>
/// A counter under a spin lock. Mostly the lock is free; now and then the other CPU holds it and does not run, and the
/// boot CPU has to wait: spinning on bare hardware, blocked until the kick on a hypervisor.
/// </summary>
internal static unsafe class LockWorkload
{
    private const int RoundsPerStep = 2_000;
    private const int SectionsPerRound = 8;
    private const int ContentionEvery = 1_000;

    public static IEnumerable<TaskStep> Run(CpuHandle cpu, WorkloadSum sum, Randomness random, int rounds)
    {
        ulong page = Allocate(cpu);
        for (int done = 0; done < rounds; done += RoundsPerStep)
        {
            sum.Add(Sections(cpu, page, ref random, Math.Min(RoundsPerStep, rounds - done)));
            yield return TaskStep.Yield;
        }

        Free(cpu, page);
    }

    private static ulong Sections(CpuHandle handle, ulong page, ref Randomness random, int rounds)
    {
        CpuState* cpu = handle.State;
        QSpinLock* spinLock = MemoryLayout.At<QSpinLock>(cpu, page);
        ulong* counter = (ulong*)(spinLock + 2);
        bool isContended = PerCpu.Of(cpu)->CpuCount > 1;
        ulong add = random.Next() | 1;
        for (int i = 0; i < rounds; i++)
        {
            if (i % ContentionEvery == 0 && isContended && !SecondCpu.TakeAndBePreempted(cpu, spinLock))
                Panic.Stop(cpu, "The second CPU does not take the lock");
            for (int section = 0; section < SectionsPerRound; section++)
            {
                ulong flags = KernelLock.AcquireSave(cpu, spinLock);
                *counter += add;
                KernelLock.ReleaseRestore(cpu, spinLock, flags);
            }
        }

        return *counter;
    }

    private static ulong Allocate(CpuHandle cpu) => PageAllocator.Allocate(cpu.State);

    private static void Free(CpuHandle cpu, ulong page) => PageAllocator.Free(cpu.State, page);
}
