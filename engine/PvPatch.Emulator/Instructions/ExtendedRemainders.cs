namespace PvPatch.Emulator.Instructions;

/// <summary>FPREM, FPREM1, FRNDINT, FSCALE and FXTRACT (Intel SDM vol. 2).</summary>
internal static class ExtendedRemainders
{
    /// <summary>
    /// A step of FPREM (quotient cut) or FPREM1 (quotient rounded to the nearest): the remainder, the quotient's lowest bits, and
    /// whether the exponents were so far apart that this is only a part of the reduction. Such a step reduces the difference of the
    /// exponents by 32 to 63.
    /// </summary>
    public static Float80 Remainder(Float80 a, Float80 b, bool toNearest, ref ExtendedContext context, out ulong quotient, out bool partial)
    {
        quotient = 0;
        partial = false;
        if (context.IsDecided(a, b, out Float80 result))
            return result;
        if (a.IsInfinity || b.IsZero)
            return context.Invalid();
        context.NoteDenormals(a, b);
        if (b.IsInfinity || a.IsZero)
            return a.IsDenormal ? ExtendedRounding.Round(a.IsNegative, a.Normalized().Exponent, (UInt128)a.Normalized().Mantissa << 64, ref context) : a;

        (int exponentA, ulong mantissaA) = a.Normalized();
        (int exponentB, ulong mantissaB) = b.Normalized();
        int difference = exponentA - exponentB;
        if (difference >= 64)
        {
            partial = true;
            int step = (difference & 31) | 32;
            UInt128 rest = ((UInt128)mantissaA << step) % mantissaB;
            return FromInteger(a.IsNegative, rest, exponentA - step, ref context);
        }

        return Whole(a.IsNegative, (exponentA, mantissaA), (exponentB, mantissaB), toNearest, ref context, out quotient);
    }

    /// <summary>FRNDINT.</summary>
    public static Float80 RoundToInteger(Float80 a, ref ExtendedContext context)
    {
        if (context.IsDecided(a, out Float80 result))
            return result;
        if (a.IsInfinity || a.IsZero)
            return a;
        context.NoteDenormal(a);
        if (a.Exponent >= Float80.Bias + 63)
            return a;
        UInt128 whole = ExtendedConversions.WholeMagnitude(a, ref context);
        return whole == 0 ? Float80.Zero(a.IsNegative) : FromInteger(a.IsNegative, whole, Float80.Bias + 63, ref context);
    }

    /// <summary>FSCALE: <paramref name="a"/> times two to the power of <paramref name="b"/>, cut to an integer.</summary>
    public static Float80 Scale(Float80 a, Float80 b, ref ExtendedContext context)
    {
        if (context.IsDecided(a, b, out Float80 result))
            return result;
        if (b.IsInfinity && (b.IsNegative ? a.IsInfinity : a.IsZero))
            return context.Invalid();
        context.NoteDenormals(a, b);
        if (a.IsInfinity || a.IsZero)
            return a;
        if (b.IsInfinity)
            return b.IsNegative ? Float80.Zero(a.IsNegative) : Float80.Infinity(a.IsNegative);
        (int exponent, ulong mantissa) = a.Normalized();
        return ExtendedRounding.Round(a.IsNegative, exponent + Power(b), (UInt128)mantissa << 64, ref context);
    }

    /// <summary>FXTRACT: the exponent as a number, and the mantissa with the exponent of 1.0.</summary>
    public static (Float80 Exponent, Float80 Significand) Extract(Float80 a, ref ExtendedContext context)
    {
        if (context.IsDecided(a, out Float80 result))
            return (result, result);
        if (a.IsZero)
        {
            context.Raised |= ExtendedExceptions.ZeroDivide;
            return (Float80.Infinity(negative: true), a);
        }

        if (a.IsInfinity)
            return (Float80.Infinity(negative: false), a);
        context.NoteDenormal(a);
        (int exponent, ulong mantissa) = a.Normalized();
        return (ExtendedConversions.FromInteger(exponent - Float80.Bias), Float80.Make(a.IsNegative, Float80.Bias, mantissa));
    }

    private static Float80 Whole(bool negative, (int Exponent, ulong Mantissa) a, (int Exponent, ulong Mantissa) b, bool toNearest, ref ExtendedContext context, out ulong quotient)
    {
        int difference = a.Exponent - b.Exponent;
        UInt128 dividend = a.Mantissa;
        UInt128 divisor = b.Mantissa;
        int exponent = b.Exponent;
        if (difference >= 0)
        {
            dividend <<= difference;
        }
        else if (difference == -1)
        {
            divisor <<= 1;
            exponent = a.Exponent;
        }
        else
        {
            // Less than half of the divisor: nothing to take away.
            quotient = 0;
            return FromInteger(negative, dividend, a.Exponent, ref context);
        }

        (UInt128 count, UInt128 rest) = UInt128.DivRem(dividend, divisor);
        quotient = (ulong)count;
        if (toNearest && (rest << 1 > divisor || (rest << 1 == divisor && (quotient & 1) != 0)))
        {
            quotient++;
            negative = !negative;
            rest = divisor - rest;
        }

        return rest == 0 ? Float80.Zero(negative) : FromInteger(negative, rest, exponent, ref context);
    }

    /// <summary>An integer times the weight that the lowest mantissa bit has at an exponent.</summary>
    private static Float80 FromInteger(bool negative, UInt128 value, int exponent, ref ExtendedContext context)
    {
        if (value == 0)
            return Float80.Zero(negative);
        int zeros = (int)UInt128.LeadingZeroCount(value);
        return ExtendedRounding.Round(negative, exponent + 64 - zeros, value << zeros, ref context);
    }

    /// <summary>A number cut to an integer, within what any exponent can be scaled by.</summary>
    private static int Power(Float80 b)
    {
        const int Most = 0x1_0000;
        if (b.Exponent < Float80.Bias)
            return 0;
        if (b.Exponent > Float80.Bias + 16)
            return b.IsNegative ? -Most : Most;
        int whole = (int)(b.Mantissa >> (Float80.Bias + 63 - b.Exponent));
        return b.IsNegative ? -whole : whole;
    }
}
