using System.Reflection;
using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Rows;

/// <summary>
/// Patching late: every method of an assembly is compiled already, and is led to a copy. Ten thousand are the most, for the
/// copies are kept as long as the process, where all that search code find them.
/// </summary>
[Growth(nameof(Sites), QuickUpTo = 1_000, FitFrom = 100)]
[Launches(2, Alone = true)]
public class LatePatchingCosts
{
    private PatchableImage _image = null!;
    private Assembly _copy = null!;
    private PvOpTable _table = null!;
    private LivePatch? _patch;

    /// <summary>How many sites.</summary>
    [Params(10, 100, 1_000, 10_000)]
    public int Sites { get; set; }

    /// <summary>Writes the assembly.</summary>
    [GlobalSetup]
    public void SetUp() => _image = new PatchableImage(Sites);

    /// <summary>Deletes it.</summary>
    [GlobalCleanup]
    public void CleanUp() => _image.Dispose();

    /// <summary>Loads a copy and compiles it.</summary>
    [IterationSetup]
    public void Load()
    {
        _copy = ImageSet.LoadUnpatched([_image.File])[SitesImage.Name];
        _table = PatchableImage.Fill(_copy);
        foreach (MethodInfo method in _copy.GetTypes().Where(t => t.Name.StartsWith(SitesImage.Callers, StringComparison.Ordinal)).SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static)))
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
    }

    /// <summary>
    /// Looks at what was done. Now and then bytes among the tens of MiB of code in this process look like an operand that names the
    /// slot of an op; then its sites, of a dozen ops here, are led to copies as all are, and told to be deferred.
    /// </summary>
    [IterationCleanup]
    public void Check()
    {
        PatchableImage.Check(_patch!.Report, Sites, mayDefer: Sites / 5);
        _patch.Dispose();
    }

    /// <summary>Late.</summary>
    [Benchmark(Description = "late")]
    public LivePatch Late() => _patch = Patcher.Apply(_table, new ApplyOptions { Assemblies = a => a == _copy, WatchLoads = false, RedirectCompiled = true });
}
