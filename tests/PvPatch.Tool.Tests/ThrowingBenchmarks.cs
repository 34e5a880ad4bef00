using BenchmarkDotNet.Attributes;

namespace PvPatch.Tool.Tests;

/// <summary>What the lab is given in its tests.</summary>
public class ThrowingBenchmarks
{
    [Benchmark]
    public int Works() => Environment.TickCount;

    [Benchmark]
    public int Throws() => throw new InvalidOperationException("it is\nbroken");
}
