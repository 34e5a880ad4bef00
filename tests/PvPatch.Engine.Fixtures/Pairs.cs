using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Fixtures;

/// <summary>An op for each replacement.</summary>
public static unsafe class PairOps
{
    [PvOp("pair.nop")]
    public static delegate* unmanaged<long, void> Nop;

    [PvOp("pair.constant")]
    public static delegate* unmanaged<long> Constant;

    [PvOp("pair.identity")]
    public static delegate* unmanaged<long, long> Identity;

    [PvOp("pair.inlined")]
    public static delegate* unmanaged<long, long, long> Inlined;

    [PvOp("pair.called")]
    public static delegate* unmanaged<long, long, long> Called;

    [PvOp("pair.inline")]
    public static delegate* unmanaged<long, long, long> Inline;

    internal static long Sum(long sum, long value) => sum + value;

    internal static long Mix(long sum, long value) => (sum * 31) ^ value;

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static long MixCalled(long sum, long value) => (sum * 31) ^ value;
}

/// <summary>Each loop twice: with an op, and as one writes it by hand who needs no op.</summary>
public static unsafe class Pairs
{
    public static long Nop_Patched(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
        {
            PairOps.Nop(value * sum);
            sum += value;
        }

        return sum;
    }

    public static long Nop_HandWritten(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum += value;
        return sum;
    }

    public static long Constant_Patched(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum += value * PairOps.Constant();
        return sum;
    }

    public static long Constant_HandWritten(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum += value * 7;
        return sum;
    }

    public static long Identity_Patched(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum += PairOps.Identity(value + 1);
        return sum;
    }

    public static long Identity_HandWritten(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum += value + 1;
        return sum;
    }

    public static long Inlined_Patched(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum = PairOps.Inlined(sum, value);
        return sum;
    }

    public static long Inlined_HandWritten(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum = PairOps.Mix(sum, value);
        return sum;
    }

    public static long Inline_Patched(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum = PairOps.Inline(sum, value);
        return sum;
    }

    public static long Inline_HandWritten(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum += value;
        return sum;
    }

    public static long Called_Patched(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum = PairOps.Called(sum, value);
        return sum;
    }

    public static long Called_HandWritten(long[] data)
    {
        long sum = 0;
        foreach (long value in data)
            sum = PairOps.MixCalled(sum, value);
        return sum;
    }
}
