namespace PvPatch.Tool;

/// <summary>Measures a workload: enough rounds to be long against the clock, runs that compile what has not run yet, then the median of several runs. Times are CPU time of the process: others on the machine do not count.</summary>
/// <param name="run">Runs so many rounds and returns the checksum.</param>
internal sealed class WorkloadMeter(Func<int, ulong> run)
{
    /// <summary>Rounds of the run whose checksum is shown.</summary>
    internal const int ChecksumRounds = 100;

    private const double TargetMilliseconds = 150;      // a run through the slots
    private const int FewestRounds = 16;
    private const int MostRounds = 1 << 28;
    private const int WarmUps = 2;
    private const int Runs = 7;
    private const int MostRepeats = 32;

    /// <summary>Finds how many rounds take about a sixth of a second.</summary>
    public int FindRounds()
    {
        run(FewestRounds);                              // compiles; its time says nothing
        for (int rounds = FewestRounds; ; rounds *= 4)
        {
            (_, double milliseconds) = Time(rounds);
            if (milliseconds >= TargetMilliseconds / 8 || rounds >= MostRounds / 4)
                return (int)Math.Clamp(rounds * TargetMilliseconds / milliseconds, FewestRounds, MostRounds);
        }
    }

    /// <summary>Warms up and measures.</summary>
    public WorkloadTiming Measure(int rounds)
    {
        ulong checksum = run(ChecksumRounds);
        for (int i = 0; i < WarmUps; i++)
            run(rounds);
        // A patched run may take a few milliseconds only: as many in a row as make a figure that noise does not move.
        (_, double once) = Time(rounds);
        int repeats = (int)Math.Clamp(TargetMilliseconds / 2 / Math.Max(once, 0.1), 1, MostRepeats);
        var times = new double[Runs];
        ulong timed = 0;
        for (int i = 0; i < Runs; i++)
            (timed, times[i]) = Time(rounds, repeats);
        return new WorkloadTiming(checksum, timed, times);
    }

    private (ulong Checksum, double Milliseconds) Time(int rounds, int repeats = 1)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        ulong checksum = 0;
        for (int i = 0; i < repeats; i++)
            checksum = run(rounds);
        return (checksum, (Environment.CpuUsage.TotalTime - start).TotalMilliseconds / repeats);
    }
}
