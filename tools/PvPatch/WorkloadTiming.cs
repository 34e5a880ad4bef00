namespace PvPatch.Tool;

/// <summary>How long a workload took, measured several times.</summary>
/// <param name="Checksum">What it computed.</param>
/// <param name="Milliseconds">CPU time of each measured run, in the order made.</param>
internal sealed record WorkloadTiming(ulong Checksum, IReadOnlyList<double> Milliseconds)
{
    /// <summary>The median run, in milliseconds of CPU time.</summary>
    public double Median => Milliseconds.Order().ElementAt(Milliseconds.Count / 2);

    /// <summary>Nanoseconds of the median run by operation.</summary>
    /// <param name="operations">How many operations a run has.</param>
    public double NanosecondsPer(long operations) => Median * 1e6 / operations;
}
