using System.Diagnostics;

namespace PvPatch.Tool;

/// <summary>Measures a workload until the runtime has compiled it for good: enough rounds to be long against the clock, warm-up, then the median of several runs.</summary>
/// <param name="run">Runs so many rounds and returns the checksum.</param>
internal sealed class WorkloadMeter(Func<int, ulong> run)
{
    private const double TargetMilliseconds = 150;      // a run through the slots
    private const double WarmUpMilliseconds = 500;      // the runtime promotes hot methods within some 100 ms
    private const int FewestWarmUps = 3;
    private const int Runs = 5;

    /// <summary>Finds how many rounds take about a sixth of a second.</summary>
    public int FindRounds()
    {
        int rounds = 4;
        while (true)
        {
            (_, double milliseconds) = Time(rounds);
            if (milliseconds >= TargetMilliseconds / 8 || rounds >= 1 << 28)
                return (int)Math.Clamp(rounds * TargetMilliseconds / milliseconds, 1, 1 << 28);
            rounds *= 4;
        }
    }

    /// <summary>Warms up and measures.</summary>
    public WorkloadTiming Measure(int rounds)
    {
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < FewestWarmUps || watch.Elapsed.TotalMilliseconds < WarmUpMilliseconds; i++)
            run(rounds);
        var times = new double[Runs];
        ulong checksum = 0;
        for (int i = 0; i < Runs; i++)
            (checksum, times[i]) = Time(rounds);
        return new WorkloadTiming(checksum, times);
    }

    private (ulong Checksum, double Milliseconds) Time(int rounds)
    {
        var watch = Stopwatch.StartNew();
        ulong checksum = run(rounds);
        return (checksum, watch.Elapsed.TotalMilliseconds);
    }
}
