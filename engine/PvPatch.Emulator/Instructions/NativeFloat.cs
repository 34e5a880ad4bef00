using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// SSE instructions by their likes of the host, exceptions and rounding as MXCSR of the host says (<see cref="HostMxcsr"/>). Results are the guest's
/// bit for bit, NaNs too, as operands keep their places.
/// </summary>
internal static class NativeFloat
{
    /// <summary>CMPPS and its kind; the lower half of the host's predicates are SSE's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Compare<TLanes>(Vector128<byte> a, Vector128<byte> b, [ConstantExpected(Max = FloatComparisonMode.UnorderedTrueSignaling)] FloatComparisonMode predicate)
        where TLanes : IFloatLanes
    {
        if (TLanes.Count == 1)
            return TLanes.Size == 4 ? Avx.CompareScalar(a.AsSingle(), b.AsSingle(), predicate).AsByte() : Avx.CompareScalar(a.AsDouble(), b.AsDouble(), predicate).AsByte();
        return TLanes.Size == 4 ? Avx.Compare(a.AsSingle(), b.AsSingle(), predicate).AsByte() : Avx.Compare(a.AsDouble(), b.AsDouble(), predicate).AsByte();
    }

    /// <summary>Whether a number is greater than or equal to another, 1 or 0, as UCOMISS and UCOMISD find it, or COMISS and COMISD, which raise an invalid operation for quiet NaNs too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int IsNotLess<TLanes>(Vector128<byte> a, Vector128<byte> b, bool isOrdered)
        where TLanes : IFloatLanes
    {
        bool result;
        if (TLanes.Size == 4)
            result = isOrdered ? Sse.CompareScalarOrderedGreaterThanOrEqual(a.AsSingle(), b.AsSingle()) : Sse.CompareScalarUnorderedGreaterThanOrEqual(a.AsSingle(), b.AsSingle());
        else
            result = isOrdered ? Sse2.CompareScalarOrderedGreaterThanOrEqual(a.AsDouble(), b.AsDouble()) : Sse2.CompareScalarUnorderedGreaterThanOrEqual(a.AsDouble(), b.AsDouble());
        return result ? 1 : 0;
    }

    /// <summary>CVTSS2SI and CVTSD2SI to 32 bits, or those that truncate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ToInt32<TLanes>(Vector128<byte> b, bool truncates)
        where TLanes : IFloatLanes
    {
        if (truncates)
            return TLanes.Size == 4 ? Sse.ConvertToInt32WithTruncation(b.AsSingle()) : Sse2.ConvertToInt32WithTruncation(b.AsDouble());
        return TLanes.Size == 4 ? Sse.ConvertToInt32(b.AsSingle()) : Sse2.ConvertToInt32(b.AsDouble());
    }

    /// <summary>CVTSS2SI and CVTSD2SI to 64 bits, or those that truncate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ToInt64<TLanes>(Vector128<byte> b, bool truncates)
        where TLanes : IFloatLanes
    {
        if (truncates)
            return TLanes.Size == 4 ? Sse.X64.ConvertToInt64WithTruncation(b.AsSingle()) : Sse2.X64.ConvertToInt64WithTruncation(b.AsDouble());
        return TLanes.Size == 4 ? Sse.X64.ConvertToInt64(b.AsSingle()) : Sse2.X64.ConvertToInt64(b.AsDouble());
    }

    /// <summary>Whether a result has a NaN, found without a floating-point instruction, which might raise an exception of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HasNan<TLanes>(Vector128<byte> result)
        where TLanes : IFloatLanes
    {
        if (TLanes.Count == 1)
            return TLanes.Size == 4 ? result.AsUInt32().ToScalar() << 1 > 0xff00_0000 : result.AsUInt64().ToScalar() << 1 > 0xffe0_0000_0000_0000;
        return TLanes.Size == 4
            ? Vector128.GreaterThanAny(result.AsInt32() & Vector128.Create(int.MaxValue), Vector128.Create(0x7f80_0000))
            : Vector128.GreaterThanAny(result.AsInt64() & Vector128.Create(long.MaxValue), Vector128.Create(0x7ff0_0000_0000_0000));
    }
}
