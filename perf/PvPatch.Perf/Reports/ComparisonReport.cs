using System.Text;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Reports;

/// <summary>A comparison for a terminal.</summary>
public static class ComparisonReport
{
    /// <summary>What changed, and how much did not.</summary>
    /// <param name="comparison">The comparison.</param>
    public static string Of(LabComparison comparison)
    {
        var text = new StringBuilder();
        if (!comparison.OnSameMachine)
            text.AppendLine("The runs are of different processors or runtimes: only ratios and exponents are compared.");
        foreach (ComparedRow row in comparison.Rows.Where(row => row.Verdict is not (Verdict.Same or Verdict.NotComparable)).OrderByDescending(row => row.Verdict is Verdict.Worse or Verdict.FailsNow))
            text.AppendLine($"{Word(row.Verdict),-9} {row.Name}  {Figure(row.Before)} -> {Figure(row.After)}");
        int Count(Verdict verdict) => comparison.Rows.Count(row => row.Verdict == verdict);
        return text.AppendLine($"{Count(Verdict.Worse) + Count(Verdict.FailsNow)} worse, {Count(Verdict.Better)} better, {Count(Verdict.Same)} the same within noise, {Count(Verdict.New)} new, {Count(Verdict.Gone)} gone.").ToString();
    }

    private static string Word(Verdict verdict) => verdict switch
    {
        Verdict.FailsNow => "fails now",
        _ => verdict.ToString().ToLowerInvariant(),
    };

    private static string Figure(Statistics.Interval? figure) => figure is { } f ? $"{Amount.Digits(f.Median)} ({Amount.Range(f)})" : "none";
}
