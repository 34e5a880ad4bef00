using BenchmarkDotNet.Attributes;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;

namespace MyOps;

/// <summary>
/// A template: an op of yours, written by hand, patched, and through its slot. The loops stand in the benchmarks, for calling a
/// benchmark costs more than an op does.
/// </summary>
public unsafe class ClampCosts
{
    private const int Calls = 10_000;

    [GlobalSetup]
    public void SetUp()
    {
        foreach (Type slots in (Type[])[typeof(PatchedOps), typeof(SlotOps)])
        {
            var ops = new PvOpTable(slots);
            ops.Install("my.clamp", PvTarget.Method(ToByte));
            if (slots == typeof(PatchedOps))
                Patcher.Apply(ops); // before a method that calls the op has run
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public long HandWritten()
    {
        long sum = 0;
        for (int i = 0; i < Calls; i++)
            sum += Math.Clamp(i - 100L, 0, 255);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public long Patched()
    {
        long sum = 0;
        for (int i = 0; i < Calls; i++)
            sum += PatchedOps.Clamp(i - 100L);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public long Slot()
    {
        long sum = 0;
        for (int i = 0; i < Calls; i++)
            sum += SlotOps.Clamp(i - 100L);
        return sum;
    }

    internal static long ToByte(long x) => Math.Clamp(x, 0, 255);
}

/// <summary>The slot that is patched.</summary>
public static unsafe class PatchedOps
{
    [PvOp("my.clamp")]
    public static delegate* unmanaged<long, long> Clamp;
}

/// <summary>One like it that is not.</summary>
public static unsafe class SlotOps
{
    [PvOp("my.clamp")]
    public static delegate* unmanaged<long, long> Clamp;
}
