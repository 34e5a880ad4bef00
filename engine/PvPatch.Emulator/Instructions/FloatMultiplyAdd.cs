namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Fused multiply-add on one element, in every rounding mode, with the exceptions of MXCSR (Intel SDM vol. 1, 14.5.2 and table
/// 14-17, FMA's numeric behaviour). Written on integers, as <see cref="FloatArithmetic"/> is.
/// </summary>
internal static class FloatMultiplyAdd
{
    /// <summary>
    /// x * y + z with one rounding. The operands are in the order of the digits of the mnemonic: of 231, x is the second, y the
    /// third, z the first. The first NaN in that order is the result, quiet and with its own sign; a NaN hides a product of
    /// infinity and zero.
    /// </summary>
    public static ulong MultiplyAdd<TFormat>(ulong x, ulong y, ulong z, bool negateProduct, bool negateAddend, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(x, context);
        var b = FloatValue.Unpack<TFormat>(y, context);
        var c = FloatValue.Unpack<TFormat>(z, context);
        if (a.IsNaN || b.IsNaN || c.IsNaN)
            return NaN<TFormat>(a, b, c, ref context);
        if (negateProduct)
            a = a with { Negative = !a.Negative };
        if (negateAddend)
            c = c with { Negative = !c.Negative };
        bool negative = a.Negative != b.Negative;
        bool isInfinite = a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Infinity;
        bool hasZero = a.Kind == FloatKind.Zero || b.Kind == FloatKind.Zero;
        if (isInfinite && (hasZero || (c.Kind == FloatKind.Infinity && c.Negative != negative)))
            return FloatArithmetic.Invalid<TFormat>(ref context);
        FloatArithmetic.NoteDenormals(a, b, ref context);
        FloatArithmetic.NoteDenormals(c, c, ref context);
        if (isInfinite || c.Kind == FloatKind.Infinity)
            return FloatValue.Special<TFormat>(isInfinite ? negative : c.Negative, infinite: true);
        return FloatTerm.Sum<TFormat>(FloatTerm.Product(a, b), FloatTerm.Of(c), ref context);
    }

    private static ulong NaN<TFormat>(in FloatValue a, in FloatValue b, in FloatValue c, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        if (a.Kind == FloatKind.SignalingNaN || b.Kind == FloatKind.SignalingNaN || c.Kind == FloatKind.SignalingNaN)
            context.Raised |= MxcsrBits.Invalid;
        FloatValue first = a.IsNaN ? a : b.IsNaN ? b : c;
        return first.Bits | FloatValue.QuietBit<TFormat>();
    }
}
