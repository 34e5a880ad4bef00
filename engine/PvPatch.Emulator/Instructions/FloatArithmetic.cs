namespace PvPatch.Emulator.Instructions;

/// <summary>
/// SSE arithmetic on one element in every rounding mode, with the exceptions of MXCSR (Intel SDM vol. 1, 4.9, 11.5 and table
/// 4-7 for NaNs). Written on integers, so that it gives the same on every host.
/// </summary>
internal static class FloatArithmetic
{
    public static ulong Add<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => Sum<TFormat>(x, y, negateSecond: false, ref context);

    public static ulong Subtract<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => Sum<TFormat>(x, y, negateSecond: true, ref context);

    public static ulong Multiply<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(x, context);
        var b = FloatValue.Unpack<TFormat>(y, context);
        if (TryNaN<TFormat>(a, b, ref context, out ulong nan))
            return nan;
        bool negative = a.Negative != b.Negative;
        bool anyInfinite = a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Infinity;
        bool anyZero = a.Kind == FloatKind.Zero || b.Kind == FloatKind.Zero;
        if (anyInfinite && anyZero)
            return Invalid<TFormat>(ref context);
        NoteDenormals(a, b, ref context);
        if (anyInfinite || anyZero)
            return FloatValue.Special<TFormat>(negative, anyInfinite);
        UInt128 product = (UInt128)a.Significand * b.Significand;
        return FloatValue.Round<TFormat>(negative, a.Exponent + b.Exponent + 1, product, ref context);
    }

    public static ulong Divide<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(x, context);
        var b = FloatValue.Unpack<TFormat>(y, context);
        if (TryNaN<TFormat>(a, b, ref context, out ulong nan))
            return nan;
        bool negative = a.Negative != b.Negative;
        if (a.Kind == b.Kind && a.Kind is (FloatKind.Zero or FloatKind.Infinity))
            return Invalid<TFormat>(ref context);
        if (b.Kind == FloatKind.Zero && a.Kind == FloatKind.Finite)
        {
            context.Raised |= MxcsrBits.DivideByZero;
            return FloatValue.Special<TFormat>(negative, infinite: true);
        }

        NoteDenormals(a, b, ref context);
        if (a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Zero)
            return FloatValue.Special<TFormat>(negative, infinite: true);
        if (a.Kind == FloatKind.Zero || b.Kind == FloatKind.Infinity)
            return FloatValue.Special<TFormat>(negative, infinite: false);
        UInt128 dividend = (UInt128)a.Significand << 63;
        (UInt128 quotient, UInt128 rest) = UInt128.DivRem(dividend, b.Significand);
        UInt128 significand = (quotient << 60) | (rest != 0 ? UInt128.One : 0);
        return FloatValue.Round<TFormat>(negative, a.Exponent - b.Exponent + 4, significand, ref context);
    }

    /// <summary>The square root of the second operand.</summary>
    public static ulong SquareRoot<TFormat>(ulong unused, ulong x, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(x, context);
        if (TryNaN<TFormat>(a, a, ref context, out ulong nan))
            return nan;
        if (a.Kind == FloatKind.Zero)
            return FloatValue.Special<TFormat>(a.Negative, infinite: false);
        if (a.Negative)
            return Invalid<TFormat>(ref context);
        NoteDenormals(a, a, ref context);
        if (a.Kind == FloatKind.Infinity)
            return FloatValue.Special<TFormat>(negative: false, infinite: true);
        bool odd = (a.Exponent & 1) != 0;
        UInt128 radicand = (UInt128)a.Significand << (odd ? 64 : 63);
        ulong root = Root(radicand);
        bool exact = (UInt128)root * root == radicand;
        UInt128 significand = ((UInt128)root << 64) | (exact ? 0 : UInt128.One);
        return FloatValue.Round<TFormat>(negative: false, (a.Exponent - (odd ? 1 : 0)) / 2, significand, ref context);
    }

    /// <summary>MIN: the second operand unless the first is less; any NaN is invalid.</summary>
    public static ulong Minimum<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => Chosen<TFormat>(x, y, lessWanted: true, ref context);

    /// <summary>MAX: the second operand unless the first is greater; any NaN is invalid.</summary>
    public static ulong Maximum<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => Chosen<TFormat>(x, y, lessWanted: false, ref context);

    /// <summary>Less (-1), equal (0), greater (1), or unordered (null). Quiet NaNs are invalid where they signal.</summary>
    public static int? Compare<TFormat>(ulong x, ulong y, bool quietSignals, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(x, context);
        var b = FloatValue.Unpack<TFormat>(y, context);
        if (a.IsNaN || b.IsNaN)
        {
            if (quietSignals || a.Kind == FloatKind.SignalingNaN || b.Kind == FloatKind.SignalingNaN)
                context.Raised |= MxcsrBits.Invalid;
            return null;
        }

        NoteDenormals(a, b, ref context);
        return Order(a, b);
    }

    /// <summary>The NaN that an operation with a NaN gives: the first one, made quiet.</summary>
    public static bool TryNaN<TFormat>(in FloatValue a, in FloatValue b, ref FloatContext context, out ulong nan)
        where TFormat : IFloatFormat
    {
        nan = 0;
        if (!a.IsNaN && !b.IsNaN)
            return false;
        if (a.Kind == FloatKind.SignalingNaN || b.Kind == FloatKind.SignalingNaN)
            context.Raised |= MxcsrBits.Invalid;
        nan = (a.IsNaN ? a.Bits : b.Bits) | FloatValue.QuietBit<TFormat>();
        return true;
    }

    /// <summary>Raises an invalid operation; its result.</summary>
    public static ulong Invalid<TFormat>(ref FloatContext context)
        where TFormat : IFloatFormat
    {
        context.Raised |= MxcsrBits.Invalid;
        return FloatValue.DefaultNaN<TFormat>();
    }

    /// <summary>Raises the denormal exception for operands that are.</summary>
    public static void NoteDenormals(in FloatValue a, in FloatValue b, ref FloatContext context)
    {
        if (a.Denormal || b.Denormal)
            context.Raised |= MxcsrBits.Denormal;
    }

    private static ulong Sum<TFormat>(ulong x, ulong y, bool negateSecond, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(x, context);
        var b = FloatValue.Unpack<TFormat>(y, context);
        if (TryNaN<TFormat>(a, b, ref context, out ulong nan))
            return nan;
        if (negateSecond)
            b = b with { Negative = !b.Negative };
        if (a.Kind == FloatKind.Infinity && b.Kind == FloatKind.Infinity && a.Negative != b.Negative)
            return Invalid<TFormat>(ref context);
        NoteDenormals(a, b, ref context);
        if (a.Kind == FloatKind.Infinity || b.Kind == FloatKind.Infinity)
            return FloatValue.Special<TFormat>(a.Kind == FloatKind.Infinity ? a.Negative : b.Negative, infinite: true);
        return FloatTerm.Sum<TFormat>(FloatTerm.Of(a), FloatTerm.Of(b), ref context);
    }

    private static ulong Chosen<TFormat>(ulong x, ulong y, bool lessWanted, ref FloatContext context)
        where TFormat : IFloatFormat
    {
        var a = FloatValue.Unpack<TFormat>(x, context);
        var b = FloatValue.Unpack<TFormat>(y, context);
        ulong second = Flushed<TFormat>(b);
        if (a.IsNaN || b.IsNaN)
        {
            context.Raised |= MxcsrBits.Invalid;
            return second;
        }

        NoteDenormals(a, b, ref context);
        int order = Order(a, b);
        return (lessWanted ? order < 0 : order > 0) ? Flushed<TFormat>(a) : second;
    }

    /// <summary>An operand as denormals-are-zeros shows it.</summary>
    private static ulong Flushed<TFormat>(in FloatValue value)
        where TFormat : IFloatFormat =>
        value.Kind == FloatKind.Zero ? FloatValue.Special<TFormat>(value.Negative, infinite: false) : value.Bits;

    private static int Order(in FloatValue a, in FloatValue b)
    {
        if (a.Kind == FloatKind.Zero && b.Kind == FloatKind.Zero)
            return 0;
        return Rank(a).CompareTo(Rank(b));
    }

    /// <summary>An integer that grows with the value.</summary>
    private static Int128 Rank(in FloatValue value)
    {
        Int128 magnitude = value.Kind switch
        {
            FloatKind.Zero => 0,
            FloatKind.Infinity => Int128.MaxValue,
            _ => ((Int128)(value.Exponent + 0x1_0000) << 64) | value.Significand,
        };
        return value.Negative ? -magnitude : magnitude;
    }

    /// <summary>The integer square root.</summary>
    private static ulong Root(UInt128 value)
    {
        ulong root = 0;
        for (int bit = 63; bit >= 0; bit--)
        {
            ulong tried = root | (1ul << bit);
            if ((UInt128)tried * tried <= value)
                root = tried;
        }

        return root;
    }
}
