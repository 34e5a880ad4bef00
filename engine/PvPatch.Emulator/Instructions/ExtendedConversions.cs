namespace PvPatch.Emulator.Instructions;

/// <summary>Conversions between the x87's format and those that memory has (Intel SDM vol. 1, 4.2, 4.7 and 8.1.2).</summary>
internal static class ExtendedConversions
{
    private const ulong MostDecimal = 999_999_999_999_999_999;
    private static readonly UInt128 DecimalIndefinite = new(0xffff, 0xc000_0000_0000_0000);

    /// <summary>A single, every bit of it: a signalling NaN still signals.</summary>
    public static Float80 FromSingle(uint bits, ref ExtendedContext context) =>
        FromParts(bits >> 31 != 0, (int)(bits >> 23) & 0xff, (ulong)bits << 41 >> 1, 0xff, Float80.Bias - 127, ref context);

    /// <summary>A double, every bit of it: a signalling NaN still signals.</summary>
    public static Float80 FromDouble(ulong bits, ref ExtendedContext context) =>
        FromParts(bits >> 63 != 0, (int)(bits >> 52) & 0x7ff, bits << 12 >> 1, 0x7ff, Float80.Bias - 1023, ref context);

    /// <summary>An integer; all of them fit.</summary>
    public static Float80 FromInteger(long value)
    {
        if (value == 0)
            return Float80.Zero(negative: false);
        ulong magnitude = value < 0 ? (ulong)-value : (ulong)value;
        int zeros = System.Numerics.BitOperations.LeadingZeroCount(magnitude);
        return Float80.Make(value < 0, Float80.Bias + 63 - zeros, magnitude << zeros);
    }

    /// <summary>Eighteen decimal digits and a sign; digits above nine count as what they are in binary.</summary>
    public static Float80 FromDecimal(UInt128 packed)
    {
        ulong value = 0;
        for (int i = 17; i >= 0; i--)
            value = (value * 10) + (ulong)((packed >> (4 * i)) & 0xf);
        Float80 magnitude = value >> 63 == 0
            ? FromInteger((long)value)
            : Float80.Make(negative: false, Float80.Bias + 63, value);
        return (packed >> 79) != 0 ? magnitude.Negated : magnitude;
    }

    public static uint ToSingle(Float80 a, ref ExtendedContext context)
    {
        (int exponent, ulong mantissa) = ToFormat(a, ref context, ExtendedFormat.Single, out bool negative);
        return ((negative ? 1u : 0u) << 31) | ((uint)exponent << 23) | (uint)(mantissa << 1 >> 41);
    }

    public static ulong ToDouble(Float80 a, ref ExtendedContext context)
    {
        (int exponent, ulong mantissa) = ToFormat(a, ref context, ExtendedFormat.Double, out bool negative);
        return ((negative ? 1ul : 0ul) << 63) | ((ulong)exponent << 52) | (mantissa << 1 >> 12);
    }

    /// <summary>A signed integer of some bits; what does not fit is invalid and becomes the smallest.</summary>
    public static long ToInteger(Float80 a, int bits, ref ExtendedContext context)
    {
        long indefinite = long.MinValue >> (64 - bits);
        if (a.IsUnsupported || a.Exponent > Float80.Bias + 63)
        {
            context.Invalid();
            return indefinite;
        }

        ExtendedContext rounding = context;
        UInt128 whole = WholeMagnitude(a, ref rounding);
        UInt128 most = (UInt128.One << (bits - 1)) - (a.IsNegative ? 0u : 1u);
        if (whole > most)
        {
            context.Invalid();
            return indefinite;
        }

        context = rounding;
        return a.IsNegative ? unchecked(-(long)(ulong)whole) : (long)(ulong)whole;
    }

    /// <summary>Packed decimal; what has more than eighteen digits is invalid and becomes the decimal indefinite.</summary>
    public static UInt128 ToDecimal(Float80 a, ref ExtendedContext context)
    {
        if (a.IsUnsupported || a.Exponent > Float80.Bias + 63)
        {
            context.Invalid();
            return DecimalIndefinite;
        }

        ExtendedContext rounding = context;
        UInt128 whole = WholeMagnitude(a, ref rounding);
        if (whole > MostDecimal)
        {
            context.Invalid();
            return DecimalIndefinite;
        }

        context = rounding;
        UInt128 packed = a.IsNegative ? UInt128.One << 79 : 0;
        ulong left = (ulong)whole;
        for (int i = 0; left != 0; i++)
        {
            packed |= (UInt128)(left % 10) << (4 * i);
            left /= 10;
        }

        return packed;
    }

    /// <summary>The magnitude of a finite number below 2^64, rounded to an integer.</summary>
    public static UInt128 WholeMagnitude(Float80 a, ref ExtendedContext context)
    {
        int fraction = Float80.Bias + 63 - Math.Max(a.Exponent, 1);
        UInt128 mantissa = (UInt128)a.Mantissa << 63;
        int drop = fraction + 63;
        if (drop > 127)
        {
            mantissa = ExtendedRounding.ShiftRight(mantissa, drop - 127);
            drop = 127;
        }

        UInt128 whole = mantissa >> drop;
        if (whole << drop == mantissa)
            return whole;
        context.Raised |= ExtendedExceptions.Inexact;
        context.C1 = ExtendedRounding.RoundsUp(mantissa, drop, a.IsNegative, context.Rounding);
        return context.C1 ? whole + 1 : whole;
    }

    /// <summary>A number from a narrower format; <paramref name="fraction"/> stands below the integer bit.</summary>
    private static Float80 FromParts(bool negative, int exponent, ulong fraction, int special, int bias, ref ExtendedContext context)
    {
        if (exponent == special)
            return Float80.Make(negative, Float80.SpecialExponent, Float80.IntegerBit | fraction);
        if (exponent != 0)
            return Float80.Make(negative, exponent + bias, Float80.IntegerBit | fraction);
        if (fraction == 0)
            return Float80.Zero(negative);
        context.FromDenormal = true;
        int zeros = System.Numerics.BitOperations.LeadingZeroCount(fraction);
        return Float80.Make(negative, bias + 1 - zeros, fraction << zeros);
    }

    /// <summary>Exponent and mantissa as a narrower format stores them, the mantissa in the top bits.</summary>
    private static (int Exponent, ulong Mantissa) ToFormat(Float80 a, ref ExtendedContext context, ExtendedFormat format, out bool negative)
    {
        int special = format.Largest - format.Smallest + 2;
        if (context.IsDecided(a, out Float80 nan))
        {
            negative = nan.IsNegative;
            return (special, nan.Mantissa);
        }

        negative = a.IsNegative;
        if (a.IsInfinity)
            return (special, Float80.IntegerBit);
        if (a.IsZero)
            return (0, 0);
        (int exponent, ulong mantissa) = a.Normalized();
        (exponent, mantissa) = ExtendedRounding.Round(negative, exponent, (UInt128)mantissa << 64, ref context, format);
        return (exponent - format.Smallest + 1, mantissa);
    }
}
