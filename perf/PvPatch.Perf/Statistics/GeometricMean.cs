namespace PvPatch.Perf.Statistics;

/// <summary>The mean of ratios: that of their logarithms, so that twice and half make one.</summary>
internal static class GeometricMean
{
    /// <summary>The mean.</summary>
    /// <param name="ratios">At least one, above 0.</param>
    public static double Of(IEnumerable<double> ratios) => Math.Exp(ratios.Average(Math.Log));
}
