using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Perf.Rows;

/// <summary>Two numbers: a struct that goes in registers on Linux.</summary>
/// <param name="A">The first.</param>
/// <param name="B">The second.</param>
public readonly record struct Pair(long A, long B);

/// <summary>Four numbers: a struct that goes through memory.</summary>
/// <param name="A">The first.</param>
/// <param name="B">The second.</param>
/// <param name="C">The third.</param>
/// <param name="D">The fourth.</param>
public readonly record struct Quad(long A, long B, long C, long D);

/// <summary>The ops that are measured.</summary>
public static unsafe class LabOps
{
    /// <summary>One step of a computation.</summary>
    [PvOp("lab.step")]
    public static delegate* unmanaged<long, long> Step;

    /// <summary>No argument.</summary>
    [PvOp("lab.none")]
    public static delegate* unmanaged<long> None;

    /// <summary>Two.</summary>
    [PvOp("lab.two")]
    public static delegate* unmanaged<long, long, long> Two;

    /// <summary>Three.</summary>
    [PvOp("lab.three")]
    public static delegate* unmanaged<long, long, long, long> Three;

    /// <summary>Four.</summary>
    [PvOp("lab.four")]
    public static delegate* unmanaged<long, long, long, long, long> Four;

    /// <summary>A struct of 16 bytes, in and out.</summary>
    [PvOp("lab.pair")]
    public static delegate* unmanaged<Pair, Pair> Pair;

    /// <summary>A struct of 32 bytes, in and out.</summary>
    [PvOp("lab.quad")]
    public static delegate* unmanaged<Quad, Quad> Quad;

    /// <summary>Holds a nop.</summary>
    [PvOp("lab.nop")]
    public static delegate* unmanaged<long, void> Nop;

    /// <summary>Holds a number.</summary>
    [PvOp("lab.constant")]
    public static delegate* unmanaged<long> Constant;

    /// <summary>Holds its argument.</summary>
    [PvOp("lab.identity")]
    public static delegate* unmanaged<long, long> Identity;

    /// <summary>Holds a small method, which the JIT inlines.</summary>
    [PvOp("lab.direct")]
    public static delegate* unmanaged<long, long, long> Direct;

    /// <summary>Holds a small method's IL.</summary>
    [PvOp("lab.inline")]
    public static delegate* unmanaged<long, long, long> Inline;

    /// <summary>Holds a method that the JIT is told not to inline.</summary>
    [PvOp("lab.called")]
    public static delegate* unmanaged<long, long, long> Called;
}

/// <summary>What the slots hold.</summary>
public static class LabTargets
{
    /// <summary>Keeps results positive, so that libc's <c>llabs</c> changes none of them.</summary>
    public const long Mask = 0xfff_ffff;

    /// <summary>One step.</summary>
    public static long Step(long x) => ((x * 5) + 1) & Mask;

    /// <summary>No argument.</summary>
    public static long None() => 7;

    /// <summary>Two.</summary>
    public static long Two(long a, long b) => (a + b) ^ 0x55;

    /// <summary>Three.</summary>
    public static long Three(long a, long b, long c) => ((a + b) ^ c) + 3;

    /// <summary>Four.</summary>
    public static long Four(long a, long b, long c, long d) => ((a + b) ^ c) - d;

    /// <summary>16 bytes.</summary>
    public static Pair Pair(Pair p) => new(p.B + 1, p.A ^ p.B);

    /// <summary>32 bytes.</summary>
    public static Quad Quad(Quad q) => new(q.B + 1, q.C ^ q.A, q.D + q.B, q.A);

    /// <summary>Adds.</summary>
    public static long Add(long sum, long value) => sum + value;

    /// <summary>A call that stays one.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Called(long a, long b) => (a + b) ^ 0x55;
}
