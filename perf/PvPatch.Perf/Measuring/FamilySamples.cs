using PvPatch.Perf.Results;

namespace PvPatch.Perf.Measuring;

/// <summary>What one process measured of one family.</summary>
/// <param name="Family">Its name.</param>
/// <param name="CpuNanoseconds">CPU time while samples were taken.</param>
/// <param name="WallNanoseconds">Wall time in the same span.</param>
/// <param name="Rows">Its rows.</param>
internal sealed record FamilySamples(string Family, double CpuNanoseconds, double WallNanoseconds, IReadOnlyList<RowSamples> Rows);

/// <summary>What one process measured of one row.</summary>
internal sealed record RowSamples
{
    /// <summary>The row.</summary>
    public required string Name { get; init; }

    /// <summary>Nanoseconds of an operation, a sample a round.</summary>
    public IReadOnlyList<double> Nanoseconds { get; init; } = [];

    /// <summary>Bytes allocated by an operation.</summary>
    public double? AllocatedBytes { get; init; }

    /// <summary>What else was counted, an operation.</summary>
    public IReadOnlyDictionary<string, double> Events { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>The machine code.</summary>
    public MachineCode? Code { get; init; }

    /// <summary>What it threw: one sentence; then there is none of this.</summary>
    public string? Failure { get; init; }

    /// <summary>What this machine lacks for it: one sentence; then there is none of this.</summary>
    public string? Unavailable { get; init; }
}
