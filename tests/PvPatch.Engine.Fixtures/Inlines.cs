using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Engine.Fixtures;

/// <summary>Ops whose targets are installed to be written at the sites.</summary>
public unsafe struct InlineOps
{
    [PvOp("inline.sum", PvOpClass.PatchedCall, "Adds")]
    public delegate* unmanaged<long, long, long> Sum;

    [PvOp("inline.square", PvOpClass.PatchedCall, "Uses its argument twice")]
    public delegate* unmanaged<long, long> Square;

    [PvOp("inline.store", PvOpClass.PatchedCall, "Writes a field")]
    public delegate* unmanaged<Pair*, long, void> Store;

    [PvOp("inline.first", PvOpClass.PatchedCall, "Does not use its last argument")]
    public delegate* unmanaged<long, long, long> First;

    [PvOp("inline.cut", PvOpClass.PatchedCall, "Takes and gives narrow numbers")]
    public delegate* unmanaged<short, int, byte> Cut;

    [PvOp("inline.scale", PvOpClass.PatchedCall, "Calculates with doubles")]
    public delegate* unmanaged<double, double, double> Scale;

    [PvOp("inline.letters", PvOpClass.PatchedCall, "Names a string")]
    public delegate* unmanaged<long, long> Letters;

    [PvOp("inline.twice", PvOpClass.PatchedCall, "Calls another method")]
    public delegate* unmanaged<long, long> Twice;

    [PvOp("inline.larger", PvOpClass.PatchedCall, "Branches on its arguments")]
    public delegate* unmanaged<long, long, long> Larger;

    [PvOp("inline.clamp", PvOpClass.PatchedCall, "Has local variables and several returns")]
    public delegate* unmanaged<long, long> Clamp;

    [PvOp("inline.turned", PvOpClass.PatchedCall, "Builds a struct")]
    public delegate* unmanaged<Pair, Pair> Turned;

    [PvOp("inline.counted", PvOpClass.PatchedCall, "Uses what its class keeps to itself")]
    public delegate* unmanaged<long, long> Counted;

    [PvOp("inline.guarded", PvOpClass.PatchedCall, "Has a protected region")]
    public delegate* unmanaged<long, long> Guarded;

    [PvOp("inline.stopping", PvOpClass.PatchedCall, "Ends with a throw")]
    public delegate* unmanaged<long, long> Stopping;
}

internal static unsafe class InlineTargets
{
    private static long _calls;

    internal static long Sum(long a, long b) => a + b;

    internal static long Square(long a) => a * a;

    internal static void Store(Pair* pair, long value) => pair->Second = value;

    internal static long First(long a, long _) => a;

    internal static byte Cut(short a, int b) => unchecked((byte)(a + b));

    internal static double Scale(double a, double b) => (a * b) + 0.5;

    internal static long Letters(long a) => a + "letters".Length;

    internal static long Twice(long a) => Native.Add(a, a);

    internal static long Larger(long a, long b) => a > b ? a : b;

    internal static long Clamp(long a)
    {
        long bound = 100;
        for (int i = 0; i < 3; i++)
            bound += i * 7;
        if (a > bound)
            return bound;
        if (a < -bound)
            return -bound;
        return a;
    }

    internal static Pair Turned(Pair pair)
    {
        Pair other = default;
        other.First = pair.Second;
        other.Second = pair.First;
        return other;
    }

    internal static long Counted(long a) => a + (++_calls * 0);

    internal static long Guarded(long a)
    {
        try
        {
            return 1000 / a;
        }
        catch (DivideByZeroException)
        {
            return -1;
        }
    }

    internal static long Stopping(long a)
    {
        if (a < 1_000_000_000)
            return a + 1;
        throw new ArgumentOutOfRangeException(nameof(a));
    }
}

/// <summary>Sites of such ops. The name's end is the verdict where nothing may grow.</summary>
public static unsafe class Inlines
{
    private static long _effects;

    public static long Sum_Inline(long a) => Pv.Inline.Sum(a, 3) + Pv.Inline.Sum(Pv.Inline.Sum(1, a), Pv.Inline.Sum(a, a));

    public static long SumInLoop_Inline(long a)
    {
        long sum = 0;
        for (int i = 0; i < 10; i++)
            sum = Pv.Inline.Sum(sum, a + i);
        return sum;
    }

    public static long SumOfBranches_Inline(long a) => Pv.Inline.Sum(a > 3 ? a : Effect(a), a % 2 == 0 ? 5 : 6);

    public static long SumInTry_Inline(long a)
    {
        try
        {
            return 12 / Pv.Inline.Sum(a, -a);
        }
        catch (DivideByZeroException) when (Pv.Inline.Sum(a, 1) > 1)
        {
            return Pv.Inline.Sum(a, 7);
        }
    }

    public static long Square_Inline(long a) => Pv.Inline.Square(a + 1);

    public static long Store_Inline(long a)
    {
        Pair pair = default;
        Pv.Inline.Store(&pair, a * 3);
        return pair.Second;
    }

    public static long First_Inline(long a) => Pv.Inline.First(a, 3) + Pv.Inline.First(2, Effect(a)) + _effects;

    public static long Cut_Inline(long a) => Pv.Inline.Cut(unchecked((short)a), (int)a);

    public static long Scale_Direct(long a) => (long)Pv.Inline.Scale(a, 1.5);

    public static long Letters_Direct(long a) => Pv.Inline.Letters(a);

    public static long Twice_Inline(long a) => Pv.Inline.Twice(a);

    public static long Larger_Direct(long a) => Pv.Inline.Larger(a, 12) + Pv.Inline.Larger(5, a);

    public static long LargerInBranches_Direct(long a)
    {
        long sum = 0;
        for (int i = 0; i < 4; i++)
        {
            if (a % 2 == i)
                sum += Pv.Inline.Larger(sum, Pv.Inline.Larger(a, i));
            else
                sum -= Pv.Inline.Clamp(a * i);
        }

        return sum;
    }

    public static long ClampInHandlers_Direct(long a)
    {
        long b = a;
        try
        {
            b = Pv.Inline.Clamp(a * 2) / (a - 3);
        }
        catch (DivideByZeroException)
        {
            b = Pv.Inline.Clamp(a + 500);
        }
        finally
        {
            b += Pv.Inline.Clamp(b);
        }

        return b;
    }

    public static long ClampInSwitch_Direct(long a) => (a % 5) switch
    {
        0 => Pv.Inline.Clamp(a),
        1 => Pv.Inline.Clamp(a + 1) + Pv.Inline.Clamp(-a),
        2 => Pv.Inline.Clamp(a + 2) * Pv.Inline.Larger(a, 77),
        3 => 17,
        _ => Pv.Inline.Clamp(Pv.Inline.Clamp(a * 1000) - 5),
    };

    public static long Turned_Direct(long a)
    {
        Pair pair = Pv.Inline.Turned(new Pair { First = a, Second = 3 });
        return (pair.First * 10) + pair.Second;
    }

    public static long Counted_Direct(long a) => Pv.Inline.Counted(a);

    public static long Guarded_Direct(long a) => Pv.Inline.Guarded(a);

    public static long Stopping_Direct(long a) => Pv.Inline.Stopping(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Effect(long a) => _effects += a;
}
