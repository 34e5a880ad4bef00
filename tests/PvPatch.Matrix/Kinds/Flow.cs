namespace PvPatch.Matrix.Kinds;

public static unsafe class Recursion
{
    public static long Run(long a) => Site(a & 15);

    private static long Site(long a) => a <= 0 ? 1 : Pv.Join(Site(a - 1), a);
}

public static unsafe class MutualRecursion
{
    public static long Run(long a) => Even(a & 15);

    private static long Even(long a) => a <= 0 ? 1 : Pv.Mix(Odd(a - 1));

    private static long Odd(long a) => a <= 0 ? 2 : Pv.Join(Even(a - 1), a);
}

public static unsafe class TailPosition
{
    public static long Run(long a) => Site(a, 4);

    private static long Site(long a, long b) => b == 0 ? Pv.Mix(a) : Site(Pv.Join(a, b), b - 1);
}

public static unsafe class Switch
{
    public static long Run(long a) => Site(a) + Site(a + 1) + Site(a + 2);

    private static long Site(long a) => (a & 3) switch
    {
        0 => Pv.Mix(a),
        1 => Pv.Join(a, 3),
        2 => Pv.Join(3, Pv.Mix(a)),
        _ => 0,
    };
}

public static unsafe class SwitchOfStrings
{
    public static long Run(long a) => Site((a & 1) == 0 ? "even" : "odd", a);

    private static long Site(string text, long a)
    {
        switch (text)
        {
            case "even":
                return Pv.Mix(a);
            case "odd":
                return Pv.Join(a, 3);
            case "neither":
                return Pv.Join(3, a);
            default:
                throw new ArgumentOutOfRangeException(nameof(text));
        }
    }
}

public static unsafe class BranchesInArguments
{
    public static long Run(long a) => Site(a, a > 4);

    private static long Site(long a, bool isBig) => Pv.Join(isBig ? Pv.Mix(a) : a, isBig && Pv.Mix(a) > 0 ? 1 : Pv.Mix(a + 1));
}

public static unsafe class Loop
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        for (int i = 0; i < 100; i++)
            a = Pv.Join(a, i) ^ Pv.Mix(a);
        return a;
    }
}

/// <summary>Long enough for the runtime to replace its code while it runs.</summary>
public static unsafe class LongLoop
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        for (int i = 0; i < 20_000; i++)
            a = Pv.Join(a, i) & 0xFFFF;
        return a;
    }
}

/// <summary>The program is patched while the loop runs: see <see cref="Moment"/>.</summary>
public static unsafe class LoopInFlight
{
    public static long Run(long a) => Site(a, 20_000);

    private static long Site(long a, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            a = Pv.Join(a, i) & 0xFFFF;
            if (i == 100 || i == rounds - 100)
                Moment.Come();
        }

        return a;
    }
}

public static unsafe class NestedLoops
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        long sum = 0;
        for (int i = 0; i < 5; i++)
        {
            for (int j = i; j < 5; j++)
            {
                if ((a & 1) == 0 && j == 3)
                    continue;
                sum = Pv.Join(sum, Pv.Mix(i + j));
            }
        }

        return sum;
    }
}

public static unsafe class CheckedArithmetic
{
    public static long Run(long a) => Site((int)a & 0xFFFF);

    private static long Site(int a) => checked((int)Pv.Mix(a) + (byte)(Pv.Mix(a) & 0xFF));
}

/// <summary>More IL than is ever inlined without being asked for.</summary>
public static unsafe class LargeMethod
{
    public static long Run(long a) => Site(a);

    private static long Site(long a)
    {
        long b = Pv.Join(a, 1), c = Pv.Join(b, 2), d = Pv.Join(c, 3), e = Pv.Join(d, 4), f = Pv.Join(e, 5), g = Pv.Join(f, 6);
        b = Pv.Join(g, b) + Pv.Mix(b) + Pv.Join(c, d) + Pv.Mix(c) + Pv.Join(e, f) + Pv.Mix(d) + Pv.Join(g, a) + Pv.Mix(e);
        c = Pv.Join(b, c) - Pv.Mix(f) - Pv.Join(d, e) - Pv.Mix(g) - Pv.Join(f, g) - Pv.Mix(a) - Pv.Join(a, b) - Pv.Mix(b);
        d = Pv.Join(c, d) ^ Pv.Mix(c) ^ Pv.Join(e, f) ^ Pv.Mix(d) ^ Pv.Join(g, a) ^ Pv.Mix(e) ^ Pv.Join(b, c) ^ Pv.Mix(f);
        e = Pv.Join(d, e) + Pv.Mix(g) - Pv.Join(f, g) + Pv.Mix(a) - Pv.Join(a, b) + Pv.Mix(b) - Pv.Join(c, d) + Pv.Mix(c);
        f = Pv.Join(e, f) - Pv.Mix(d) + Pv.Join(g, a) - Pv.Mix(e) + Pv.Join(b, c) - Pv.Mix(f) + Pv.Join(d, e) - Pv.Mix(g);
        g = Pv.Join(f, g) ^ Pv.Mix(a) ^ Pv.Join(a, b) ^ Pv.Mix(b) ^ Pv.Join(c, d) ^ Pv.Mix(c) ^ Pv.Join(e, f) ^ Pv.Mix(d);
        b = Pv.Join(g, b) + Pv.Mix(b) + Pv.Join(c, d) + Pv.Mix(c) + Pv.Join(e, f) + Pv.Mix(d) + Pv.Join(g, a) + Pv.Mix(e);
        c = Pv.Join(b, c) - Pv.Mix(f) - Pv.Join(d, e) - Pv.Mix(g) - Pv.Join(f, g) - Pv.Mix(a) - Pv.Join(a, b) - Pv.Mix(b);
        return a + b + c + d + e + f + g;
    }
}

public static unsafe class PatternMatch
{
    public static long Run(long a) => Site(a) + Site((int)a) + Site("text") + Site(new int[] { 1, (int)a });

    private static long Site(object value) => value switch
    {
        long a and > 3 => Pv.Mix(a),
        long a => Pv.Join(a, 1),
        int a when Pv.Mix(a) > 10 => a,
        string { Length: var length } => Pv.Join(length, 2),
        int[] and [1, var a, ..] => Pv.Mix(a),
        _ => 0,
    };
}

public static unsafe class NullableArithmetic
{
    public static long Run(long a) => Site(a) + Site(null);

    private static long Site(long? a) => (a is { } b ? Pv.Mix(b) : null as long?) ?? Pv.Join(1, 2);
}
