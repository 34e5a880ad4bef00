using BenchmarkDotNet.Attributes;

namespace PvPatch.Perf.Rows;

/// <summary>What an op takes.</summary>
public enum Arguments
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>One number.</summary>
    One,

    /// <summary>Two.</summary>
    Two,

    /// <summary>Three.</summary>
    Three,

    /// <summary>Four.</summary>
    Four,

    /// <summary>A struct of 16 bytes, and it gives one back.</summary>
    Pair,

    /// <summary>A struct of 32 bytes, and it gives one back.</summary>
    Quad,
}

/// <summary>What arguments add to a call, by the ways in which that differs.</summary>
public class ArgumentCosts : LoopCosts
{
    private LoopForms _forms = null!;

    /// <summary>What the op takes.</summary>
    [ParamsAllValues]
    public Arguments Takes { get; set; }

    /// <summary>Makes the copies.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        Func<int, long> byHand = Takes switch
        {
            Arguments.None => HandLoops.None,
            Arguments.One => HandLoops.One,
            Arguments.Two => HandLoops.Two,
            Arguments.Three => HandLoops.Three,
            Arguments.Four => HandLoops.Four,
            Arguments.Pair => HandLoops.Pair,
            _ => HandLoops.Quad,
        };
        _forms = Forms(byHand, $"{Takes}");
    }

    /// <summary>The op's work written into the loop.</summary>
    [Benchmark(Description = "hand-written", Baseline = true, OperationsPerInvoke = Calls)]
    public long HandWritten() => Run(_forms.HandWritten);

    /// <summary>Patched before it was loaded.</summary>
    [Benchmark(Description = "PvPatch: patched, image", OperationsPerInvoke = Calls)]
    public long Patched() => Run(_forms.Image);

    /// <summary>A call that stays one.</summary>
    [Benchmark(Description = "direct call, not inlined", OperationsPerInvoke = Calls)]
    public long Direct() => Run<ArgumentWays.Direct>();

    /// <summary>An interface with one class.</summary>
    [Benchmark(Description = "interface, 1 class", OperationsPerInvoke = Calls)]
    public long Interface() => Run<ArgumentWays.Interface>();

    /// <summary>A managed function pointer.</summary>
    [Benchmark(Description = "delegate* managed", OperationsPerInvoke = Calls)]
    public long ManagedPointer() => Run<ArgumentWays.ManagedPointer>();

    /// <summary>A delegate.</summary>
    [Benchmark(Description = "delegate", OperationsPerInvoke = Calls)]
    public long ByDelegate() => Run<ArgumentWays.ByDelegate>();

    /// <summary>Through the slot.</summary>
    [Benchmark(Description = "PvPatch: slot, unpatched", OperationsPerInvoke = Calls)]
    public long Slot() => Run(_forms.Slot);

    private long Run<TWay>()
        where TWay : struct, IArgumentWay => Run(Takes switch
        {
            Arguments.None => ArgumentLoops.None<TWay>,
            Arguments.One => ArgumentLoops.One<TWay>,
            Arguments.Two => ArgumentLoops.Two<TWay>,
            Arguments.Three => ArgumentLoops.Three<TWay>,
            Arguments.Four => ArgumentLoops.Four<TWay>,
            Arguments.Pair => ArgumentLoops.Pair<TWay>,
            _ => ArgumentLoops.Quad<TWay>,
        });
}
