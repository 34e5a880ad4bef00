using System.Numerics;
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
        if (TLanes.Size == 4)
        {
            if (TLanes.Count == 1)
                return ((vector.AsUInt32().ToScalar() >> 23) & 0xff) - 2 < 0xfd;
            Vector128<int> exponents = Vector128.ShiftRightLogical(Vector128.ShiftLeft(vector.AsInt32(), 1), 24);
            return (Vector128.GreaterThan(exponents, Vector128.Create(1)) & Vector128.LessThan(exponents, Vector128.Create(0xff))) == Vector128<int>.AllBitsSet;
        }

        if (TLanes.Count == 1)
            return ((uint)(vector.AsUInt64().ToScalar() >> 52) & 0x7ff) - 2 < 0x7fd;
        Vector128<long> wide = Vector128.ShiftRightLogical(Vector128.ShiftLeft(vector.AsInt64(), 1), 53);
        return (Vector128.GreaterThan(wide, Vector128.Create(1L)) & Vector128.LessThan(wide, Vector128.Create(0x7ffL))) == Vector128<long>.AllBitsSet;
    }

    /// <summary>Whether the host's result is what the instruction gives, and MXCSR stays as it is: all that <see cref="AreOrdinary"/> is too coarse for.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Holds<TOperation, TLanes>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> result, uint mxcsr)
        where TOperation : IFloatOperation
        where TLanes : IFloatLanes =>
        TLanes.Size == 4
            ? Holds<TOperation, float>(a.AsSingle(), b.AsSingle(), result.AsSingle(), TLanes.Count, mxcsr)
            : Holds<TOperation, double>(a.AsDouble(), b.AsDouble(), result.AsDouble(), TLanes.Count, mxcsr);

    /// <summary>Whether elements can be compared without an exception: no NaN, nothing denormal.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool AreComparable<TLanes>(Vector128<byte> a, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        for (int i = 0; i < TLanes.Count; i++)
        {
            bool fit = TLanes.Size == 4
                ? IsOperand(a.AsSingle()[i]) && IsOperand(b.AsSingle()[i])
                : IsOperand(a.AsDouble()[i]) && IsOperand(b.AsDouble()[i]);
            if (!fit)
                return false;
        }

        return true;
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

    /// <summary>Whether a number's last bits, and those of what an operation on it leaves, are far from underflow.</summary>
    public static bool LeavesRoom<T>(T value)
        where T : IBinaryFloatingPointIeee754<T> =>
        T.Abs(value) > (typeof(T) == typeof(float) ? T.CreateTruncating(1e-24f) : T.CreateTruncating(1e-270));

    private static bool Holds<TOperation, T>(Vector128<T> a, Vector128<T> b, Vector128<T> result, int count, uint mxcsr)
        where TOperation : IFloatOperation
        where T : IBinaryFloatingPointIeee754<T>
    {
        if (!TOperation.Chooses && (mxcsr & (MxcsrBits.RoundingMask | MxcsrBits.PrecisionMask)) != MxcsrBits.PrecisionMask)
            return false;
        bool hidesInexact = (mxcsr & MxcsrBits.Precision) != 0;
        for (int i = 0; i < count; i++)
        {
            T x = TOperation.IsUnary ? b[i] : a[i];
            T y = b[i];
            T r = result[i];
            if (!IsOperand(x) || !IsOperand(y))
                return false;
            if (!TOperation.Chooses && !(T.IsZero(r) ? TOperation.MayBeZero(x, y) : IsOrdinary(r)))
                return false;
            if (!hidesInexact && !TOperation.IsExact(x, y, r))
                return false;
        }

        return true;
    }

    private static bool IsOperand<T>(T value)
        where T : IBinaryFloatingPointIeee754<T> => !T.IsNaN(value) && !T.IsSubnormal(value);

    private static bool IsOrdinary<T>(T value)
        where T : IBinaryFloatingPointIeee754<T> =>
        typeof(T) == typeof(float)
            ? AreOrdinary<ScalarSingle>(Vector128.CreateScalar(value).AsByte())
            : AreOrdinary<ScalarDouble>(Vector128.CreateScalar(value).AsByte());
}
