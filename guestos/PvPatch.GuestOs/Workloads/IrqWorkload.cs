using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Tasks;

namespace PvPatch.GuestOs.Workloads;

/// <summary>
/// What every kernel does most: sections without interrupts, one inside the other. A round is eight of them; nothing else
/// is in the loop, so it shows what the ops cost. The clock's interrupt comes in between.
/// </summary>
internal static unsafe class IrqWorkload
{
    private const int RoundsPerStep = 200_000;

    public static IEnumerable<TaskStep> Run(CpuHandle cpu, WorkloadSum sum, int rounds)
    {
        for (int done = 0; done < rounds; done += RoundsPerStep)
        {
            sum.Add(Sections(cpu, Math.Min(RoundsPerStep, rounds - done)));
            yield return TaskStep.Yield;
        }
    }

    /// <summary>Sections with one inside: save, disable, save, disable, enable, five ops each.</summary>
    /// <returns>How many times the flag was right: on outside, off inside.</returns>
    private static ulong Sections(CpuHandle handle, int rounds)
    {
        CpuState* cpu = handle.State;
        ulong right = 0;
        for (int i = 0; i < rounds; i++)
        {
            right += Section(cpu);
            right += Section(cpu);
            right += Section(cpu);
            right += Section(cpu);
            right += Section(cpu);
            right += Section(cpu);
            right += Section(cpu);
            right += Section(cpu);
        }

        return right;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Section(CpuState* cpu)
    {
        ulong outer = InterruptFlag.Save(cpu);
        ulong inner = InterruptFlag.Save(cpu);
        InterruptFlag.Restore(cpu, inner);
        InterruptFlag.Restore(cpu, outer);
        return ((outer & ~inner) / RFlags.InterruptEnable) & 1;
    }
}
