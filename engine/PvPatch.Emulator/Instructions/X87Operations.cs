using System.Runtime.CompilerServices;

namespace PvPatch.Emulator.Instructions;

/// <summary>A meaning of two numbers.</summary>
internal interface IExtendedBinary
{
    static abstract Float80 Do(Float80 a, Float80 b, ref ExtendedContext context);
}

/// <summary>A meaning of one number.</summary>
internal interface IExtendedUnary
{
    static abstract Float80 Do(Float80 a, ref ExtendedContext context);
}

/// <summary>A format of numbers in memory.</summary>
internal unsafe interface IExtendedSource
{
    static abstract int Size { get; }

    static abstract Float80 Load(byte* host, ref ExtendedContext context);
}

// The adapters below bind a meaning to the shapes that take it as a type argument.

internal struct ExtendedAdd : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => ExtendedArithmetic.Add(a, b, ref context);
}

internal struct ExtendedSubtract : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => ExtendedArithmetic.Subtract(a, b, ref context);
}

internal struct ExtendedSubtractReversed : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => ExtendedArithmetic.Subtract(b, a, ref context);
}

internal struct ExtendedMultiply : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => ExtendedArithmetic.Multiply(a, b, ref context);
}

internal struct ExtendedDivide : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => ExtendedArithmetic.Divide(a, b, ref context);
}

internal struct ExtendedDivideReversed : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => ExtendedArithmetic.Divide(b, a, ref context);
}

internal struct ExtendedScale : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => ExtendedRemainders.Scale(a, b, ref context);
}

internal struct ExtendedArcTangent : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => Trigonometry.ArcTangent(a, b, ref context);
}

internal struct ExtendedLogarithm : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => Logarithms.Logarithm(a, b, ref context);
}

internal struct ExtendedLogarithmOfOnePlus : IExtendedBinary
{
    public static Float80 Do(Float80 a, Float80 b, ref ExtendedContext context) => Logarithms.LogarithmOfOnePlus(a, b, ref context);
}

internal struct ExtendedSquareRoot : IExtendedUnary
{
    public static Float80 Do(Float80 a, ref ExtendedContext context) => ExtendedArithmetic.SquareRoot(a, ref context);
}

internal struct ExtendedRoundToInteger : IExtendedUnary
{
    public static Float80 Do(Float80 a, ref ExtendedContext context) => ExtendedRemainders.RoundToInteger(a, ref context);
}

internal struct ExtendedPowerLessOne : IExtendedUnary
{
    public static Float80 Do(Float80 a, ref ExtendedContext context) => Logarithms.PowerLessOne(a, ref context);
}

internal struct ExtendedNegate : IExtendedUnary
{
    public static Float80 Do(Float80 a, ref ExtendedContext context) => a.Negated;
}

internal struct ExtendedAbsolute : IExtendedUnary
{
    public static Float80 Do(Float80 a, ref ExtendedContext context) => a.Absolute;
}

internal struct ExtendedSine : IExtendedUnary
{
    public static Float80 Do(Float80 a, ref ExtendedContext context) => Trigonometry.Sine(a, ref context);
}

internal struct ExtendedCosine : IExtendedUnary
{
    public static Float80 Do(Float80 a, ref ExtendedContext context) => Trigonometry.Cosine(a, ref context);
}

internal unsafe struct FromSingle : IExtendedSource
{
    public static int Size => 4;

    // SAFETY: shapes pass the address of Size readable bytes. So below.
    public static Float80 Load(byte* host, ref ExtendedContext context) => ExtendedConversions.FromSingle(Unsafe.ReadUnaligned<uint>(host), ref context);
}

internal unsafe struct FromDouble : IExtendedSource
{
    public static int Size => 8;

    public static Float80 Load(byte* host, ref ExtendedContext context) => ExtendedConversions.FromDouble(Unsafe.ReadUnaligned<ulong>(host), ref context);
}

internal unsafe struct FromExtended : IExtendedSource
{
    public static int Size => 10;

    public static Float80 Load(byte* host, ref ExtendedContext context) => new(Unsafe.ReadUnaligned<ulong>(host), Unsafe.ReadUnaligned<ushort>(host + 8));
}

internal unsafe struct FromInt16 : IExtendedSource
{
    public static int Size => 2;

    public static Float80 Load(byte* host, ref ExtendedContext context) => ExtendedConversions.FromInteger(Unsafe.ReadUnaligned<short>(host));
}

internal unsafe struct FromInt32 : IExtendedSource
{
    public static int Size => 4;

    public static Float80 Load(byte* host, ref ExtendedContext context) => ExtendedConversions.FromInteger(Unsafe.ReadUnaligned<int>(host));
}

internal unsafe struct FromInt64 : IExtendedSource
{
    public static int Size => 8;

    public static Float80 Load(byte* host, ref ExtendedContext context) => ExtendedConversions.FromInteger(Unsafe.ReadUnaligned<long>(host));
}

internal unsafe struct FromDecimal : IExtendedSource
{
    public static int Size => 10;

    public static Float80 Load(byte* host, ref ExtendedContext context) =>
        ExtendedConversions.FromDecimal(new UInt128(Unsafe.ReadUnaligned<ushort>(host + 8), Unsafe.ReadUnaligned<ulong>(host)));
}
