namespace PvPatch.Perf.Yardsticks;

/// <summary>
/// Runs of a yardstick by one contender, with so many repetitions that they take long enough, and longer than the start-up,
/// which is taken off: that of a run with none.
/// </summary>
internal sealed class RepeatedRuns
{
    private readonly Contender _contender;
    private readonly Yardstick _yardstick;

    /// <summary>Finds out how many.</summary>
    /// <param name="contender">Who runs.</param>
    /// <param name="yardstick">What.</param>
    /// <param name="repetitions">At least so many.</param>
    /// <param name="seconds">CPU time that a run takes at least.</param>
    public RepeatedRuns(Contender contender, Yardstick yardstick, long repetitions, double seconds)
    {
        _contender = contender;
        _yardstick = yardstick;
        Checksum = contender.Run(yardstick, 1).Output;
        double start = contender.Run(yardstick, 0).CpuSeconds;
        double wanted = Math.Max(seconds, start);
        Repetitions = repetitions;
        while (contender.Run(yardstick, Repetitions).CpuSeconds - start is var spent && spent < wanted)
            Repetitions = (long)Math.Ceiling(Repetitions * Math.Clamp(1.5 * wanted / Math.Max(spent, 1e-6), 2, 32));
    }

    /// <summary>What the program prints.</summary>
    public string Checksum { get; }

    /// <summary>How many.</summary>
    public long Repetitions { get; }

    /// <summary>CPU time of one repetition: of a run, less a run with none just before.</summary>
    public double Measure()
    {
        double start = _contender.Run(_yardstick, 0).CpuSeconds;
        return (_contender.Run(_yardstick, Repetitions).CpuSeconds - start) / Repetitions;
    }
}
