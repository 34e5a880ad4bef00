using PvPatch.Perf.Reports;
using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Tests;

internal sealed class LabComparisonTests
{
    private const string Row = "ReplacementCosts.Image(Slot: Nop)";

    [TestCase(1.00, 0.98, 1.02, 1.50, 1.48, 1.52, Verdict.Worse)]
    [TestCase(1.50, 1.48, 1.52, 1.00, 0.98, 1.02, Verdict.Better)]
    [TestCase(1.00, 0.90, 1.20, 1.15, 1.10, 1.30, Verdict.Same, Description = "the intervals meet")]
    [TestCase(2.12, 1.70, 2.30, 2.49, 2.33, 2.69, Verdict.Same, Description = "apart, by less than they are wide")]
    [TestCase(1.00, 0.99, 1.01, 1.06, 1.05, 1.07, Verdict.Worse, Description = "little, and sure")]
    [TestCase(1.00, 0.99, 1.01, 1.03, 1.02, 1.04, Verdict.Same, Description = "sure, and too little to matter")]
    public void A_ratio_is_judged_by_its_intervals(double before, double beforeLow, double beforeHigh, double after, double afterLow, double afterHigh, Verdict verdict)
    {
        var comparison = LabComparison.Of(Results.WithRatio(before, beforeLow, beforeHigh), Results.WithRatio(after, afterLow, afterHigh));
        Assert.That((Judged(comparison, Row), comparison.HasWorse), Is.EqualTo((verdict, verdict == Verdict.Worse)));
    }

    [Test]
    public void Two_runs_of_the_same_distribution_seldom_differ()
    {
        var random = new Random(47);
        int differing = Enumerable.Range(0, 1000).Count(_ => Judged(LabComparison.Of(Run(random), Run(random)), Row) != Verdict.Same);
        Assert.That(differing, Is.LessThan(20));
    }

    [Test]
    public void Few_processes_that_each_have_a_shift_of_their_own_seldom_differ([Values(2, 4, 9)] int launches)
    {
        var random = new Random(48);
        int differing = Enumerable.Range(0, 1000).Count(_ => Judged(LabComparison.Of(Run(random, launches), Run(random, launches)), Row) != Verdict.Same);
        Assert.That(differing, Is.LessThan(100));
    }

    [Test]
    public void A_baselines_time_says_nothing_on_another_day()
    {
        LabResult slow = Results.WithRatio(1, 1, 1);
        LabResult fast = slow with { Rows = [.. slow.Rows.Select(row => row with { Nanoseconds = new Interval(0.1, 0.1, 0.1) })] };
        Assert.That(Judged(LabComparison.Of(slow, fast), "ReplacementCosts.HandWritten(Slot: Nop)"), Is.EqualTo(Verdict.NotComparable));
    }

    [TestCase("A <processor> & \"more\"", Verdict.Better)]
    [TestCase("another", Verdict.NotComparable)]
    public void Without_a_baseline_times_are_compared_on_the_same_processor_only(string processor, Verdict verdict)
    {
        var before = Results.Of(Results.Row("Own.Row"));
        LabResult after = Results.Of(Results.Row("Own.Row") with { Nanoseconds = new Interval(1, 0.9, 1.1) }) with { Machine = before.Machine with { Processor = processor } };
        Assert.That(Judged(LabComparison.Of(before, after), "Own.Row"), Is.EqualTo(verdict));
    }

    [Test]
    public void A_row_that_fails_now_is_worse()
    {
        LabResult before = Results.WithRatio(1, 1, 1);
        LabResult after = before with { Rows = [before.Rows[0], before.Rows[1] with { Ratio = null, Nanoseconds = null, Failure = "it threw" }] };
        var comparison = LabComparison.Of(before, after);
        Assert.That((Judged(comparison, Row), comparison.HasWorse), Is.EqualTo((Verdict.FailsNow, true)));
    }

    [Test]
    public void What_only_one_of_the_machines_had_is_not_compared()
    {
        LabResult before = Results.WithRatio(1, 1, 1);
        LabResult after = before with { Rows = [before.Rows[0], before.Rows[1] with { Ratio = null, Nanoseconds = null, Unavailable = "gcc is not installed." }] };
        Assert.That((Judged(LabComparison.Of(before, after), Row), Judged(LabComparison.Of(after, before), Row)), Is.EqualTo((Verdict.NotComparable, Verdict.NotComparable)));
    }

    [Test]
    public void Rows_of_one_run_only_are_new_or_gone()
    {
        var comparison = LabComparison.Of(Results.Of(Results.Row("Old.Row")), Results.Of(Results.Row("New.Row")));
        Assert.That((Judged(comparison, "Old.Row"), Judged(comparison, "New.Row"), comparison.HasWorse), Is.EqualTo((Verdict.Gone, Verdict.New, false)));
    }

    [Test]
    public void A_growth_that_is_no_longer_linear_is_worse()
    {
        var comparison = LabComparison.Of(Results.WithExponent(1, 0.95, 1.05), Results.WithExponent(1.6, 1.5, 1.7));
        Assert.That(Judged(comparison, "PatchingCosts.Image: exponent"), Is.EqualTo(Verdict.Worse));
    }

    [Test]
    public void The_report_names_what_got_worse_with_both_figures()
    {
        string report = ComparisonReport.Of(LabComparison.Of(Results.WithRatio(1, 1, 1), Results.WithRatio(2, 1.9, 2.1)));
        Assert.That(report, Does.Contain($"worse     {Row}  1.00 (1.00 to 1.00) -> 2.00 (1.90 to 2.10)").And.Contain("1 worse, 0 better"));
    }

    private static Verdict Judged(LabComparison comparison, string name) => comparison.Rows.Single(row => row.Name == name).Verdict;

    /// <summary>Samples of some processes that hardly differ within one, as code that is laid out otherwise in each.</summary>
    private static LabResult Run(Random random, int launches)
    {
        Interval interval = MedianInterval.Over([.. Enumerable.Range(0, launches).Select(_ =>
        {
            double shift = random.NextDouble();
            return (double[])[.. Enumerable.Range(0, 11).Select(_ => 1 + shift + (random.NextDouble() / 10))];
        })]);
        return Results.WithRatio(interval.Median, interval.Low, interval.High);
    }

    private static LabResult Run(Random random)
    {
        double[] ratios = [.. Enumerable.Range(0, 41).Select(_ => 1 - (0.2 * Math.Log(1 - random.NextDouble())))];
        Interval interval = MedianInterval.Of(ratios);
        return Results.WithRatio(interval.Median, interval.Low, interval.High);
    }
}
