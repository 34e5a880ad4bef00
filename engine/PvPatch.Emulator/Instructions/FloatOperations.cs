using System.Numerics;
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

    /// <summary>Whether an element's result of zero comes without an exception, the operands being neither denormal nor NaN.</summary>
    static abstract bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T>;

    /// <summary>Whether an element's result is known to be exact; it is finite, and not near to underflow.</summary>
    static abstract bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T>;
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

    public static bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T> => true;

    /// <summary>What the larger operand leaves of the sum is computed without an error.</summary>
    public static bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T> => result - x == y && result - y == x;
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

    public static bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T> => true;

    public static bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T> => x - result == y && result + y == x;
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

    public static bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T> => x == T.Zero || y == T.Zero;

    public static bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T> =>
        result == T.Zero || (HostFloat.LeavesRoom(result) && T.FusedMultiplyAdd(x, y, -result) == T.Zero);
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

    public static bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T> => x == T.Zero;

    public static bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T> =>
        result == T.Zero || (HostFloat.LeavesRoom(x) && T.FusedMultiplyAdd(result, y, -x) == T.Zero);
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

    public static bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T> => y == T.Zero;

    public static bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T> =>
        result == T.Zero || (HostFloat.LeavesRoom(y) && T.FusedMultiplyAdd(result, result, -y) == T.Zero);
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
        Vector128<byte> less = TLanes.Size == 4 ? Vector128.LessThan(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.LessThan(a.AsDouble(), b.AsDouble()).AsByte();
        return HostFloat.Merged<TLanes>(a, Vector128.ConditionalSelect(less, a, b), isScalar: false);
    }

    public static bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T> => true;

    public static bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T> => true;
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
        Vector128<byte> greater = TLanes.Size == 4 ? Vector128.GreaterThan(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.GreaterThan(a.AsDouble(), b.AsDouble()).AsByte();
        return HostFloat.Merged<TLanes>(a, Vector128.ConditionalSelect(greater, a, b), isScalar: false);
    }

    public static bool MayBeZero<T>(T x, T y)
        where T : IBinaryFloatingPointIeee754<T> => true;

    public static bool IsExact<T>(T x, T y, T result)
        where T : IBinaryFloatingPointIeee754<T> => true;
}
