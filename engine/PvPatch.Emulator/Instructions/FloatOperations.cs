using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// SSE arithmetic said in two ways: on integers, which is exact in all modes, and by the host's own arithmetic, which rounds to the
/// nearest and tells no exceptions; <see cref="HostFloat"/> finds where the second gives all that the first does.
/// </summary>
internal interface IFloatOperation
{
    /// <summary>Whether the result may be anything that is no NaN: it is one of the operands.</summary>
    static virtual bool Chooses => false;

    /// <summary>Whether only the second operand counts.</summary>
    static virtual bool IsUnary => false;

    /// <summary>One element, with its exceptions.</summary>
    static abstract ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat;

    /// <summary>All elements, by the host.</summary>
    static abstract Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes;

    /// <summary>Which elements may be zero without an exception, the operands being neither denormal nor NaN.</summary>
    static abstract Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes;

    /// <summary>Which elements are known to be exact, the result being finite.</summary>
    static abstract Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes;
}

/// <summary>ADD.</summary>
internal struct Sum : IFloatOperation
{
    public static ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => FloatArithmetic.Add<TFormat>(x, y, ref context);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse.IsSupported ? Sse.AddScalar(a.AsSingle(), b.AsSingle()).AsByte() : (a.AsSingle() + b.AsSingle()).AsByte());
        return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse2.IsSupported ? Sse2.AddScalar(a.AsDouble(), b.AsDouble()).AsByte() : (a.AsDouble() + b.AsDouble()).AsByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => Vector128<byte>.AllBitsSet;

    /// <summary>What the larger operand leaves of the sum is computed without an error.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes =>
        TLanes.Size == 4
            ? (Vector128.Equals(result.AsSingle() - a.AsSingle(), b.AsSingle()) & Vector128.Equals(result.AsSingle() - b.AsSingle(), a.AsSingle())).AsByte()
            : (Vector128.Equals(result.AsDouble() - a.AsDouble(), b.AsDouble()) & Vector128.Equals(result.AsDouble() - b.AsDouble(), a.AsDouble())).AsByte();
}

/// <summary>SUB.</summary>
internal struct Difference : IFloatOperation
{
    public static ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => FloatArithmetic.Subtract<TFormat>(x, y, ref context);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse.IsSupported ? Sse.SubtractScalar(a.AsSingle(), b.AsSingle()).AsByte() : (a.AsSingle() - b.AsSingle()).AsByte());
        return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse2.IsSupported ? Sse2.SubtractScalar(a.AsDouble(), b.AsDouble()).AsByte() : (a.AsDouble() - b.AsDouble()).AsByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => Vector128<byte>.AllBitsSet;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes =>
        TLanes.Size == 4
            ? (Vector128.Equals(a.AsSingle() - result.AsSingle(), b.AsSingle()) & Vector128.Equals(result.AsSingle() + b.AsSingle(), a.AsSingle())).AsByte()
            : (Vector128.Equals(a.AsDouble() - result.AsDouble(), b.AsDouble()) & Vector128.Equals(result.AsDouble() + b.AsDouble(), a.AsDouble())).AsByte();
}

/// <summary>MUL.</summary>
internal struct Product : IFloatOperation
{
    public static ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => FloatArithmetic.Multiply<TFormat>(x, y, ref context);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse.IsSupported ? Sse.MultiplyScalar(a.AsSingle(), b.AsSingle()).AsByte() : (a.AsSingle() * b.AsSingle()).AsByte());
        return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse2.IsSupported ? Sse2.MultiplyScalar(a.AsDouble(), b.AsDouble()).AsByte() : (a.AsDouble() * b.AsDouble()).AsByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => HostFloat.AreZero<TLanes>(a) | HostFloat.AreZero<TLanes>(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes => HostFloat.IsNoRest<TLanes>(a, b, result, result);
}

/// <summary>DIV.</summary>
internal struct Quotient : IFloatOperation
{
    public static ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => FloatArithmetic.Divide<TFormat>(x, y, ref context);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse.IsSupported ? Sse.DivideScalar(a.AsSingle(), b.AsSingle()).AsByte() : (a.AsSingle() / b.AsSingle()).AsByte());
        return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse2.IsSupported ? Sse2.DivideScalar(a.AsDouble(), b.AsDouble()).AsByte() : (a.AsDouble() / b.AsDouble()).AsByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => HostFloat.AreZero<TLanes>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes => HostFloat.IsNoRest<TLanes>(result, b, a, result);
}

/// <summary>SQRT, of the second operand.</summary>
internal struct SquareRoot : IFloatOperation
{
    public static bool IsUnary => true;

    public static ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => FloatArithmetic.SquareRoot<TFormat>(x, y, ref context);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse.IsSupported ? Sse.SqrtScalar(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.Sqrt(b.AsSingle()).AsByte());
        return HostFloat.Merged<TLanes>(a, TLanes.Count == 1 && Sse2.IsSupported ? Sse2.SqrtScalar(a.AsDouble(), b.AsDouble()).AsByte() : Vector128.Sqrt(b.AsDouble()).AsByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => HostFloat.AreZero<TLanes>(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes => HostFloat.IsNoRest<TLanes>(result, result, b, result);
}

/// <summary>MIN: the second operand unless the first is less.</summary>
internal struct Lesser : IFloatOperation
{
    public static bool Chooses => true;

    public static ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => FloatArithmetic.Minimum<TFormat>(x, y, ref context);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        if (Sse2.IsSupported && TLanes.Size == 4)
            return TLanes.Count == 1 ? Sse.MinScalar(a.AsSingle(), b.AsSingle()).AsByte() : Sse.Min(a.AsSingle(), b.AsSingle()).AsByte();
        if (Sse2.IsSupported)
            return TLanes.Count == 1 ? Sse2.MinScalar(a.AsDouble(), b.AsDouble()).AsByte() : Sse2.Min(a.AsDouble(), b.AsDouble()).AsByte();
        Vector128<byte> less = TLanes.Size == 4 ? Vector128.LessThan(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.LessThan(a.AsDouble(), b.AsDouble()).AsByte();
        return HostFloat.Merged<TLanes>(a, Vector128.ConditionalSelect(less, a, b), isScalar: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => Vector128<byte>.AllBitsSet;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes => Vector128<byte>.AllBitsSet;
}

/// <summary>MAX: the second operand unless the first is greater.</summary>
internal struct Greater : IFloatOperation
{
    public static bool Chooses => true;

    public static ulong Exactly<TFormat>(ulong x, ulong y, ref FloatContext context)
        where TFormat : IFloatFormat => FloatArithmetic.Maximum<TFormat>(x, y, ref context);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> OnHost<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        if (Sse2.IsSupported && TLanes.Size == 4)
            return TLanes.Count == 1 ? Sse.MaxScalar(a.AsSingle(), b.AsSingle()).AsByte() : Sse.Max(a.AsSingle(), b.AsSingle()).AsByte();
        if (Sse2.IsSupported)
            return TLanes.Count == 1 ? Sse2.MaxScalar(a.AsDouble(), b.AsDouble()).AsByte() : Sse2.Max(a.AsDouble(), b.AsDouble()).AsByte();
        Vector128<byte> greater = TLanes.Size == 4 ? Vector128.GreaterThan(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.GreaterThan(a.AsDouble(), b.AsDouble()).AsByte();
        return HostFloat.Merged<TLanes>(a, Vector128.ConditionalSelect(greater, a, b), isScalar: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MayBeZero<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => Vector128<byte>.AllBitsSet;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreExact<TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result)
        where TLanes : IFloatLanes => Vector128<byte>.AllBitsSet;
}
