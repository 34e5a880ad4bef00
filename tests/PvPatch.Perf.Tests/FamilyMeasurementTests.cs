using BenchmarkDotNet.Attributes;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Tests;

/// <summary>What becomes of benchmarks that measure themselves, and of those that this machine lacks something for.</summary>
internal sealed class FamilyMeasurementTests
{
    private static readonly LabMode Shortest = new("quick", Launches: 1, FamilyMilliseconds: 0, SampleMicroseconds: 1, MostRounds: LabMode.FewestRounds, UsualFamilySeconds: 0);

    [Test]
    public void What_a_benchmark_measures_itself_is_its_sample()
    {
        RowResult[] rows = Measured<OwnTimes>();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows.Select(row => row.Nanoseconds!.Value.Median), Is.EqualTo((double[])[100, 300]));
            Assert.That(rows[1].Ratio!.Value.Median, Is.EqualTo(3));
            Assert.That(rows[1].PerSecond["instructions"], Is.EqualTo(1e9 / 300 * 5).Within(1).Percent);
            Assert.That(OwnTimes.Calls, Is.EqualTo(2 * (1 + LabMode.FewestRounds)), "one to warm up, one a sample");
        }
    }

    [Test]
    public void What_the_machine_lacks_is_no_failure_and_the_others_are_measured()
    {
        RowResult[] rows = Measured<LackingOne>();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(rows.Select(row => row.Nanoseconds is not null), Is.EqualTo((bool[])[true, false, false]));
            Assert.That((rows[1].Unavailable, rows[1].Failure), Is.EqualTo(("There is no such thing here.", (string?)null)));
            Assert.That((rows[2].Unavailable, rows[2].Failure), Is.EqualTo(((string?)null, "LackingOne.Fails threw InvalidOperationException: broken")));
        }
    }

    [Test]
    public void Without_their_baseline_rows_have_no_ratio()
    {
        RowResult[] rows = Measured<LackingBaseline>();
        Assert.That((rows[0].Unavailable, rows[1].Nanoseconds is not null, rows[1].Ratio), Is.EqualTo(("Not here.", true, (Statistics.Interval?)null)));
    }

    [Test]
    public void What_the_set_up_lacks_all_rows_lack() =>
        Assert.That(Measured<LackingAll>().Select(row => row.Unavailable), Is.EqualTo((string[])["Nothing is here.", "Nothing is here."]));

    [Test]
    public void Children_that_were_waited_for_are_in_the_clock()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Ignore("CPU time of children is read on Linux only.");
        double before = CpuClock.ChildNanoseconds(), all = CpuClock.Nanoseconds();
        var child = Yardsticks.ChildProcess.RunWell(["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done"]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(child.CpuSeconds, Is.Positive);
            Assert.That(CpuClock.ChildNanoseconds() - before, Is.EqualTo(child.CpuSeconds * 1e9).Within(1));
            Assert.That(CpuClock.Nanoseconds() - all, Is.GreaterThan(child.CpuSeconds * 1e9));
        }
    }

    private static RowResult[] Measured<T>()
    {
        using var code = new CodeMap();
        RowFamily[] families = [.. RowCatalogue.Find([typeof(T).Assembly], [$"{typeof(T).Name}.*"], Shortest)];
        FamilySamples[] samples = [.. families.Select(family => new FamilyMeasurement(family, Shortest, code).Run())];
        return [.. Evaluation.Of(Shortest, DateTimeOffset.UnixEpoch, families, [samples]).Rows];
    }
}

/// <summary>Says what it took.</summary>
public class OwnTimes : IMeasuredTime, IMeasuredCode, IEventCounts
{
    public static int Calls { get; private set; }

    public double Nanoseconds { get; private set; }

    public Delegate? Measured => null;

    [Benchmark(Baseline = true)]
    public void Fast() => Take(100);

    [Benchmark]
    public void Slow() => Take(300);

    public IReadOnlyDictionary<string, long> TakeEvents() => new Dictionary<string, long>(StringComparer.Ordinal) { ["instructions"] = 5 };

    private void Take(double nanoseconds)
    {
        Nanoseconds = nanoseconds;
        Calls++;
    }
}

/// <summary>One works, one lacks something, one fails.</summary>
public class LackingOne
{
    [Benchmark(Baseline = true)]
    public int Works() => Environment.TickCount;

    [Benchmark]
    public int Lacks() => throw new PlatformNotSupportedException("There is no such\nthing here.");

    [Benchmark]
    public int Fails() => throw new InvalidOperationException("broken");
}

/// <summary>The baseline lacks something.</summary>
public class LackingBaseline
{
    [Benchmark(Baseline = true)]
    public int Lacks() => throw new PlatformNotSupportedException("Not here.");

    [Benchmark]
    public int Works() => Environment.TickCount;
}

/// <summary>What all need is not there.</summary>
public class LackingAll
{
    [GlobalSetup]
    public void SetUp() => throw new PlatformNotSupportedException("Nothing is here.");

    [Benchmark(Baseline = true)]
    public int One() => 1;

    [Benchmark]
    public int Two() => 2;
}
