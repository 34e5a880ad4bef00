namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Rounds exact results to a format, with the responses to overflow, underflow and loss of precision (Intel SDM vol. 1,
/// 4.9.1 and 8.5). An exact result is a mantissa with bit 127 set and an exponent biased as <see cref="Float80"/> has it;
/// bit 0 also stands for everything below.
/// </summary>
internal static class ExtendedRounding
{
    /// <summary>By what the exponent is adjusted after an unmasked overflow or underflow (Intel SDM vol. 1, 8.5.4 and 8.5.5).</summary>
    private const int Adjustment = 24576;

    /// <summary>The mantissa shifted right; what is lost stays in bit 0.</summary>
    public static UInt128 ShiftRight(UInt128 mantissa, int count)
    {
        if (count <= 0)
            return mantissa;
        if (count > 127)
            return mantissa == 0 ? UInt128.Zero : UInt128.One;
        UInt128 shifted = mantissa >> count;
        return (shifted << count) == mantissa ? shifted : shifted | 1;
    }

    /// <summary>Rounds to the x87's format with all 64 bits of the mantissa.</summary>
    public static Float80 Round(bool negative, int exponent, UInt128 mantissa, ref ExtendedContext context) =>
        Round(negative, exponent, mantissa, ref context, 64);

    /// <summary>Rounds to the x87's format, keeping some bits of the mantissa.</summary>
    public static Float80 Round(bool negative, int exponent, UInt128 mantissa, ref ExtendedContext context, int precision)
    {
        var format = new ExtendedFormat(precision, 1, Float80.SpecialExponent - 1);
        (int rounded, ulong bits) = Round(negative, exponent, mantissa, ref context, format);
        if (rounded > format.Largest)
            return Float80.Infinity(negative);
        return Float80.Make(negative, rounded, bits);
    }

    /// <summary>
    /// Rounds to a format. The mantissa comes back in its top bits; the exponent is one below the smallest for a denormal,
    /// one above the largest for infinity.
    /// </summary>
    public static (int Exponent, ulong Mantissa) Round(bool negative, int exponent, UInt128 mantissa, ref ExtendedContext context, ExtendedFormat format)
    {
        int drop = 128 - format.Precision;
        bool up = RoundsUp(mantissa, drop, negative, context.Rounding);
        bool tiny = exponent < format.Smallest && !(exponent == format.Smallest - 1 && Rounded(mantissa, drop, up) == 0);
        bool adjusted = tiny && !context.Masks(ExtendedExceptions.Underflow);
        if (adjusted)
        {
            context.Raised |= ExtendedExceptions.Underflow;
            exponent += Adjustment;
            if (exponent < format.Smallest)
            {
                context.Raised |= ExtendedExceptions.Inexact;
                return (format.Smallest - 1, 0);
            }
        }
        else if (exponent < format.Smallest)
        {
            return Denormal(negative, ShiftRight(mantissa, format.Smallest - exponent), ref context, format, tiny);
        }

        bool inexact = Remainder(mantissa, drop) != 0;
        UInt128 rounded = Rounded(mantissa, drop, up);
        if (rounded == 0)
        {
            rounded = UInt128.One << 127;
            exponent++;
        }

        if (inexact)
        {
            context.Raised |= ExtendedExceptions.Inexact;
            context.C1 = up;
        }

        if (adjusted || exponent <= format.Largest)
            return (exponent, (ulong)(rounded >> 64));
        context.Raised |= ExtendedExceptions.Overflow;
        if (!context.Masks(ExtendedExceptions.Overflow))
        {
            exponent -= Adjustment;
            if (exponent <= format.Largest)
                return (exponent, (ulong)(rounded >> 64));

            // FSCALE can go farther than the adjustment reaches.
            context.Raised |= ExtendedExceptions.Inexact;
            context.C1 = true;
            return (format.Largest + 1, Float80.IntegerBit);
        }

        // The masked response is infinity, unless the direction of rounding leads back to the largest number.
        context.Raised |= ExtendedExceptions.Inexact;
        context.C1 = context.Rounding == Rounding.Nearest || context.Rounding == (negative ? Rounding.Down : Rounding.Up);
        return context.C1
            ? (format.Largest + 1, Float80.IntegerBit)
            : (format.Largest, ulong.MaxValue << (64 - format.Precision));
    }

    /// <summary>Whether dropping the lowest bits of a mantissa rounds its magnitude up.</summary>
    public static bool RoundsUp(UInt128 mantissa, int drop, bool negative, Rounding rounding)
    {
        UInt128 remainder = Remainder(mantissa, drop);
        UInt128 half = UInt128.One << (drop - 1);
        return rounding switch
        {
            Rounding.Nearest => remainder > half || (remainder == half && drop < 128 && ((mantissa >> drop) & 1) != 0),
            Rounding.Down => negative && remainder != 0,
            Rounding.Up => !negative && remainder != 0,
            _ => false,
        };
    }

    private static (int Exponent, ulong Mantissa) Denormal(bool negative, UInt128 mantissa, ref ExtendedContext context, ExtendedFormat format, bool tiny)
    {
        int drop = 128 - format.Precision;
        bool up = RoundsUp(mantissa, drop, negative, context.Rounding);
        if (Remainder(mantissa, drop) != 0)
        {
            context.Raised |= tiny ? ExtendedExceptions.Inexact | ExtendedExceptions.Underflow : ExtendedExceptions.Inexact;
            context.C1 = up;
        }

        ulong rounded = (ulong)(Rounded(mantissa, drop, up) >> 64);
        return ((rounded & Float80.IntegerBit) != 0 ? format.Smallest : format.Smallest - 1, rounded);
    }

    private static UInt128 Remainder(UInt128 mantissa, int drop) => drop < 128 ? mantissa & ((UInt128.One << drop) - 1) : mantissa;

    /// <summary>The mantissa without its lowest bits; zero if rounding up carried out of the top.</summary>
    private static UInt128 Rounded(UInt128 mantissa, int drop, bool up) =>
        unchecked(mantissa - Remainder(mantissa, drop) + (up ? UInt128.One << drop : 0));
}

/// <summary>A format to round to: bits of mantissa, smallest and largest exponent of normal numbers, biased as in <see cref="Float80"/>.</summary>
internal readonly record struct ExtendedFormat(int Precision, int Smallest, int Largest)
{
    /// <summary>32 bits.</summary>
    public static ExtendedFormat Single => new(24, Float80.Bias - 126, Float80.Bias + 127);

    /// <summary>64 bits.</summary>
    public static ExtendedFormat Double => new(53, Float80.Bias - 1022, Float80.Bias + 1023);
}
