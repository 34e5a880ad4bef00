using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Results;

/// <summary>What one run of the lab measured. Its JSON is described in docs/lab.md.</summary>
public sealed record LabResult
{
    /// <summary>Raised when a field changes its meaning.</summary>
    public const int SchemaVersion = 1;

    /// <summary>The schema of this document.</summary>
    public int Schema { get; init; } = SchemaVersion;

    /// <summary><c>quick</c> or <c>full</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>When it was begun, UTC.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>Where it was measured.</summary>
    public required MachineDescription Machine { get; init; }

    /// <summary>Every row, families together, in their order.</summary>
    public required IReadOnlyList<RowResult> Rows { get; init; }

    /// <summary>How times grow with sizes.</summary>
    public required IReadOnlyList<GrowthResult> Growth { get; init; }

    /// <summary>The rows by family: what has one baseline and the same parameters.</summary>
    public IEnumerable<IGrouping<string, RowResult>> Families() => Rows.GroupBy(row => row.Family, StringComparer.Ordinal);

    /// <summary>The growths by class: what has one parameter and one unit of work.</summary>
    public IEnumerable<IGrouping<string, GrowthResult>> Growths() => Growth.GroupBy(growth => growth.Series.Split('.')[0], StringComparer.Ordinal);

    /// <summary>Why rows have no figure, each sentence once.</summary>
    public IEnumerable<string> Missing() => Rows.Select(row => row.Failure ?? row.Unavailable).OfType<string>().Distinct(StringComparer.Ordinal);
}

/// <summary>One benchmark with one set of parameters.</summary>
public sealed record RowResult
{
    /// <summary>Its full name: <c>CallCosts.Delegate(Shape: Chain)</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is compared within: <c>CallCosts(Shape: Chain)</c>.</summary>
    public required string Family { get; init; }

    /// <summary>Its name for people.</summary>
    public required string Title { get; init; }

    /// <summary>Whether the others of the family are compared with it.</summary>
    public required bool IsBaseline { get; init; }

    /// <summary>CPU time of one operation, in nanoseconds; absent when it failed or is unavailable.</summary>
    public Interval? Nanoseconds { get; init; }

    /// <summary>Against the family's baseline, round by round; absent for the baseline, and without one.</summary>
    public Interval? Ratio { get; init; }

    /// <summary>Bytes allocated by one operation.</summary>
    public double? AllocatedBytes { get; init; }

    /// <summary>What else the benchmark counts, a second of CPU time: <c>hypercalls</c>.</summary>
    public IReadOnlyDictionary<string, double> PerSecond { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>The machine code that was measured; absent where it cannot be read.</summary>
    public MachineCode? Code { get; init; }

    /// <summary>How many samples there are, over all processes.</summary>
    public int Samples { get; init; }

    /// <summary>What it threw, so that it has no figure: one sentence.</summary>
    public string? Failure { get; init; }

    /// <summary>What this machine lacks for it, so that it has no figure: one sentence.</summary>
    public string? Unavailable { get; init; }
}

/// <summary>Machine code as it ran.</summary>
/// <param name="Tier">How the runtime compiled it: <c>OptimizedTier1</c>.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Lines">Its instructions. Addresses outside are names where they are known.</param>
/// <param name="SameAsBaseline">Whether the lines are those of the baseline; absent for the baseline itself.</param>
public sealed record MachineCode(string Tier, int Bytes, IReadOnlyList<string> Lines, bool? SameAsBaseline = null);

/// <summary>How the time of one benchmark grows with a size.</summary>
/// <param name="Series">The benchmark: <c>PatchingCosts.Image</c>.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Parameter">What grows: <c>Sites</c>.</param>
/// <param name="Points">The times by size.</param>
/// <param name="FittedFrom">The least size that the fit uses; below it fixed costs prevail.</param>
/// <param name="Exponent">The fitted exponent: 1 is linear. Absent with fewer than two sizes to fit.</param>
public sealed record GrowthResult(string Series, string Title, string Parameter, IReadOnlyList<GrowthPoint> Points, long FittedFrom, Interval? Exponent);

/// <summary>A time at a size.</summary>
/// <param name="Size">The size.</param>
/// <param name="Nanoseconds">CPU time, in nanoseconds.</param>
public sealed record GrowthPoint(long Size, Interval Nanoseconds);
