using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tasks;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Workloads;

/// <summary>Context switches: four tasks, two of them in address spaces of their own, pass the CPU on; a fifth waits for them all.</summary>
internal static class SwitchWorkload
{
    private const int Tasks = 4;

    public static IEnumerable<TaskStep> Run(CpuHandle cpu, Scheduler scheduler, WorkloadSum sum, Randomness random, int rounds)
    {
        int[] pids = new int[Tasks];
        ulong[] spaces = new ulong[Tasks];
        for (int i = 0; i < Tasks; i++)
        {
            spaces[i] = i % 2 == 0 ? 0 : NewSpace(cpu);
            pids[i] = scheduler.Create(Worker(cpu, sum, (ulong)i, rounds + random.Next(4), spaces[i]), spaces[i]);
        }

        foreach (int pid in pids)
            yield return TaskStep.Wait(pid);
        foreach (ulong space in spaces)
        {
            if (space != 0)
                Destroy(cpu, space);
        }
    }

    private static IEnumerable<TaskStep> Worker(CpuHandle cpu, WorkloadSum sum, ulong number, int rounds, ulong space)
    {
        for (int i = 0; i < rounds; i++)
        {
            sum.Add(number << 32 | (uint)i);
            if (space != 0 && !IsIn(cpu, space))
                sum.Add(ulong.MaxValue);                // in a wrong address space: the checksum shows it
            yield return TaskStep.Yield;
        }
    }

    private static unsafe ulong NewSpace(CpuHandle cpu) => AddressSpace.Create(cpu.State);

    private static unsafe void Destroy(CpuHandle cpu, ulong space) => AddressSpace.Destroy(cpu.State, space);

    private static unsafe bool IsIn(CpuHandle cpu, ulong space) => PvMmu.ReadCr3(cpu.State) == space;
}
