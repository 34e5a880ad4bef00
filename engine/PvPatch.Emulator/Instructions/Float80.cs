namespace PvPatch.Emulator.Instructions;

/// <summary>
/// A number in the x87's own format (Intel SDM vol. 1, 4.2.2 and 8.2): sign, 15 bits of exponent biased by 16383, and a
/// mantissa of 64 bits whose top bit, the integer bit, is stored. Encodings that no instruction makes may be loaded.
/// </summary>
/// <param name="Mantissa">The integer bit and the fraction.</param>
/// <param name="High">Sign in bit 15, exponent below.</param>
internal readonly record struct Float80(ulong Mantissa, ushort High)
{
    /// <summary>The exponent of infinities and NaNs.</summary>
    public const int SpecialExponent = 0x7fff;

    /// <summary>What the exponent of 1.0 is.</summary>
    public const int Bias = 0x3fff;

    /// <summary>The integer bit.</summary>
    public const ulong IntegerBit = 1ul << 63;

    /// <summary>The bit that makes a NaN quiet.</summary>
    public const ulong QuietBit = 1ul << 62;

    /// <summary>The quiet NaN that stands for no answer: real indefinite.</summary>
    public static Float80 Indefinite => new(IntegerBit | QuietBit, 0xffff);

    /// <summary>1.0.</summary>
    public static Float80 One => new(IntegerBit, Bias);

    /// <summary>The sign.</summary>
    public bool IsNegative => (High & 0x8000) != 0;

    /// <summary>The biased exponent.</summary>
    public int Exponent => High & 0x7fff;

    /// <summary>A zero of either sign.</summary>
    public bool IsZero => Exponent == 0 && Mantissa == 0;

    /// <summary>A denormal or pseudo-denormal.</summary>
    public bool IsDenormal => Exponent == 0 && Mantissa != 0;

    /// <summary>Pseudo-NaN, pseudo-infinity or unnormal: operands that are invalid (Intel SDM vol. 1, 8.2.2).</summary>
    public bool IsUnsupported => Exponent != 0 && (Mantissa & IntegerBit) == 0;

    /// <summary>An infinity of either sign.</summary>
    public bool IsInfinity => Exponent == SpecialExponent && Mantissa == IntegerBit;

    /// <summary>A quiet or signalling NaN.</summary>
    public bool IsNaN => Exponent == SpecialExponent && Mantissa > IntegerBit;

    /// <summary>A signalling NaN.</summary>
    public bool IsSignalling => IsNaN && (Mantissa & QuietBit) == 0;

    /// <summary>The number with the opposite sign.</summary>
    public Float80 Negated => this with { High = (ushort)(High ^ 0x8000) };

    /// <summary>The number without its sign.</summary>
    public Float80 Absolute => this with { High = (ushort)(High & 0x7fff) };

    /// <summary>A NaN made quiet.</summary>
    public Float80 Quieted => this with { Mantissa = Mantissa | QuietBit };

    /// <summary>A zero.</summary>
    public static Float80 Zero(bool negative) => Make(negative, 0, 0);

    /// <summary>An infinity.</summary>
    public static Float80 Infinity(bool negative) => Make(negative, SpecialExponent, IntegerBit);

    /// <summary>A number from its parts.</summary>
    public static Float80 Make(bool negative, int exponent, ulong mantissa) => new(mantissa, (ushort)((negative ? 0x8000 : 0) | exponent));

    /// <summary>Mantissa with its top bit set and the exponent that goes with it; the number must not be zero or special.</summary>
    public (int Exponent, ulong Mantissa) Normalized()
    {
        int shift = System.Numerics.BitOperations.LeadingZeroCount(Mantissa);
        return (Math.Max(Exponent, 1) - shift, Mantissa << shift);
    }
}
