namespace PvPatch.Perf.Statistics;

/// <summary>How a time grows with a size: the exponent of the power law, which is the slope of a straight line through the logarithms.</summary>
public static class GrowthFit
{
    private const int Resamples = 500, Seed = 20261123;

    /// <summary>Fits, and finds the interval of the exponent by drawing the samples again at random (a bootstrap with a fixed seed).</summary>
    /// <param name="points">Sizes, each with its times; at least two different sizes.</param>
    public static Interval Exponent(IReadOnlyList<(double Size, IReadOnlyList<double> Times)> points)
    {
        var random = new Random(Seed);
        double[] drawn = [.. Enumerable.Range(0, Resamples).Select(_ => Slope(points, times => Again(times, random))).Order()];
        return new Interval(Slope(points, times => times), drawn[(int)(Resamples * 0.025)], drawn[(int)(Resamples * 0.975)]);
    }

    private static double[] Again(IReadOnlyList<double> times, Random random) =>
        [.. Enumerable.Range(0, times.Count).Select(_ => times[random.Next(times.Count)])];

    /// <summary>Least squares.</summary>
    private static double Slope(IReadOnlyList<(double Size, IReadOnlyList<double> Times)> points, Func<IReadOnlyList<double>, IReadOnlyList<double>> draw)
    {
        (double X, double Y)[] logs = [.. points.Select(p => (Math.Log(p.Size), Math.Log(MedianInterval.MedianOf([.. draw(p.Times).Order()]))))];
        double meanX = logs.Average(p => p.X), meanY = logs.Average(p => p.Y);
        return logs.Sum(p => (p.X - meanX) * (p.Y - meanY)) / logs.Sum(p => (p.X - meanX) * (p.X - meanX));
    }
}
