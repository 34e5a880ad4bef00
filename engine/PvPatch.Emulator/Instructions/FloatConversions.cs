namespace PvPatch.Emulator.Instructions;

/// <summary>Conversions between floating-point formats and integers (Intel SDM vol. 1, 4.8.4 and 11.5.2; vol. 2, CVT*, ROUND*).</summary>
internal static class FloatConversions
{
    /// <summary>An integer as a floating-point number.</summary>
    public static ulong FromInteger<TFormat>(long value, ref FloatContext context)
        where TFormat : IFloatFormat =>
        FloatValue.Round<TFormat>(value < 0, 63, (UInt128)(ulong)Int128.Abs(value) << 64, ref context);

    /// <summary>A floating-point number as an integer of 32 or 64 bits; what does not fit is invalid and gives the lowest one.</summary>
    public static long ToInteger<TFormat>(ulong bits, int width, Rounding rounding, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(bits, context);
        long lowest = width == 32 ? int.MinValue : long.MinValue;
        if (a.Kind == FloatKind.Zero)
            return 0;
        if (a.Kind != FloatKind.Finite || a.Exponent > 64)
        {
            context.Raised |= MxcsrBits.Invalid;
            return lowest;
        }

        // value = significand / 2^63 * 2^exponent, held here in units of 2^-62: 64 + 62 bits at most.
        UInt128 magnitude = Integral(a, rounding, out bool inexact);
        UInt128 most = (UInt128)(ulong)-(Int128)lowest - (a.Negative ? 0u : 1u);
        if (magnitude > most)
        {
            context.Raised |= MxcsrBits.Invalid;
            return lowest;
        }

        if (inexact)
            context.Raised |= MxcsrBits.Precision;
        long value = (long)(ulong)magnitude;
        return a.Negative ? -value : value;
    }

    /// <summary>One floating-point format as another.</summary>
    public static ulong Convert<TFrom, TTo>(ulong bits, ref FloatContext context)
        where TFrom : IFloatFormat
        where TTo : IFloatFormat
    {
        var a = FloatValue.Unpack<TFrom>(bits, context);
        switch (a.Kind)
        {
            case FloatKind.Zero or FloatKind.Infinity:
                return FloatValue.Special<TTo>(a.Negative, a.Kind == FloatKind.Infinity);
            case FloatKind.QuietNaN or FloatKind.SignalingNaN:
                if (a.Kind == FloatKind.SignalingNaN)
                    context.Raised |= MxcsrBits.Invalid;
                ulong fraction = bits & ((1ul << TFrom.FractionBits) - 1);
                fraction = TTo.FractionBits > TFrom.FractionBits
                    ? fraction << (TTo.FractionBits - TFrom.FractionBits)
                    : fraction >> (TFrom.FractionBits - TTo.FractionBits);
                return FloatValue.Special<TTo>(a.Negative, infinite: true) | fraction | FloatValue.QuietBit<TTo>();
            default:
                FloatArithmetic.NoteDenormals(a, a, ref context);
                return FloatValue.Round<TTo>(a.Negative, a.Exponent, (UInt128)a.Significand << 64, ref context);
        }
    }

    /// <summary>ROUND: to an integral value in the same format.</summary>
    public static ulong ToIntegral<TFormat>(ulong bits, Rounding rounding, bool silent, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(bits, context);
        if (FloatArithmetic.TryNaN<TFormat>(a, a, ref context, out ulong nan))
            return nan;
        if (a.Kind == FloatKind.Zero)
            return FloatValue.Special<TFormat>(a.Negative, infinite: false);
        if (a.Kind == FloatKind.Infinity || a.Exponent >= TFormat.FractionBits)
            return bits;
        UInt128 magnitude = Integral(a, rounding, out bool inexact);
        if (inexact && !silent)
            context.Raised |= MxcsrBits.Precision;
        FloatContext exact = default;
        return FloatValue.Round<TFormat>(a.Negative, 63, magnitude << 64, ref exact);
    }

    /// <summary>The magnitude of a finite number with an exponent up to 64, rounded to an integer.</summary>
    private static UInt128 Integral(in FloatValue value, Rounding rounding, out bool inexact)
    {
        UInt128 wide = (UInt128)value.Significand << 62;
        int drop = 125 - value.Exponent;
        return FloatValue.Rounded(drop > 128 ? UInt128.One : wide, Math.Min(drop, 128), value.Negative, rounding, out inexact);
    }
}
