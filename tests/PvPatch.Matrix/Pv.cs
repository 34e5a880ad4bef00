using System.Runtime.InteropServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Matrix;

/// <summary>The ops that the kinds call.</summary>
public static unsafe class Pv
{
    [PvOp("matrix.mix", PvOpClass.PatchedCall, "Mixes a number")]
    public static delegate* unmanaged<long, long> Mix;

    [PvOp("matrix.join", PvOpClass.PatchedCall, "Joins two numbers")]
    public static delegate* unmanaged<long, long, long> Join;

    [PvOp("matrix.scale", PvOpClass.PatchedCall, "Scales a floating-point number")]
    public static delegate* unmanaged<double, double> Scale;

    [PvOp("matrix.bump", PvOpClass.PatchedCall, "Counts in memory")]
    public static delegate* unmanaged<long*, void> Bump;
}

/// <summary>What the ops are patched to.</summary>
public static unsafe class Natives
{
    public static long Mix(long a) => (a * 5) + 1;

    public static long Join(long a, long b) => (a * 31) ^ b;

    public static double Scale(double a) => (a * 1.5) + 0.25;

    public static void Bump(long* place) => *place += 3;
}

/// <summary>The same behind the slots, but seen: what is called here has not come by a patched site.</summary>
public static unsafe class Seen
{
    private static long _calls;

    /// <summary>Calls through the slots so far, of this copy of the program.</summary>
    public static long Calls => Volatile.Read(ref _calls);

    [UnmanagedCallersOnly]
    public static long Mix(long a)
    {
        Interlocked.Increment(ref _calls);
        return Natives.Mix(a);
    }

    [UnmanagedCallersOnly]
    public static long Join(long a, long b)
    {
        Interlocked.Increment(ref _calls);
        return Natives.Join(a, b);
    }

    [UnmanagedCallersOnly]
    public static double Scale(double a)
    {
        Interlocked.Increment(ref _calls);
        return Natives.Scale(a);
    }

    [UnmanagedCallersOnly]
    public static void Bump(long* place)
    {
        Interlocked.Increment(ref _calls);
        Natives.Bump(place);
    }
}
