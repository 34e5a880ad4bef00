using BenchmarkDotNet.Attributes;

namespace PvPatch.Perf.Rows;

/// <summary>What a slot may hold.</summary>
public enum Held
{
    /// <summary>Nothing is done.</summary>
    Nop,

    /// <summary>A number.</summary>
    Constant,

    /// <summary>The argument.</summary>
    Identity,

    /// <summary>A method that the JIT inlines.</summary>
    Direct,

    /// <summary>A method's IL, written at the site.</summary>
    Inline,

    /// <summary>A method that the JIT is told not to inline.</summary>
    Called,
}

/// <summary>
/// A call for everything that a slot may hold, by every way of patching. Patched should cost what hand-written code costs; the slot
/// is at least ten times the patched leaf.
/// </summary>
[MemoryDiagnoser]
public class ReplacementCosts : LoopCosts
{
    private LoopForms _forms = null!;

    /// <summary>What the slot holds.</summary>
    [ParamsAllValues]
    public Held Slot { get; set; }

    /// <summary>Makes the copies.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        Func<int, long> byHand = Slot switch
        {
            Held.Nop => HandLoops.Nop,
            Held.Constant => HandLoops.Constant,
            Held.Identity => HandLoops.Identity,
            Held.Direct => HandLoops.Direct,
            Held.Inline => HandLoops.Inline,
            _ => HandLoops.Called,
        };
        _forms = Forms(byHand, $"{Slot}");
    }

    /// <summary>No op.</summary>
    [Benchmark(Description = "hand-written", Baseline = true, OperationsPerInvoke = Calls)]
    public long HandWritten() => Run(_forms.HandWritten);

    /// <summary>Patched before it was loaded.</summary>
    [Benchmark(Description = "patched, image", OperationsPerInvoke = Calls)]
    public long Image() => Run(_forms.Image);

    /// <summary>Patched before it ran.</summary>
    [Benchmark(Description = "patched, in place", OperationsPerInvoke = Calls)]
    public long InPlace() => Run(_forms.InPlace);

    /// <summary>Patched when it was hot.</summary>
    [Benchmark(Description = "patched, late", OperationsPerInvoke = Calls)]
    public long Late() => Run(_forms.Late);

    /// <summary>Through the slot.</summary>
    [Benchmark(Description = "slot, unpatched", OperationsPerInvoke = Calls)]
    public long ThroughSlot() => Run(_forms.Slot);
}
