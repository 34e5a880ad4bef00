namespace PvPatch.Emulator.Instructions;

/// <summary>
/// A finite number on its way into a sum: value = magnitude / 2^125 * 2^exponent, with bit 125 set, or zero. Two bits stay free
/// above, for what the sum carries.
/// </summary>
internal readonly record struct FloatTerm(bool Negative, int Exponent, UInt128 Magnitude)
{
    /// <summary>A number that is zero or finite.</summary>
    public static FloatTerm Of(in FloatValue value) => new(value.Negative, value.Exponent, (UInt128)value.Significand << 62);

    /// <summary>
    /// The product of two such numbers, without an error: significands have 53 bits at most, so that the lowest 22 bits of their
    /// product are zero.
    /// </summary>
    public static FloatTerm Product(in FloatValue a, in FloatValue b)
    {
        UInt128 product = (UInt128)a.Significand * b.Significand;
        bool carries = product >> 127 != 0;
        return new FloatTerm(a.Negative != b.Negative, a.Exponent + b.Exponent + (carries ? 1 : 0), carries ? product >> 2 : product >> 1);
    }

    /// <summary>
    /// The sum, rounded once. The smaller term is shifted to the larger one's exponent, and what falls out only leaves a one at the
    /// bottom. That is enough: terms of which high bits can cancel are a shift of one apart, and then nothing falls out, as no
    /// term has its lowest bits set.
    /// </summary>
    public static ulong Sum<TFormat>(in FloatTerm a, in FloatTerm b, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        bool zeroSign = context.Rounding == Rounding.Down;
        if (a.Magnitude == 0 && b.Magnitude == 0)
            return FloatValue.Special<TFormat>(a.Negative == b.Negative ? a.Negative : zeroSign, infinite: false);
        bool swap = a.Magnitude == 0 || (b.Magnitude != 0 && (b.Exponent, b.Magnitude).CompareTo((a.Exponent, a.Magnitude)) > 0);
        FloatTerm large = swap ? b : a;
        FloatTerm small = swap ? a : b;
        UInt128 little = Shifted(small.Magnitude, large.Exponent - small.Exponent);
        UInt128 sum = a.Negative == b.Negative ? large.Magnitude + little : large.Magnitude - little;
        return sum == 0
            ? FloatValue.Special<TFormat>(zeroSign, infinite: false)
            : FloatValue.Round<TFormat>(large.Negative, large.Exponent + 2, sum, ref context);
    }

    /// <summary>Shifts right; what falls out leaves a one at the bottom.</summary>
    private static UInt128 Shifted(UInt128 value, int by)
    {
        if (value == 0)
            return 0;
        if (by >= 128)
            return UInt128.One;
        UInt128 kept = value >> by;
        return kept << by == value ? kept : kept | 1;
    }
}
