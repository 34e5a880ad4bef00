namespace PvPatch.Emulator.Instructions;

/// <summary>
/// F2XM1, FYL2X and FYL2XP1 (Intel SDM vol. 2): correctly rounded, from which a processor may differ in the last bit
/// (Intel SDM vol. 1, 8.3.10). Operands outside the ranges that the manual gives return as AMD's processors return them.
/// </summary>
internal static class Logarithms
{
    private static readonly WideFloat Ln2 = new(false, -1, new UInt128(0xb172_17f7_d1cf_79ab, 0xc9e3_b398_03f2_f6af));

    /// <summary>F2XM1: two to the power of <paramref name="a"/>, less one.</summary>
    public static Float80 PowerLessOne(Float80 a, ref ExtendedContext context)
    {
        if (context.IsDecided(a, out Float80 result))
            return result;
        context.NoteDenormal(a);
        if (a.IsZero)
            return a;
        if (a.IsInfinity)
            return a.IsNegative ? Float80.One.Negated : a;
        if (a.Exponent >= Float80.Bias)
        {
            bool isOne = a.Absolute == Float80.One;
            return isOne && a.IsNegative ? Float80.Make(negative: true, Float80.Bias - 1, Float80.IntegerBit) : a;
        }

        WideFloat x = WideFloat.From(a) * Ln2;
        WideFloat term = x;
        WideFloat sum = x;
        for (uint n = 2; !term.IsZero && term.Exponent > sum.Exponent - 130; n++)
        {
            term = term * x / n;
            sum += term;
        }

        return sum.Round(exact: false, ref context);
    }

    /// <summary>FYL2X: <paramref name="y"/> times the logarithm of <paramref name="x"/> (Intel SDM vol. 2, table 3-48).</summary>
    public static Float80 Logarithm(Float80 y, Float80 x, ref ExtendedContext context)
    {
        if (context.IsDecided(y, x, out Float80 result))
            return result;
        if ((x.IsNegative && !x.IsZero) || (x.IsZero && y.IsZero) || (x.IsInfinity && y.IsZero) || (x == Float80.One && y.IsInfinity))
            return context.Invalid();
        bool below = x.Exponent < Float80.Bias;
        bool negative = y.IsNegative != below;
        if (x.IsZero && !y.IsInfinity)
        {
            // A division by zero comes before a denormal operand (Intel SDM vol. 1, 8.6).
            context.Raised |= ExtendedExceptions.ZeroDivide;
            return Float80.Infinity(negative);
        }

        context.NoteDenormals(x, y);
        if (x.IsInfinity || y.IsInfinity)
            return Float80.Infinity(negative);
        if (y.IsZero || x == Float80.One)
            return Float80.Zero(negative);
        WideFloat logarithm = Log2(WideFloat.From(x), out bool exact);
        return (WideFloat.From(y) * logarithm).Round(exact, ref context);
    }

    /// <summary>FYL2XP1: <paramref name="y"/> times the logarithm of one plus <paramref name="x"/> (Intel SDM vol. 2, table 3-49).</summary>
    public static Float80 LogarithmOfOnePlus(Float80 y, Float80 x, ref ExtendedContext context)
    {
        if (context.IsDecided(y, x, out Float80 result))
            return result;
        if ((x.IsZero && y.IsInfinity) || (x.IsInfinity && !x.IsNegative && y.IsZero))
            return context.Invalid();
        context.NoteDenormals(x, y);
        if (x.IsNegative && x.Exponent >= Float80.Bias)
            return x;
        bool negative = y.IsNegative != x.IsNegative;
        if (x.IsInfinity || y.IsInfinity)
            return Float80.Infinity(negative);
        if (x.IsZero || y.IsZero)
            return Float80.Zero(negative);
        WideFloat wide = WideFloat.From(x);

        // Near zero one plus x would lose bits of x; elsewhere the power of two is taken out first.
        bool exact = false;
        WideFloat logarithm = wide.Exponent < -2
            ? TwiceArcTangent(wide / (wide + WideFloat.From(2))) / Ln2
            : Log2(WideFloat.One + wide, out exact);
        return (WideFloat.From(y) * logarithm).Round(exact, ref context);
    }

    private static WideFloat Log2(WideFloat x, out bool exact)
    {
        int power = x.Exponent;
        WideFloat m = x with { Exponent = 0 };
        exact = m == WideFloat.One;
        if (exact)
            return WideFloat.From(power);

        // Between sqrt(1/2) and sqrt(2), so that nothing cancels: 1.5 is close enough.
        if (m.Mantissa >> 126 == 3)
        {
            m = m with { Exponent = -1 };
            power++;
        }

        return WideFloat.From(power) + (TwiceArcTangent((m - WideFloat.One) / (m + WideFloat.One)) / Ln2);
    }

    /// <summary>Twice the area tangent: ln((1 + x) / (1 - x)).</summary>
    private static WideFloat TwiceArcTangent(WideFloat x)
    {
        WideFloat square = x * x;
        WideFloat power = x;
        WideFloat sum = x;
        for (uint n = 3; !power.IsZero && power.Exponent > sum.Exponent - 130; n += 2)
        {
            power *= square;
            sum += power / n;
        }

        return sum + sum;
    }
}
