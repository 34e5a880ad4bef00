using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;

namespace PvPatch.Perf;

/// <summary>
/// What one call of an op costs, in nanoseconds: a loop of <c>x = 5x + 1</c> with the step written into the loop, called
/// directly, called through the slot of an op, and called through the same slot where the image way has patched it. The
/// step depends on the one before, so what is measured is latency. "Patched" is a second copy of this assembly, patched by
/// <see cref="Patcher.Plan"/>; it should cost what "Inline" costs. "CompiledEntry" is
/// a slot that holds a compiled <c>[UnmanagedCallersOnly]</c> method, as a source generator would write it, where "Slot"
/// holds the entry that the engine makes when the table is filled.
/// </summary>
public class CallCosts
{
    internal const int Calls = 100_000;

    private Func<int, long> _throughSlot = null!;
    private Func<int, long> _patched = null!;

    /// <summary>Fills the slots of this assembly and of its patched copy.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        Assembly here = typeof(CallCosts).Assembly;
        PvOpTable table = Filled(here);
        PatchPlan plan = Patcher.Plan(table, [here.Location]);
        if (plan.Report.Totals.Patched != 1)
            throw new InvalidOperationException($"The op's wrapper was not patched:\n{plan.Report}");

        Assembly copy = ImageSet.Load(plan)[here.GetName().Name!];
        Filled(copy);
        _throughSlot = Loop(here);
        _patched = Loop(copy);
        if (_throughSlot(1000) != _patched(1000))
            throw new InvalidOperationException("The patched copy computes something else.");
    }

    /// <summary>The step written into the loop.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public long Inline() => StepLoops.Inline(Calls);

    /// <summary>A call that the compiler inlines.</summary>
    [Benchmark(OperationsPerInvoke = Calls)]
    public long Direct() => StepLoops.Direct(Calls);

    /// <summary>A call that stays one.</summary>
    [Benchmark(OperationsPerInvoke = Calls)]
    public long DirectNotInlined() => StepLoops.DirectNotInlined(Calls);

    /// <summary>Through the slot, as before patching.</summary>
    [Benchmark(OperationsPerInvoke = Calls)]
    public long Slot() => _throughSlot(Calls);

    /// <summary>Through a slot that holds a method compiled for it.</summary>
    [Benchmark(OperationsPerInvoke = Calls)]
    public long CompiledEntry() => StepLoops.CompiledEntry(Calls);

    /// <summary>The same wrapper, patched.</summary>
    [Benchmark(OperationsPerInvoke = Calls)]
    public long Patched() => _patched(Calls);

    private static PvOpTable Filled(Assembly copy)
    {
        var table = new PvOpTable(copy.GetType(typeof(StepTable).FullName!, throwOnError: true)!);
        table.Install("step.next", PvTarget.Method(copy.GetType(typeof(StepTargets).FullName!, throwOnError: true)!, nameof(StepTargets.Next)));
        return table;
    }

    private static Func<int, long> Loop(Assembly copy) =>
        copy.GetType(typeof(StepLoops).FullName!, throwOnError: true)!.GetMethod(nameof(StepLoops.Wrapped))!.CreateDelegate<Func<int, long>>();
}

/// <summary>The op that is measured.</summary>
public unsafe struct StepOps
{
    /// <summary>One step.</summary>
    [PvOp("step.next", PvOpClass.PatchedCall, "Makes one step")]
    public delegate* unmanaged<long, long> Next;
}

/// <summary>The same op without the engine.</summary>
public unsafe struct ByHandOps
{
    /// <summary>One step.</summary>
    public delegate* unmanaged<long, long> Next;
}

/// <summary>Its table.</summary>
public static class StepTable
{
    /// <summary>The slots.</summary>
    public static StepOps Ops;

    /// <summary>The same slots, filled by hand.</summary>
    public static ByHandOps ByHand;

    /// <summary>The wrapper that callers use, as a kernel's <c>static inline</c> ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe long Next(long x) => Ops.Next(x);
}

internal static class StepTargets
{
    public static long Next(long x) => (x * 5) + 1;

    [UnmanagedCallersOnly]
    public static long Entry(long x) => Next(x);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long NextNotInlined(long x) => (x * 5) + 1;
}

internal static class StepLoops
{
    public static long Inline(int calls)
    {
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = (x * 5) + 1;
        return x;
    }

    public static long Direct(int calls)
    {
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = StepTargets.Next(x);
        return x;
    }

    public static long DirectNotInlined(int calls)
    {
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = StepTargets.NextNotInlined(x);
        return x;
    }

    public static unsafe long CompiledEntry(int calls)
    {
        StepTable.ByHand.Next = &StepTargets.Entry;
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = StepTable.ByHand.Next(x);
        return x;
    }

    public static long Wrapped(int calls)
    {
        long x = 1;
        for (int i = 0; i < calls; i++)
            x = StepTable.Next(x);
        return x;
    }
}
