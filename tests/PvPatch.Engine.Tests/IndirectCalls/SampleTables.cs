using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Tests.IndirectCalls;

public unsafe struct CounterOps
{
    [PvOp("counter.add", PvOpClass.PatchedCall, "Adds to a counter")]
    public delegate* unmanaged<long*, int, long> Add;

    [PvOp("counter.clear", PvOpClass.PatchedCall, "Sets a counter to zero")]
    public delegate* unmanaged<long*, void> Clear;

    public int NotASlot;
}

public unsafe struct NestedOps
{
    public int Before;
    public CounterOps Counter;

    [PvOp("nested.narrow", PvOpClass.SimpleIndirectCall, "Gives a small number")]
    public delegate* unmanaged<sbyte> Narrow;

    [PvOp("nested.same", PvOpClass.PatchedCall | PvOpClass.AssemblyMacro, "Gives its argument")]
    public delegate* unmanaged[Cdecl]<ulong, ulong> Same;
}

public static unsafe class SampleTable
{
    public static NestedOps Nested;

    [PvOp("plain.twice", PvOpClass.PatchedCall, "Doubles")]
    public static delegate* unmanaged<double, double> Twice;

    public static int Other;
}

internal static unsafe class SampleTargets
{
    public static long Add(long* counter, int by) => *counter += by;

    public static long Subtract(long* counter, int by) => *counter -= by;

    public static void Clear(long* counter) => *counter = 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Twice(double x) => x * 2;

    public static double TwiceOfInt(int x) => x * 2;

    public static T Generic<T>(T x) => x;

    [UnmanagedCallersOnly]
    public static double Entry(double x) => x;
}
