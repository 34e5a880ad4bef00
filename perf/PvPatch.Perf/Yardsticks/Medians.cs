namespace PvPatch.Perf.Yardsticks;

/// <summary>The middle of some measurements.</summary>
internal static class Medians
{
    /// <summary>The one in the middle.</summary>
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>Measures all in turn, so that what the machine does meanwhile meets all alike; the median of each.</summary>
    public static double[] InTurn(int runs, params IReadOnlyList<Func<double>> forms)
    {
        double[][] all = [.. Enumerable.Range(0, runs).Select(_ => forms.Select(form => form()).ToArray())];
        return [.. forms.Select((_, i) => Of(all.Select(run => run[i])))];
    }
}
