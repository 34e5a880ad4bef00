using BenchmarkDotNet.Attributes;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Rows;

/// <summary>
/// What patching adds to a program's start, by way: each sample is a process of its own that patches an assembly of so many
/// methods with a site each, once, with an engine that is as cold as it is there. Late: all methods are compiled before.
/// </summary>
[Growth(nameof(Sites), FitFrom = 1_000)]
[QuickValues(nameof(Sites), "1000")]
[Launches(1, Seconds = 32, QuickSeconds = 10)]
public class StartUpPatchingCosts : IMeasuredTime
{
    private PatchableImage _image = null!;

    /// <summary>How many sites.</summary>
    [Params(10, 100, 1_000, 10_000, 100_000)]
    public int Sites { get; set; }

    /// <inheritdoc/>
    public double Nanoseconds { get; private set; }

    /// <summary>Writes the assembly.</summary>
    [GlobalSetup]
    public void SetUp() => _image = new PatchableImage(Sites);

    /// <summary>Deletes it.</summary>
    [GlobalCleanup]
    public void CleanUp() => _image.Dispose();

    /// <summary>The image way: planned, and loaded.</summary>
    [Benchmark(Description = "image")]
    public void Image() => Measure(PatchingProcess.Image);

    /// <summary>In the memory of the loaded image.</summary>
    [Benchmark(Description = "in place")]
    public void InPlace() => Measure(PatchingProcess.InPlace);

    /// <summary>Late: every method is led to a copy.</summary>
    [Benchmark(Description = "late")]
    public void Late() => Measure(PatchingProcess.Late);

    private void Measure(string way) => Nanoseconds = PatchingProcess.Start(way, _image.File, Sites);
}
