namespace PvPatch.Tool;

/// <summary>How long a workload took, measured several times.</summary>
/// <param name="Checksum">What it computes in <see cref="WorkloadMeter.ChecksumRounds"/> rounds: the same in every boot.</param>
/// <param name="TimedChecksum">What the measured runs computed; their number of rounds depends on how fast the host is.</param>
/// <param name="Milliseconds">CPU time of each measured run, in the order made.</param>
internal sealed record WorkloadTiming(ulong Checksum, ulong TimedChecksum, IReadOnlyList<double> Milliseconds)
{
    /// <summary>The median run, in milliseconds of CPU time.</summary>
    public double Median => Milliseconds.Order().ElementAt(Milliseconds.Count / 2);

    /// <summary>Nanoseconds of the median run by operation.</summary>
    /// <param name="operations">How many operations a run has.</param>
    public double NanosecondsPer(long operations) => Median * 1e6 / operations;
}
