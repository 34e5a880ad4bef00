using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Tests;

/// <summary>Intervals and fits against distributions whose truth is known.</summary>
internal sealed class StatisticsTests
{
    private const int Trials = 4000;

    private static readonly Dictionary<string, (Func<Random, double> Draw, double Median)> Distributions = new(StringComparer.Ordinal)
    {
        ["uniform"] = (r => r.NextDouble(), 0.5),
        ["exponential"] = (r => -Math.Log(1 - r.NextDouble()), Math.Log(2)),
        ["heavy tail"] = (r => Math.Pow(1 - r.NextDouble(), -1.5), Math.Pow(2, 1.5)),
        ["two heaps"] = (r => r.NextDouble() < 0.7 ? r.NextDouble() : 10 + r.NextDouble(), 0.5 / 0.7),
    };

    [Test]
    public void The_interval_holds_the_true_median_at_least_95_times_of_100(
        [ValueSource(nameof(Names))] string distribution, [Values(6, 7, 11, 41, 300)] int samples)
    {
        (Func<Random, double> draw, double median) = Distributions[distribution];
        var random = new Random(42);
        int held = 0;
        for (int i = 0; i < Trials; i++)
        {
            Interval interval = MedianInterval.Of(Draw(random, draw, samples));
            held += interval.Low <= median && median <= interval.High ? 1 : 0;
        }

        // Three standard deviations of the simulation itself are 1 %.
        Assert.That((double)held / Trials, Is.GreaterThan(0.94));
    }

    [Test]
    public void Over_processes_with_a_shift_each_the_interval_holds_the_median_of_all([Values(6, 9)] int launches)
    {
        var random = new Random(43);
        int held = 0;
        for (int i = 0; i < Trials; i++)
        {
            double[][] samples = [.. Enumerable.Range(0, launches).Select(_ =>
            {
                double shift = random.NextDouble() - 0.5;
                return Draw(random, r => 10 + shift + ((r.NextDouble() - 0.5) / 10), 11);
            })];
            Interval interval = MedianInterval.Over(samples);
            held += interval.Low <= 10 && 10 <= interval.High ? 1 : 0;
        }

        Assert.That((double)held / Trials, Is.GreaterThan(0.94));
    }

    [Test]
    public void Over_few_processes_the_interval_reaches_over_each_of_theirs()
    {
        Interval over = MedianInterval.Over([[1, 1, 1], [2, 3, 4]]);
        Assert.That((over.Low, over.High), Is.EqualTo((1, 4)));
    }

    [Test]
    public void The_median_is_between_the_ends_of_its_interval()
    {
        var random = new Random(44);
        for (int count = 1; count < 60; count++)
        {
            Interval interval = MedianInterval.Of(Draw(random, r => r.NextDouble(), count));
            Assert.That(interval.Median, Is.InRange(interval.Low, interval.High), $"{count} samples");
        }
    }

    [Test]
    public void More_samples_make_the_interval_narrower()
    {
        var random = new Random(45);
        double few = MedianInterval.Of(Draw(random, r => r.NextDouble(), 11)).RelativeWidth;
        double many = MedianInterval.Of(Draw(random, r => r.NextDouble(), 1001)).RelativeWidth;
        Assert.That(many, Is.LessThan(few / 3));
    }

    [Test]
    public void The_fit_finds_the_exponent_of_a_power_law([Values(0.5, 1, 1.3, 2)] double exponent)
    {
        var random = new Random(46);
        (double, IReadOnlyList<double>)[] points = [.. ((double[])[1e2, 1e3, 1e4, 1e5]).Select(size =>
            (size, (IReadOnlyList<double>)Draw(random, r => 7 * Math.Pow(size, exponent) * (1 + (r.NextDouble() / 10)), 15)))];
        Interval fitted = GrowthFit.Exponent(points);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fitted.Median, Is.EqualTo(exponent).Within(0.02));
            Assert.That(exponent, Is.InRange(fitted.Low - 0.01, fitted.High + 0.01));
            Assert.That(GrowthFit.Exponent(points), Is.EqualTo(fitted), "the same samples give the same interval");
        }
    }

    private static string[] Names() => [.. Distributions.Keys];

    private static double[] Draw(Random random, Func<Random, double> draw, int count) => [.. Enumerable.Range(0, count).Select(_ => draw(random))];
}
