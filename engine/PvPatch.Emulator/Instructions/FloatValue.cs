using System.Numerics;

namespace PvPatch.Emulator.Instructions;

/// <summary>What kind of value a floating-point number is.</summary>
internal enum FloatKind
{
    /// <summary>Plus or minus zero.</summary>
    Zero,

    /// <summary>A number with a leading one, denormal or not.</summary>
    Finite,

    /// <summary>Plus or minus infinity.</summary>
    Infinity,

    /// <summary>A NaN that raises nothing.</summary>
    QuietNaN,

    /// <summary>A NaN that raises an invalid operation.</summary>
    SignalingNaN,
}

/// <summary>A floating-point number taken apart: value = significand / 2^63 * 2^exponent, with the significand's top bit set.</summary>
internal readonly record struct FloatValue(FloatKind Kind, bool Negative, int Exponent, ulong Significand, bool Denormal, ulong Bits)
{
    /// <summary>Whether it is a NaN.</summary>
    public bool IsNaN => Kind >= FloatKind.QuietNaN;

    /// <summary>Takes a number apart.</summary>
    public static FloatValue Unpack<TFormat>(ulong bits, in FloatContext context)
        where TFormat : IFloatFormat
    {
        int highest = (1 << TFormat.ExponentBits) - 1;
        int bias = highest >> 1;
        bool negative = (bits >> (TFormat.FractionBits + TFormat.ExponentBits) & 1) != 0;
        int biased = (int)(bits >> TFormat.FractionBits) & highest;
        ulong fraction = bits & ((1ul << TFormat.FractionBits) - 1);
        if (biased == highest)
        {
            if (fraction == 0)
                return new FloatValue(FloatKind.Infinity, negative, 0, 0, false, bits);
            bool quiet = (fraction >> (TFormat.FractionBits - 1)) != 0;
            return new FloatValue(quiet ? FloatKind.QuietNaN : FloatKind.SignalingNaN, negative, 0, 0, false, bits);
        }

        if (biased != 0)
            return new FloatValue(FloatKind.Finite, negative, biased - bias, (1ul << 63) | (fraction << (63 - TFormat.FractionBits)), false, bits);
        if (fraction == 0 || context.DenormalsAreZeros)
            return new FloatValue(FloatKind.Zero, negative, 0, 0, false, bits);
        int shift = BitOperations.LeadingZeroCount(fraction);
        return new FloatValue(FloatKind.Finite, negative, 1 - bias - (shift - (63 - TFormat.FractionBits)), fraction << shift, true, bits);
    }

    /// <summary>The bits of zero or infinity.</summary>
    public static ulong Special<TFormat>(bool negative, bool infinite)
        where TFormat : IFloatFormat
    {
        ulong magnitude = infinite ? ((1ul << TFormat.ExponentBits) - 1) << TFormat.FractionBits : 0;
        return magnitude | (negative ? 1ul << (TFormat.FractionBits + TFormat.ExponentBits) : 0);
    }

    /// <summary>The NaN that an invalid operation gives: negative and quiet.</summary>
    public static ulong DefaultNaN<TFormat>()
        where TFormat : IFloatFormat => Special<TFormat>(negative: true, infinite: true) | QuietBit<TFormat>();

    /// <summary>The bit that makes a NaN quiet.</summary>
    public static ulong QuietBit<TFormat>()
        where TFormat : IFloatFormat => 1ul << (TFormat.FractionBits - 1);

    /// <summary>
    /// Rounds value = significand / 2^127 * 2^exponent to the format (SDM vol. 1, 4.8.4, 4.9.1.5): overflow, underflow with
    /// tininess after rounding, flush to zero, precision.
    /// </summary>
    public static ulong Round<TFormat>(bool negative, int exponent, UInt128 significand, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        if (significand == 0)
            return Special<TFormat>(negative, infinite: false);
        int lead = (int)UInt128.LeadingZeroCount(significand);
        significand <<= lead;
        exponent -= lead;
        int highest = (1 << TFormat.ExponentBits) - 1;
        int bias = highest >> 1;
        int smallest = 1 - bias;
        int keep = TFormat.FractionBits + 1;
        UInt128 rounded = Rounded(significand, 128 - keep, negative, context.Rounding, out bool inexact);
        bool carried = rounded >> keep != 0;
        bool tiny = exponent < smallest && !(carried && exponent == smallest - 1);
        if (exponent < smallest)
        {
            bool masked = (context.Unmasked & MxcsrBits.Underflow) == 0;
            bool inexactUnbounded = inexact;
            if (tiny && context.FlushToZero && masked)
            {
                context.Raised |= MxcsrBits.Underflow | MxcsrBits.Precision;
                return Special<TFormat>(negative, infinite: false);
            }

            // Far below the smallest denormal only the sign and "not zero" are left.
            int drop = 128 - keep + (smallest - exponent);
            ulong fraction = (ulong)Rounded(drop > 128 ? UInt128.One : significand, Math.Min(drop, 128), negative, context.Rounding, out inexact);
            if (tiny && (inexact || !masked))
                context.Raised |= MxcsrBits.Underflow;

            // An unmasked underflow is about the result with an exponent as small as it takes.
            if (tiny && !masked ? inexactUnbounded : inexact)
                context.Raised |= MxcsrBits.Precision;

            // A fraction that reached the leading one is the smallest normal number: the bits already say so.
            return fraction | Special<TFormat>(negative, infinite: false);
        }

        if (carried)
        {
            rounded >>= 1;
            exponent++;
        }

        if (exponent > bias)
        {
            bool masked = (context.Unmasked & MxcsrBits.Overflow) == 0;
            context.Raised |= MxcsrBits.Overflow | (masked || inexact ? MxcsrBits.Precision : 0);
            bool toInfinity = context.Rounding == Rounding.Nearest || context.Rounding == (negative ? Rounding.Down : Rounding.Up);
            return toInfinity ? Special<TFormat>(negative, infinite: true) : Special<TFormat>(negative, infinite: true) - 1;
        }

        if (inexact)
            context.Raised |= MxcsrBits.Precision;
        ulong kept = (ulong)rounded & ((1ul << TFormat.FractionBits) - 1);
        return kept | ((ulong)(exponent + bias) << TFormat.FractionBits) | Special<TFormat>(negative, infinite: false);
    }

    /// <summary>Drops low bits of a magnitude, rounding as asked.</summary>
    public static UInt128 Rounded(UInt128 magnitude, int drop, bool negative, Rounding rounding, out bool inexact)
    {
        UInt128 kept = drop >= 128 ? 0 : magnitude >> drop;
        UInt128 rest = drop >= 128 ? magnitude : magnitude & ((UInt128.One << drop) - 1);
        inexact = rest != 0;
        UInt128 half = UInt128.One << (Math.Min(drop, 128) - 1);
        bool up = rounding switch
        {
            Rounding.Nearest => rest > half || (rest == half && (kept & 1) != 0),
            Rounding.Down => negative && inexact,
            Rounding.Up => !negative && inexact,
            _ => false,
        };
        return up ? kept + 1 : kept;
    }
}
