namespace PvPatch.Emulator.Instructions;

/// <summary>FADD, FSUB, FMUL, FDIV and FSQRT (Intel SDM vol. 2): exact results, rounded once.</summary>
internal static class ExtendedArithmetic
{
    public static Float80 Add(Float80 a, Float80 b, ref ExtendedContext context)
    {
        if (context.IsDecided(a, b, out Float80 result))
            return result;
        context.NoteDenormals(a, b);
        if (a.IsInfinity || b.IsInfinity)
        {
            if (a.IsInfinity && b.IsInfinity && a.IsNegative != b.IsNegative)
                return context.Invalid();
            return a.IsInfinity ? a : b;
        }

        return SumOfFinite(a, b, ref context);
    }

    public static Float80 Subtract(Float80 a, Float80 b, ref ExtendedContext context)
    {
        // A NaN keeps its sign.
        if (context.IsDecided(a, b, out Float80 result))
            return result;
        return Add(a, b.Negated, ref context);
    }

    public static Float80 Multiply(Float80 a, Float80 b, ref ExtendedContext context)
    {
        if (context.IsDecided(a, b, out Float80 result))
            return result;
        bool negative = a.IsNegative != b.IsNegative;
        if (a.IsInfinity || b.IsInfinity)
        {
            if (a.IsZero || b.IsZero)
                return context.Invalid();
            context.NoteDenormals(a, b);
            return Float80.Infinity(negative);
        }

        context.NoteDenormals(a, b);
        if (a.IsZero || b.IsZero)
            return Float80.Zero(negative);
        (int exponentA, ulong mantissaA) = a.Normalized();
        (int exponentB, ulong mantissaB) = b.Normalized();
        UInt128 product = (UInt128)mantissaA * mantissaB;
        int exponent = exponentA + exponentB - Float80.Bias + 1;
        if (product >> 127 == 0)
        {
            product <<= 1;
            exponent--;
        }

        return ExtendedRounding.Round(negative, exponent, product, ref context, context.Precision);
    }

    public static Float80 Divide(Float80 a, Float80 b, ref ExtendedContext context)
    {
        if (context.IsDecided(a, b, out Float80 result))
            return result;
        bool negative = a.IsNegative != b.IsNegative;
        if ((a.IsInfinity && b.IsInfinity) || (a.IsZero && b.IsZero))
            return context.Invalid();
        if (b.IsZero)
        {
            // A denormal is not noticed here.
            context.Raised |= a.IsInfinity ? ExtendedExceptions.None : ExtendedExceptions.ZeroDivide;
            return Float80.Infinity(negative);
        }

        context.NoteDenormals(a, b);
        if (a.IsInfinity)
            return Float80.Infinity(negative);
        if (b.IsInfinity || a.IsZero)
            return Float80.Zero(negative);

        (int exponentA, ulong mantissaA) = a.Normalized();
        (int exponentB, ulong mantissaB) = b.Normalized();
        (UInt128 high, UInt128 rest) = UInt128.DivRem((UInt128)mantissaA << 63, mantissaB);
        (UInt128 low, rest) = UInt128.DivRem(rest << 64, mantissaB);
        UInt128 quotient = (high << 64) | low | (rest != 0 ? 1u : 0u);
        int exponent = exponentA - exponentB + Float80.Bias;
        if (quotient >> 127 == 0)
        {
            quotient <<= 1;
            exponent--;
        }

        return ExtendedRounding.Round(negative, exponent, quotient, ref context, context.Precision);
    }

    public static Float80 SquareRoot(Float80 a, ref ExtendedContext context)
    {
        if (context.IsDecided(a, out Float80 result))
            return result;
        if (a.IsZero)
            return a;
        if (a.IsNegative)
            return context.Invalid();
        if (a.IsInfinity)
            return a;
        context.NoteDenormal(a);
        (int exponent, ulong mantissa) = a.Normalized();
        int unbiased = exponent - Float80.Bias;

        // The radicand has an even exponent, so that its root's exponent is whole.
        UInt128 radicand = (UInt128)mantissa << (63 + (unbiased & 1));
        (ulong root, UInt128 left) = IntegerRoot(radicand);
        UInt128 exact = ((UInt128)root << 64) | (left > root ? UInt128.One << 63 : 0) | (left != 0 ? 1u : 0u);
        return ExtendedRounding.Round(false, (unbiased >> 1) + Float80.Bias, exact, ref context, context.Precision);
    }

    private static Float80 SumOfFinite(Float80 a, Float80 b, ref ExtendedContext context)
    {
        if (a.IsZero && b.IsZero)
            return Float80.Zero(a.IsNegative == b.IsNegative ? a.IsNegative : context.Rounding == Rounding.Down);
        int exponentA = Math.Max(a.Exponent, 1);
        int exponentB = Math.Max(b.Exponent, 1);
        int exponent = Math.Max(exponentA, exponentB);

        // Bit 127 stays free for a carry.
        UInt128 x = ExtendedRounding.ShiftRight((UInt128)a.Mantissa << 63, exponent - exponentA);
        UInt128 y = ExtendedRounding.ShiftRight((UInt128)b.Mantissa << 63, exponent - exponentB);
        bool negative = a.IsNegative;
        UInt128 sum;
        if (a.IsNegative == b.IsNegative)
        {
            sum = x + y;
        }
        else
        {
            sum = x > y ? x - y : y - x;
            negative = x > y ? a.IsNegative : b.IsNegative;
            if (sum == 0)
                return Float80.Zero(context.Rounding == Rounding.Down);
        }

        int zeros = (int)UInt128.LeadingZeroCount(sum);
        return ExtendedRounding.Round(negative, exponent + 1 - zeros, sum << zeros, ref context, context.Precision);
    }

    /// <summary>The largest integer whose square fits, and what is left.</summary>
    private static (ulong Root, UInt128 Left) IntegerRoot(UInt128 radicand)
    {
        UInt128 root = 0;
        UInt128 rest = radicand;
        for (UInt128 bit = UInt128.One << 126; bit != 0; bit >>= 2)
        {
            if (rest >= root + bit)
            {
                rest -= root + bit;
                root = (root >> 1) + bit;
            }
            else
            {
                root >>= 1;
            }
        }

        return ((ulong)root, rest);
    }
}
