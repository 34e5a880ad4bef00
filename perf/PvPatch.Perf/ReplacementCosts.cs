using System.Reflection;
using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using PvPatch.Engine;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.Image;
using PvPatch.Engine.PatchedCalls.InPlace;

namespace PvPatch.Perf;

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
    Inlined,

    /// <summary>A method that it is told not to inline.</summary>
    Called,
}

/// <summary>
/// What a call costs for everything that a slot may hold, in nanoseconds: written by hand, patched in place, and through the
/// slot. The limits: patched at most 1.05 of hand-written, which is noise, for the machine code is the same; and the slot
/// at least ten times the patched leaf. Nothing is allocated.
/// </summary>
[MemoryDiagnoser]
public class ReplacementCosts
{
    private const int Calls = CallCosts.Calls;

    private static readonly string[] Ops = ["held.nop", "held.constant", "held.identity", "held.inlined", "held.called"];

    private Func<int, long> _byHand = null!;
    private Func<int, long> _patched = null!;
    private Func<int, long> _throughSlot = null!;

    /// <summary>What the slot holds.</summary>
    [ParamsAllValues]
    public Held Slot { get; set; }

    /// <summary>Two copies of this assembly, of which one is patched in place.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        Assembly slots = Copy(), patched = Copy();
        Filled(slots);
        using LivePatch patch = Patcher.Apply(Filled(patched), new ApplyOptions { Assemblies = a => a == patched, WatchLoads = false });
        if (patch.Report.Totals.Patched != Ops.Length)
            throw new InvalidOperationException(patch.Report.ToString());
        _byHand = Loop(patched, $"{Slot}ByHand");
        _patched = Loop(patched, $"{Slot}Op");
        _throughSlot = Loop(slots, $"{Slot}Op");
        if (_byHand(1000) != _patched(1000) || _byHand(1000) != _throughSlot(1000))
            throw new InvalidOperationException("The forms compute different things.");
    }

    /// <summary>No op.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public long HandWritten() => _byHand(Calls);

    /// <summary>Patched in place, before it ran.</summary>
    [Benchmark(OperationsPerInvoke = Calls)]
    public long Patched() => _patched(Calls);

    /// <summary>Through the slot.</summary>
    [Benchmark(OperationsPerInvoke = Calls)]
    public long ThroughSlot() => _throughSlot(Calls);

    private static Assembly Copy()
    {
        Assembly here = typeof(ReplacementCosts).Assembly;
        return ImageSet.LoadUnpatched([here.Location])[here.GetName().Name!];
    }

    private static PvOpTable Filled(Assembly copy)
    {
        Type Here(Type type) => copy.GetType(type.FullName!, throwOnError: true)!;
        var table = new PvOpTable(Here(typeof(HeldOps)));
        PvTarget[] targets =
        [
            PvTarget.Nop, PvTarget.Constant(7), PvTarget.Identity,
            PvTarget.Method(Here(typeof(HeldTargets)), nameof(HeldTargets.Mix)), PvTarget.Method(Here(typeof(HeldTargets)), nameof(HeldTargets.MixCalled)),
        ];
        table.Install(Ops.Zip(targets, KeyValuePair.Create));
        return table;
    }

    private static Func<int, long> Loop(Assembly copy, string name) =>
        copy.GetType(typeof(HeldLoops).FullName!, throwOnError: true)!.GetMethod(name)!.CreateDelegate<Func<int, long>>();
}

/// <summary>A slot for each.</summary>
public static unsafe class HeldOps
{
    /// <summary>Holds a nop.</summary>
    [PvOp("held.nop")]
    public static delegate* unmanaged<long, void> Nop;

    /// <summary>Holds a number.</summary>
    [PvOp("held.constant")]
    public static delegate* unmanaged<long> Constant;

    /// <summary>Holds its argument.</summary>
    [PvOp("held.identity")]
    public static delegate* unmanaged<long, long> Identity;

    /// <summary>Holds a small method.</summary>
    [PvOp("held.inlined")]
    public static delegate* unmanaged<long, long, long> Inlined;

    /// <summary>Holds a method that stays one.</summary>
    [PvOp("held.called")]
    public static delegate* unmanaged<long, long, long> Called;
}

internal static class HeldTargets
{
    public static long Mix(long sum, long value) => (sum + value) ^ 0x55;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long MixCalled(long sum, long value) => (sum + value) ^ 0x55;
}

internal static unsafe class HeldLoops
{
    public static long NopOp(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
        {
            HeldOps.Nop(sum * i);
            sum += i;
        }

        return sum;
    }

    public static long NopByHand(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += i;
        return sum;
    }

    public static long ConstantOp(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum ^= i + HeldOps.Constant();
        return sum;
    }

    public static long ConstantByHand(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum ^= i + 7L;
        return sum;
    }

    public static long IdentityOp(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += HeldOps.Identity(i ^ 3);
        return sum;
    }

    public static long IdentityByHand(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += i ^ 3;
        return sum;
    }

    public static long InlinedOp(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = HeldOps.Inlined(sum, i);
        return sum;
    }

    public static long InlinedByHand(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = HeldTargets.Mix(sum, i);
        return sum;
    }

    public static long CalledOp(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = HeldOps.Called(sum, i);
        return sum;
    }

    public static long CalledByHand(int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum = HeldTargets.MixCalled(sum, i);
        return sum;
    }
}
