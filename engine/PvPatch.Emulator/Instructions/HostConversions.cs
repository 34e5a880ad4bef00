using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

/// <summary>SSE conversions of one element by the host, and when they give what the instruction must: see <see cref="HostFloat"/>.</summary>
internal static class HostConversions
{
    /// <summary>CVTSI2SS, CVTSI2SD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> FromInteger<TLanes>(Vector128<byte> a, long value)
        where TLanes : IFloatLanes
    {
        if (TLanes.Size == 4)
            return Sse.X64.IsSupported ? Sse.X64.ConvertScalarToVector128Single(a.AsSingle(), value).AsByte() : a.AsSingle().WithElement(0, (float)value).AsByte();
        return Sse2.X64.IsSupported ? Sse2.X64.ConvertScalarToVector128Double(a.AsDouble(), value).AsByte() : a.AsDouble().WithElement(0, (double)value).AsByte();
    }

    /// <summary>Whether <see cref="FromInteger{TLanes}"/> gives the result, and MXCSR stays as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HoldsFromInteger<TLanes>(long value, uint mxcsr)
        where TLanes : IFloatLanes
    {
        if (HostFloat.HidesInexact(mxcsr) || value == 0)
            return true;
        ulong magnitude = (ulong)(value < 0 ? -value : value);
        int digits = 64 - BitOperations.LeadingZeroCount(magnitude) - BitOperations.TrailingZeroCount(magnitude);
        return digits <= (TLanes.Size == 4 ? 24 : 53);
    }

    /// <summary>CVTTSS2SI, CVTTSD2SI of what fits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Truncated<TLanes>(Vector128<byte> b)
        where TLanes : IFloatLanes => Integral(Number<TLanes>(b));

    /// <summary>CVTSS2SI, CVTSD2SI of what fits, to the nearest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Rounded<TLanes>(Vector128<byte> b)
        where TLanes : IFloatLanes => Integral(Math.Round(Number<TLanes>(b)));

    /// <summary>Whether a number surely fits an integer of so many bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Fits<TLanes, TInteger>(Vector128<byte> b)
        where TLanes : IFloatLanes
        where TInteger : unmanaged => Math.Abs(Number<TLanes>(b)) < (Unsafe.SizeOf<TInteger>() == 4 ? int.MaxValue : 9.2e18);

    /// <summary>Whether <see cref="Truncated{TLanes}"/> or <see cref="Rounded{TLanes}"/> gives the result, and MXCSR stays as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HoldsToInteger<TLanes, TInteger>(Vector128<byte> b, uint mxcsr)
        where TLanes : IFloatLanes
        where TInteger : unmanaged =>
        Fits<TLanes, TInteger>(b) && (HostFloat.HidesInexact(mxcsr) || Number<TLanes>(b) == Math.Truncate(Number<TLanes>(b)));

    /// <summary>CVTSS2SD, which is exact for what can be compared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ToDouble(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported
            ? Sse2.ConvertScalarToVector128Double(a.AsDouble(), b.AsSingle()).AsByte()
            : a.AsDouble().WithElement(0, (double)b.AsSingle().ToScalar()).AsByte();

    /// <summary>CVTSD2SS.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ToSingle(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported
            ? Sse2.ConvertScalarToVector128Single(a.AsSingle(), b.AsDouble()).AsByte()
            : a.AsSingle().WithElement(0, (float)b.AsDouble().ToScalar()).AsByte();

    /// <summary>Whether <see cref="ToSingle"/> gives the result, and MXCSR stays as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HoldsToSingle(Vector128<byte> b, Vector128<byte> result, uint mxcsr)
    {
        double value = b.AsDouble().ToScalar();
        return value == 0 ||
            (HostFloat.AreOrdinary<ScalarSingle>(result) && (HostFloat.HidesInexact(mxcsr) || result.AsSingle().ToScalar() == value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Number<TLanes>(Vector128<byte> vector)
        where TLanes : IFloatLanes => TLanes.Size == 4 ? vector.AsSingle().ToScalar() : vector.AsDouble().ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Integral(double value) =>
        Sse2.X64.IsSupported ? Sse2.X64.ConvertToInt64WithTruncation(Vector128.CreateScalarUnsafe(value)) : (long)value;
}
