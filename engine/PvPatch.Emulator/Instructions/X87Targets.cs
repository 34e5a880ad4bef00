namespace PvPatch.Emulator.Instructions;

/// <summary>A format that the x87 stores.</summary>
internal interface IExtendedTarget
{
    static abstract int Size { get; }

    /// <summary>What is stored when the register is empty, which it raises.</summary>
    static abstract UInt128 Indefinite(ref ExtendedContext context);

    static abstract UInt128 Convert(Float80 a, ref ExtendedContext context);
}

/// <summary>A constant that the x87 loads (Intel SDM vol. 2, FLD1).</summary>
internal interface IExtendedConstant
{
    static abstract Float80 Value(Rounding rounding);
}

internal struct ToSingle : IExtendedTarget
{
    public static int Size => 4;

    public static UInt128 Indefinite(ref ExtendedContext context) => ExtendedConversions.ToSingle(context.StackUnderflow(), ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context) => ExtendedConversions.ToSingle(a, ref context);
}

internal struct ToDouble : IExtendedTarget
{
    public static int Size => 8;

    public static UInt128 Indefinite(ref ExtendedContext context) => ExtendedConversions.ToDouble(context.StackUnderflow(), ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context) => ExtendedConversions.ToDouble(a, ref context);
}

internal struct ToExtended : IExtendedTarget
{
    public static int Size => 10;

    public static UInt128 Indefinite(ref ExtendedContext context) => Convert(context.StackUnderflow(), ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context) => new(a.High, a.Mantissa);
}

internal struct ToInt16 : IExtendedTarget
{
    public static int Size => 2;

    public static UInt128 Indefinite(ref ExtendedContext context) => Convert(context.StackUnderflow(), ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context) => (ulong)ExtendedConversions.ToInteger(a, 16, ref context);
}

internal struct ToInt32 : IExtendedTarget
{
    public static int Size => 4;

    public static UInt128 Indefinite(ref ExtendedContext context) => Convert(context.StackUnderflow(), ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context) => (ulong)ExtendedConversions.ToInteger(a, 32, ref context);
}

internal struct ToInt64 : IExtendedTarget
{
    public static int Size => 8;

    public static UInt128 Indefinite(ref ExtendedContext context) => Convert(context.StackUnderflow(), ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context) => (ulong)ExtendedConversions.ToInteger(a, 64, ref context);
}

internal struct ToDecimal : IExtendedTarget
{
    public static int Size => 10;

    public static UInt128 Indefinite(ref ExtendedContext context) => Convert(context.StackUnderflow(), ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context) => ExtendedConversions.ToDecimal(a, ref context);
}

/// <summary>FISTTP: another format, cut instead of rounded.</summary>
internal struct Truncated<TTarget> : IExtendedTarget
    where TTarget : IExtendedTarget
{
    public static int Size => TTarget.Size;

    public static UInt128 Indefinite(ref ExtendedContext context) => TTarget.Indefinite(ref context);

    public static UInt128 Convert(Float80 a, ref ExtendedContext context)
    {
        context.Rounding = Rounding.Zero;
        return TTarget.Convert(a, ref context);
    }
}

internal struct ConstantZero : IExtendedConstant
{
    public static Float80 Value(Rounding rounding) => Float80.Zero(negative: false);
}

internal struct ConstantOne : IExtendedConstant
{
    public static Float80 Value(Rounding rounding) => Float80.One;
}

/// <summary>The logarithm of 10 to base 2.</summary>
internal struct Log2Of10 : IExtendedConstant
{
    public static Float80 Value(Rounding rounding) => new(0xd49a_784b_cd1b_8afe + (rounding == Rounding.Up ? 1ul : 0), 0x4000);
}

/// <summary>The logarithm of e to base 2.</summary>
internal struct Log2OfE : IExtendedConstant
{
    public static Float80 Value(Rounding rounding) => new(ExtendedConstants.Nearest(0xb8aa_3b29_5c17_f0bc, rounding), 0x3fff);
}

/// <summary>Pi.</summary>
internal struct ConstantPi : IExtendedConstant
{
    public static Float80 Value(Rounding rounding) => new(ExtendedConstants.Nearest(0xc90f_daa2_2168_c235, rounding), 0x4000);
}

/// <summary>The logarithm of 2 to base 10.</summary>
internal struct Log10Of2 : IExtendedConstant
{
    public static Float80 Value(Rounding rounding) => new(ExtendedConstants.Nearest(0x9a20_9a84_fbcf_f799, rounding), 0x3ffd);
}

/// <summary>The natural logarithm of 2.</summary>
internal struct LnOf2 : IExtendedConstant
{
    public static Float80 Value(Rounding rounding) => new(ExtendedConstants.Nearest(0xb172_17f7_d1cf_79ac, rounding), 0x3ffe);
}

/// <summary>How constants follow rounding control.</summary>
internal static class ExtendedConstants
{
    /// <summary>A mantissa whose nearest value lies above the constant.</summary>
    public static ulong Nearest(ulong mantissa, Rounding rounding) =>
        rounding is Rounding.Down or Rounding.Zero ? mantissa - 1 : mantissa;
}
