using System.Globalization;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Results;

/// <summary>One limit and the figure it is held against.</summary>
/// <param name="What">What is held, of what.</param>
/// <param name="Figure">What was measured; its median is held against the limit.</param>
/// <param name="Limit">The most it may be.</param>
/// <param name="Allowed">The most that does not fail: the limit, or for a quick run what noise cannot explain.</param>
public sealed record CheckedLimit(string What, Interval Figure, double Limit, double Allowed)
{
    /// <summary>Whether the median is within the limit.</summary>
    public bool IsHeld => Figure.Median <= Limit;

    /// <summary>Whether it fails.</summary>
    public bool Fails => Figure.Median > Allowed && Figure.Low > Limit;

    /// <summary>One line.</summary>
    public override string ToString()
    {
        string verdict = Fails ? "FAILS" : IsHeld ? "held" : "beyond, within noise";
        return string.Create(CultureInfo.InvariantCulture, $"{What}: {Figure.Median:0.00} ({Figure.Low:0.00} to {Figure.High:0.00}), at most {Limit:0.00}: {verdict}");
    }
}

/// <summary>What the product promises, held against a result.</summary>
public static class LabCheck
{
    private const double MostPatched = 1.05, LeastSlot = 10, MostExponent = 1.10, NoiseOfQuickRun = 1.5;
    private const string Replacements = "ReplacementCosts.";

    /// <summary>
    /// Patched code at most 1.05 of hand-written, for every way and every replacement that leaves no call; a slot at least ten times
    /// patched (as patched by slot, at most a tenth); patching linear in the number of sites within 10 %.
    /// </summary>
    /// <param name="result">A result; of what it has not measured nothing is held.</param>
    public static IReadOnlyList<CheckedLimit> Of(LabResult result)
    {
        double noise = result.Mode == "quick" ? NoiseOfQuickRun : 1;
        var limits = new List<CheckedLimit>();
        foreach (RowResult row in result.Rows.Where(r => r.Name.StartsWith(Replacements, StringComparison.Ordinal) && !r.Family.Contains("Called", StringComparison.Ordinal) && r.Ratio is not null))
        {
            Interval ratio = row.Ratio!.Value;
            limits.Add(row.Name.StartsWith(Replacements + "ThroughSlot", StringComparison.Ordinal)
                ? Limit($"{row.Family}: hand-written by slot", new Interval(1 / ratio.Median, 1 / ratio.High, 1 / ratio.Low), 1 / LeastSlot, noise)
                : Limit($"{row.Family}: {row.Title} by hand-written", ratio, MostPatched, noise));
        }

        limits.AddRange(result.Growth.Where(g => IsPatching(g.Series) && g.Exponent is not null)
            .Select(g => Limit($"{g.Series}: exponent of {g.Parameter}", g.Exponent!.Value, MostExponent, noise)));
        return limits;
    }

    private static bool IsPatching(string series) =>
        (series.StartsWith("PatchingCosts.", StringComparison.Ordinal) || series.StartsWith("StartUpPatchingCosts.", StringComparison.Ordinal)) && series != "PatchingCosts.Cecil";

    private static CheckedLimit Limit(string what, Interval figure, double limit, double noise) => new(what, figure, limit, limit * noise);
}
