using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// When the host's own arithmetic gives what SSE arithmetic must. It rounds to the nearest and does not tell which exceptions it had.
/// But numbers that are normal, and stay so, can only be inexact; and once MXCSR says that something was inexact, to be so again
/// changes nothing. So nearly all arithmetic of programs needs only a look at exponents. Denormals-are-zeros and
/// flush-to-zero do not matter to such numbers.
/// </summary>
internal static class HostFloat
{
    /// <summary>Whether an inexact result changes nothing: rounding to the nearest, no exception for it, its flag set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HidesInexact(uint mxcsr) =>
        (mxcsr & (MxcsrBits.RoundingMask | MxcsrBits.PrecisionMask | MxcsrBits.Precision)) == (MxcsrBits.PrecisionMask | MxcsrBits.Precision);

    /// <summary>Whether all elements that an instruction works on are normal numbers, and not among the smallest, that may have been rounded up to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreOrdinary<TLanes>(Vector128<byte> vector)
        where TLanes : IFloatLanes
    {
        if (TLanes.Count > 1)
            return All<TLanes>(AreBetween<TLanes>(vector, 2));
        return TLanes.Size == 4
            ? ((vector.AsUInt32().ToScalar() >> 23) & 0xff) - 2 < 0xfd
            : ((uint)(vector.AsUInt64().ToScalar() >> 52) & 0x7ff) - 2 < 0x7fd;
    }

    /// <summary>Whether the host's result is what the instruction gives, and MXCSR stays as it is: all that <see cref="AreOrdinary"/> is too coarse for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds<TOperation, TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result, uint mxcsr)
        where TOperation : IFloatOperation
        where TLanes : IFloatLanes
    {
        Vector128<byte> fit = AreOperands<TLanes>(b);
        if (!TOperation.IsUnary)
            fit &= AreOperands<TLanes>(a);
        if (!TOperation.Chooses)
        {
            if ((mxcsr & (MxcsrBits.RoundingMask | MxcsrBits.PrecisionMask)) != MxcsrBits.PrecisionMask)
                return false;
            fit &= AreBetween<TLanes>(result, 2) | (AreZero<TLanes>(result) & TOperation.MayBeZero<TLanes>(a, b));
            if ((mxcsr & MxcsrBits.Precision) == 0)
                fit &= TOperation.AreExact<TLanes>(a, b, result);
        }

        return All<TLanes>(fit);
    }

    /// <summary>Whether elements can be compared without an exception: no NaN, nothing denormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreComparable<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes => All<TLanes>(AreOperands<TLanes>(a) & AreOperands<TLanes>(b));

    /// <summary>Which elements are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AreZero<TLanes>(Vector128<byte> vector)
        where TLanes : IFloatLanes =>
        TLanes.Size == 4 ? Vector128.Equals(vector.AsSingle(), default).AsByte() : Vector128.Equals(vector.AsDouble(), default).AsByte();

    /// <summary>Of which elements it is known that x * y is z, or the result is zero. The rest is computed without an error, since z is far from underflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> IsNoRest<TLanes>(Vector128<byte> x, Vector128<byte> y, Vector128<byte> z, Vector128<byte> result)
        where TLanes : IFloatLanes
    {
        Vector128<byte> exact = TLanes.Size == 4
            ? Vector128.Equals(Vector128.FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), -z.AsSingle()), default).AsByte()
            : Vector128.Equals(Vector128.FusedMultiplyAdd(x.AsDouble(), y.AsDouble(), -z.AsDouble()), default).AsByte();
        return (exact & AreBetween<TLanes>(z, TLanes.Size == 4 ? 64 : 128)) | AreZero<TLanes>(result);
    }

    /// <summary>CMPPS and its kind on elements that can be compared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Compare<TLanes>(Vector128<byte> a, Vector128<byte> b, byte predicate)
        where TLanes : IFloatLanes
    {
        Vector128<byte> holds = (predicate & 3) switch
        {
            0 => TLanes.Size == 4 ? Vector128.Equals(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.Equals(a.AsDouble(), b.AsDouble()).AsByte(),
            1 => TLanes.Size == 4 ? Vector128.LessThan(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.LessThan(a.AsDouble(), b.AsDouble()).AsByte(),
            2 => TLanes.Size == 4 ? Vector128.LessThanOrEqual(a.AsSingle(), b.AsSingle()).AsByte() : Vector128.LessThanOrEqual(a.AsDouble(), b.AsDouble()).AsByte(),
            _ => default,
        };
        return Merged<TLanes>(a, (predicate & 4) != 0 ? ~holds : holds, isScalar: false);
    }

    /// <summary>UCOMIS and COMIS of elements that can be compared: ZF and CF, the other status flags clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Order<TLanes>(Vector128<byte> a, Vector128<byte> b, ref ulong flags)
        where TLanes : IFloatLanes
    {
        bool less = TLanes.Size == 4 ? a.AsSingle().ToScalar() < b.AsSingle().ToScalar() : a.AsDouble().ToScalar() < b.AsDouble().ToScalar();
        bool equal = TLanes.Size == 4 ? a.AsSingle().ToScalar() == b.AsSingle().ToScalar() : a.AsDouble().ToScalar() == b.AsDouble().ToScalar();
        StatusFlags.Set(ref flags, (less ? State.RFlags.Carry : 0) | (equal ? State.RFlags.Zero : 0));
    }

    /// <summary>A result with the elements above those that the instruction works on as they were.</summary>
    /// <param name="a">The first operand.</param>
    /// <param name="result">The result.</param>
    /// <param name="isScalar">The host's instruction has left them, if it has such.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Merged<TLanes>(Vector128<byte> a, Vector128<byte> result, bool isScalar = true)
        where TLanes : IFloatLanes
    {
        if (TLanes.Count > 1 || (isScalar && Sse2.IsSupported))
            return result;
        return TLanes.Size == 4 ? PackedShuffles.ReplaceLow32(a, result, 0) : PackedShuffles.ReplaceLow64(a, result, 0);
    }

    /// <summary>Which elements are no NaN and not denormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> AreOperands<TLanes>(Vector128<byte> vector)
        where TLanes : IFloatLanes
    {
        Vector128<byte> numbers = TLanes.Size == 4 ? Vector128.Equals(vector.AsSingle(), vector.AsSingle()).AsByte() : Vector128.Equals(vector.AsDouble(), vector.AsDouble()).AsByte();
        return numbers & (AreZero<TLanes>(vector) | ~AreBelow<TLanes>(vector, 1));
    }

    /// <summary>Which elements are finite, with an exponent field from this value on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> AreBetween<TLanes>(Vector128<byte> vector, int least)
        where TLanes : IFloatLanes => AreBelow<TLanes>(vector, TLanes.Size == 4 ? 0xff : 0x7ff) & ~AreBelow<TLanes>(vector, least);

    /// <summary>Which elements have an exponent field below a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> AreBelow<TLanes>(Vector128<byte> vector, int exponent)
        where TLanes : IFloatLanes =>
        TLanes.Size == 4
            ? Vector128.LessThan(vector.AsInt32() & Vector128.Create(int.MaxValue), Vector128.Create(exponent << 23)).AsByte()
            : Vector128.LessThan(vector.AsInt64() & Vector128.Create(long.MaxValue), Vector128.Create((long)exponent << 52)).AsByte();

    /// <summary>Whether all elements that the instruction works on are chosen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool All<TLanes>(Vector128<byte> chosen)
        where TLanes : IFloatLanes
    {
        if (TLanes.Count > 1)
            return chosen == Vector128<byte>.AllBitsSet;
        return TLanes.Size == 4 ? chosen.AsUInt32().ToScalar() != 0 : chosen.AsUInt64().ToScalar() != 0;
    }
}
