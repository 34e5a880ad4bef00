namespace PvPatch.Perf.Statistics;

/// <summary>
/// Medians with intervals from order statistics: whatever the distribution, the true median lies between the d-th least and the
/// d-th greatest of n samples with the probability that a fair coin shows heads at least d and at most n - d times of n.
/// Times on a busy machine have a long tail on one side, so nothing is assumed about their form.
/// </summary>
public static class MedianInterval
{
    private const double Confidence = 0.95;
    private const int EnoughLaunches = 6;

    /// <summary>The median of some samples. With fewer than six the interval is all of them, which is less than 95 %.</summary>
    /// <param name="samples">At least one, in any order.</param>
    public static Interval Of(IReadOnlyCollection<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        int tail = TailOf(sorted.Length);
        return new Interval(MedianOf(sorted), sorted[tail], sorted[^(tail + 1)]);
    }

    /// <summary>
    /// The median over several processes. Each has its own layout of code and memory, which shifts all its samples alike, so samples
    /// of one process are not independent, but processes are: from six on the interval is that of their medians. With fewer it
    /// reaches over the intervals of all of them.
    /// </summary>
    /// <param name="launches">The samples of each process.</param>
    public static Interval Over(IReadOnlyCollection<IReadOnlyCollection<double>> launches)
    {
        Interval[] each = [.. launches.Select(Of)];
        if (each.Length >= EnoughLaunches)
            return Of([.. each.Select(i => i.Median)]);
        return new Interval(MedianOf([.. launches.SelectMany(l => l).Order()]), each.Min(i => i.Low), each.Max(i => i.High));
    }

    /// <summary>The median of sorted numbers.</summary>
    /// <param name="sorted">At least one.</param>
    internal static double MedianOf(double[] sorted)
    {
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>How many samples stay outside at each end: the most that leave the confidence inside.</summary>
    private static int TailOf(int count)
    {
        double outside = 0, term = Math.Pow(0.5, count);
        int tail = 0;
        for (int heads = 0; heads < count / 2; heads++)
        {
            outside += 2 * term;
            if (outside > 1 - Confidence)
                break;
            tail = heads;
            term = term * (count - heads) / (heads + 1);
        }

        return tail;
    }
}
