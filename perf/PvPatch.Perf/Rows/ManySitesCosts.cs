using BenchmarkDotNet.Attributes;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Rows;

/// <summary>Many sites one behind the other, so that the branch predictor has to know each: time of one pass over all of them.</summary>
public class ManySitesCosts : IMeasuredCode
{
    private Dictionary<string, Func<long, long>> _loops = null!;

    /// <summary>How many sites.</summary>
    [Params(16, 256, 1024)]
    public int Sites { get; set; }

    /// <summary>The pass that was made last.</summary>
    public Delegate? Measured { get; private set; }

    /// <summary>Writes and loads the assembly.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _loops = SiteLoops.Make(Sites);
        if (_loops.Values.Select(loop => loop(1)).Distinct().Count() != 1)
            throw new InvalidOperationException("The loops compute different things.");
    }

    /// <summary>Direct calls.</summary>
    [Benchmark(Description = "direct calls", Baseline = true)]
    public long Direct() => Run("Direct");

    /// <summary>Slots that are patched.</summary>
    [Benchmark(Description = "PvPatch: patched, image")]
    public long Patched() => Run("Patched");

    /// <summary>Delegates.</summary>
    [Benchmark(Description = "delegates")]
    public long Delegates() => Run("Delegates");

    /// <summary>Slots.</summary>
    [Benchmark(Description = "PvPatch: slots, unpatched")]
    public long Slots() => Run("Slots");

    private long Run(string loop)
    {
        Measured = _loops[loop];
        return _loops[loop](1);
    }
}
