using System.Reflection;
using BenchmarkDotNet.Attributes;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Rows;

/// <summary>Patching itself, when the engine is warm: an assembly of so many methods with a site each, by way; and what Mono.Cecil takes to rewrite it.</summary>
[Growth(nameof(Sites), QuickUpTo = 10_000, FitFrom = 1_000)]
[Launches(2)]
public class PatchingCosts
{
    private PatchableImage _image = null!;
    private PvOpTable _own = null!, _foreign = null!;
    private ImageSet? _loaded;
    private PvOpTable? _table;
    private LivePatch? _patch;

    /// <summary>How many sites.</summary>
    [Params(10, 100, 1_000, 10_000, 100_000)]
    public int Sites { get; set; }

    /// <summary>Writes the assembly.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _image = new PatchableImage(Sites);
        _own = PatchableImage.Fill(_image.Unpatched[SitesImage.Name]);
        _foreign = PatchableImage.FillForeign(_image.Unpatched[SitesImage.Name]);
    }

    /// <summary>Deletes it.</summary>
    [GlobalCleanup]
    public void CleanUp() => _image.Dispose();

    /// <summary>For the others: what the sample before left is not theirs to collect, which at 100,000 sites would be half of their time.</summary>
    [IterationSetup(Targets = [nameof(Image), nameof(ImageNewTokens), nameof(Cecil)])]
    public void Collect() => GC.Collect();

    /// <summary>For <see cref="InPlace"/>: a copy that is loaded and filled.</summary>
    [IterationSetup(Target = nameof(InPlace))]
    public void Load()
    {
        _loaded = ImageSet.LoadUnpatched([_image.File], collectible: true);
        _table = PatchableImage.Fill(_loaded[SitesImage.Name]);
        GC.Collect();
    }

    /// <summary>After <see cref="InPlace"/>.</summary>
    [IterationCleanup(Target = nameof(InPlace))]
    public void Unload()
    {
        PatchableImage.Check(_patch!.Report, Sites);
        _patch.Dispose();
        _loaded!.Dispose();
    }

    /// <summary>The image way where the bytes suffice.</summary>
    [Benchmark(Description = "image, same size", Baseline = true)]
    public PatchPlan Image() => Patcher.Plan(_own, [_image.File]);

    /// <summary>The image way where every target needs a new token.</summary>
    [Benchmark(Description = "image, new tokens")]
    public PatchPlan ImageNewTokens() => Patcher.Plan(_foreign, [_image.File]);

    /// <summary>In the memory of a loaded image.</summary>
    [Benchmark(Description = "in place")]
    public LivePatch InPlace()
    {
        Assembly copy = _loaded![SitesImage.Name];
        return _patch = Patcher.Apply(_table!, new ApplyOptions { Assemblies = a => a == copy, WatchLoads = false });
    }

    /// <summary>Mono.Cecil reads, replaces by pattern, and writes.</summary>
    [Benchmark(Description = "Mono.Cecil rewrites")]
    public long Cecil() => CecilRewriting.Rewrite(_image.File);
}
