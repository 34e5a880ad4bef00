using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Tests;

/// <summary>Results made up for tests.</summary>
internal static class Results
{
    public static LabResult Of(params RowResult[] rows) => new()
    {
        Mode = "full",
        Begun = new DateTimeOffset(2026, 11, 23, 1, 2, 3, TimeSpan.Zero),
        Machine = new MachineDescription("A <processor> & \"more\"", 2, "An OS", ".NET 10", "CPU time", 0.9, 0.02),
        Rows = rows,
        Growth = [],
    };

    /// <summary>A family with a baseline and one row.</summary>
    public static LabResult WithRatio(double median, double low, double high) => Of(
        Row("ReplacementCosts.HandWritten(Slot: Nop)") with { IsBaseline = true },
        Row("ReplacementCosts.Image(Slot: Nop)") with { Ratio = new Interval(median, low, high) });

    public static LabResult WithExponent(double median, double low, double high, string series = "PatchingCosts.Image") => Of() with
    {
        Growth =
        [
            new GrowthResult(
                series, "image", "Sites",
                [new GrowthPoint(10, new Interval(100, 90, 120)), new GrowthPoint(1000, new Interval(9000, 8900, 9100)), new GrowthPoint(100_000, new Interval(9e5, 8.9e5, 9.2e5))],
                1000,
                new Interval(median, low, high)),
        ],
    };

    public static RowResult Row(string name) => new()
    {
        Name = name,
        Family = "ReplacementCosts(Slot: Nop)",
        Title = name.Contains("Image", StringComparison.Ordinal) ? "patched, image" : "hand-written",
        IsBaseline = false,
        Nanoseconds = new Interval(1.5, 1.4, 1.6),
        AllocatedBytes = 0,
        Code = new MachineCode("Tier1", 30, ["L1:", "    add rax,[rdi]", "    jl short L1"], SameAsBaseline: true),
        PerSecond = new Dictionary<string, double>(StringComparer.Ordinal) { ["hypercalls"] = 1234.5 },
        Samples = 41,
    };
}
