using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Results;

/// <summary>What became of a figure from one run to another.</summary>
public enum Verdict
{
    /// <summary>No difference beyond noise.</summary>
    Same,

    /// <summary>Less, beyond noise.</summary>
    Better,

    /// <summary>More, beyond noise.</summary>
    Worse,

    /// <summary>It failed in the second run only.</summary>
    FailsNow,

    /// <summary>Only the first run has it.</summary>
    Gone,

    /// <summary>Only the second run has it.</summary>
    New,

    /// <summary>Nothing that two runs have in common: a baseline's time on another day or another machine.</summary>
    NotComparable,
}

/// <summary>A figure in two runs.</summary>
/// <param name="Name">The row, or the series with its exponent.</param>
/// <param name="Before">In the first run.</param>
/// <param name="After">In the second run.</param>
/// <param name="Verdict">What became of it.</param>
public sealed record ComparedRow(string Name, Interval? Before, Interval? After, Verdict Verdict);

/// <summary>
/// Two results compared. What is compared are ratios to the baseline of the same run, and exponents of growth: these do not depend
/// on how fast or busy the machine was. Times of classes without a baseline are compared between runs on the same kind of machine.
/// </summary>
/// <param name="Rows">Every figure of either run.</param>
/// <param name="OnSameMachine">Whether processor and runtime are the same.</param>
public sealed record LabComparison(IReadOnlyList<ComparedRow> Rows, bool OnSameMachine)
{
    /// <summary>A difference smaller than this is none, however sure it is.</summary>
    public const double LeastDifference = 0.05;

    /// <summary>Whether something got worse.</summary>
    public bool HasWorse => Rows.Any(row => row.Verdict is Verdict.Worse or Verdict.FailsNow);

    /// <summary>Compares.</summary>
    /// <param name="before">The first run.</param>
    /// <param name="after">The second run.</param>
    public static LabComparison Of(LabResult before, LabResult after)
    {
        bool sameMachine = before.Machine.Processor == after.Machine.Processor && before.Machine.Runtime == after.Machine.Runtime;
        return new LabComparison([.. RowsOf(before, after, sameMachine), .. GrowthOf(before, after)], sameMachine);
    }

    private static IEnumerable<ComparedRow> RowsOf(LabResult before, LabResult after, bool sameMachine)
    {
        Dictionary<string, RowResult> then = before.Rows.ToDictionary(row => row.Name, StringComparer.Ordinal);
        HashSet<string> withBaseline = [.. after.Rows.Concat(before.Rows).Where(row => row.IsBaseline).Select(row => row.Family)];
        foreach (RowResult now in after.Rows)
        {
            if (!then.Remove(now.Name, out RowResult? old))
                yield return new ComparedRow(now.Name, null, now.Ratio ?? now.Nanoseconds, Verdict.New);
            else if (withBaseline.Contains(now.Family))
                yield return new ComparedRow(now.Name, old.Ratio, now.Ratio, Judge(old, now, old.Ratio, now.Ratio));
            else
                yield return new ComparedRow(now.Name, old.Nanoseconds, now.Nanoseconds, sameMachine ? Judge(old, now, old.Nanoseconds, now.Nanoseconds) : Verdict.NotComparable);
        }

        foreach (RowResult gone in then.Values)
            yield return new ComparedRow(gone.Name, gone.Ratio ?? gone.Nanoseconds, null, Verdict.Gone);
    }

    private static IEnumerable<ComparedRow> GrowthOf(LabResult before, LabResult after) =>
        from now in after.Growth
        join old in before.Growth on (now.Series, now.FittedFrom, now.Points.Count) equals (old.Series, old.FittedFrom, old.Points.Count)
        where now.Exponent is not null && old.Exponent is not null
        select new ComparedRow($"{now.Series}: exponent", old.Exponent, now.Exponent, Judge(old.Exponent!.Value, now.Exponent!.Value));

    private static Verdict Judge(RowResult old, RowResult now, Interval? before, Interval? after) =>
        now.Failure is not null ? (old.Failure is null ? Verdict.FailsNow : Verdict.Same)
        : before is { } b && after is { } a ? Judge(b, a)
        : Verdict.NotComparable;

    private static Verdict Judge(Interval before, Interval after) =>
        !before.IsFarFrom(after) || Math.Abs(after.Median - before.Median) < LeastDifference * before.Median ? Verdict.Same
        : after.Median < before.Median ? Verdict.Better
        : Verdict.Worse;
}
