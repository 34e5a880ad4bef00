using System.Reflection;
using BenchmarkDotNet.Attributes;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Rows;

/// <summary>
/// The first call of a method that makes one call: what the runtime does then, it compiles both. Each sample has a copy of this
/// assembly of its own, loaded before the clock starts.
/// </summary>
[Launches(2)]
public class ColdCosts
{
    private static readonly string Name = typeof(ColdCosts).Assembly.GetName().Name!;

    private PatchPlan _plan = null!;
    private ImageSet? _copy;
    private Func<int, long> _first = null!;

    /// <summary>Plans the patched image.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        using ImageSet copy = OpCopies.Load(collectible: true);
        _plan = OpCopies.Plan(OpCopies.Fill(copy[Name]));
    }

    /// <summary>For <see cref="HandWritten"/>.</summary>
    [IterationSetup(Target = nameof(HandWritten))]
    public void LoadHandWritten() => Take(OpCopies.Load(collectible: true), nameof(ColdCalls.HandWritten));

    /// <summary>For <see cref="Direct"/>.</summary>
    [IterationSetup(Target = nameof(Direct))]
    public void LoadDirect() => Take(OpCopies.Load(collectible: true), nameof(ColdCalls.Direct));

    /// <summary>For <see cref="ByDelegate"/>.</summary>
    [IterationSetup(Target = nameof(ByDelegate))]
    public void LoadDelegate() => Take(OpCopies.Load(collectible: true), nameof(ColdCalls.ByDelegate));

    /// <summary>For <see cref="Patched"/>.</summary>
    [IterationSetup(Target = nameof(Patched))]
    public void LoadPatched() => Take(ImageSet.Load(_plan, collectible: true), nameof(ColdCalls.Op));

    /// <summary>For <see cref="Slot"/>: the table is filled, so what the engine makes for its targets is there.</summary>
    [IterationSetup(Target = nameof(Slot))]
    public void LoadSlot()
    {
        ImageSet copy = OpCopies.Load(collectible: true);
        OpCopies.Fill(copy[Name]);
        Take(copy, nameof(ColdCalls.Op));
    }

    /// <summary>Lets the copy go.</summary>
    [IterationCleanup]
    public void Unload()
    {
        _first = null!;
        _copy?.Dispose();
        _copy = null;
    }

    /// <summary>No op.</summary>
    [Benchmark(Description = "hand-written", Baseline = true)]
    public long HandWritten() => _first(1);

    /// <summary>A direct call.</summary>
    [Benchmark(Description = "direct call")]
    public long Direct() => _first(1);

    /// <summary>A delegate.</summary>
    [Benchmark(Description = "delegate")]
    public long ByDelegate() => _first(1);

    /// <summary>Patched before it was loaded.</summary>
    [Benchmark(Description = "PvPatch: patched, image")]
    public long Patched() => _first(1);

    /// <summary>Through the slot.</summary>
    [Benchmark(Description = "PvPatch: slot, unpatched")]
    public long Slot() => _first(1);

    private void Take(ImageSet copy, string method)
    {
        _copy = copy;
        MethodInfo call = OpCopies.Of(copy[Name], typeof(ColdCalls)).GetMethod(method)!;
        _first = call.CreateDelegate<Func<int, long>>();
    }
}
