using PvPatch.GuestOs.Tasks;

namespace PvPatch.GuestOs.Workloads;

/// <summary>A bit of everything, in an order that the seed decides, with a nap now and then so that the CPU idles.</summary>
internal static class MixedWorkload
{
    private const int Kinds = 5;
    private const ulong Nap = 2_000_000;    // nanoseconds

    public static IEnumerable<TaskStep> Run(CpuHandle cpu, Scheduler scheduler, WorkloadSum sum, Randomness random, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            int kind = random.Next(Kinds);
            sum.Add((ulong)kind);
            if (kind == Kinds - 1)
            {
                if (i % 16 == 0)
                    yield return TaskStep.Sleep(Nap);
                continue;
            }

            Randomness own = new(random.Next());
            IEnumerable<TaskStep> body = kind switch
            {
                0 => IrqWorkload.Run(cpu, sum, 1_000),
                1 => SwitchWorkload.Run(cpu, scheduler, sum, own, 50),
                2 => LockWorkload.Run(cpu, sum, own, 500),
                _ => MmuWorkload.Run(cpu, sum, own, 2),
            };
            foreach (TaskStep step in body)
                yield return step;
        }
    }
}
