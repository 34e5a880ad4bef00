using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Shifts and rotates (Intel SDM vol. 2: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD). The count is masked to 5 bits, 6 for
/// 64-bit operands; a masked count of 0 changes no flag. OF is defined for a count of 1 only; for others it is computed
/// by the same rule, as processors do.
/// </summary>
public static class Shifts
{
    /// <summary>SHL and SAL.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Left<T>(T a, T count, ref ulong flags)
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        ulong value = Integer.ZeroExtend(a);
        T result = Integer.Truncate<T>(value << n);
        ulong carry = n <= Bits<T>() ? (value >> (Bits<T>() - n)) & 1 : 0;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | ((StatusFlags.Top(result) ^ carry) << 11));
        return result;
    }

    /// <summary>SHR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Right<T>(T a, T count, ref ulong flags)
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        ulong value = Integer.ZeroExtend(a);
        T result = Integer.Truncate<T>(value >> n);
        ulong carry = (value >> (n - 1)) & 1;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | ((StatusFlags.Top(result) ^ SecondTop(result)) << 11));
        return result;
    }

    /// <summary>SAR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ArithmeticRight<T>(T a, T count, ref ulong flags)
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        long value = Signed(a);
        T result = Integer.Truncate<T>(value >> n);
        ulong carry = (ulong)(value >> (n - 1)) & 1;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result));
        return result;
    }

    /// <summary>ROL: changes CF and OF only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateLeft<T>(T a, T count, ref ulong flags)
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        T result = Integer.RotateLeft(a, n & (Bits<T>() - 1));
        ulong carry = Integer.ZeroExtend(result) & 1;
        SetCarryAndOverflow(ref flags, carry, StatusFlags.Top(result) ^ carry);
        return result;
    }

    /// <summary>ROR: changes CF and OF only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateRight<T>(T a, T count, ref ulong flags)
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        T result = Integer.RotateRight(a, n & (Bits<T>() - 1));
        SetCarryAndOverflow(ref flags, StatusFlags.Top(result), StatusFlags.Top(result) ^ SecondTop(result));
        return result;
    }

    /// <summary>RCL: rotates through CF.</summary>
    public static T RotateCarryLeft<T>(T a, T count, ref ulong flags)
    {
        int n = Masked(count) % (Bits<T>() + 1);
        if (n == 0)
            return a;
        ulong value = Integer.ZeroExtend(a);
        ulong carry = flags & RFlags.Carry;
        ulong low = n == 1 ? 0 : value >> (Bits<T>() + 1 - n);
        ulong high = n == 64 ? 0 : value << n;
        T result = Integer.Truncate<T>(high | (carry << (n - 1)) | low);
        ulong carryOut = (value >> (Bits<T>() - n)) & 1;
        SetCarryAndOverflow(ref flags, carryOut, StatusFlags.Top(result) ^ carryOut);
        return result;
    }

    /// <summary>RCR: rotates through CF.</summary>
    public static T RotateCarryRight<T>(T a, T count, ref ulong flags)
    {
        int n = Masked(count) % (Bits<T>() + 1);
        if (n == 0)
            return a;
        ulong value = Integer.ZeroExtend(a);
        ulong carry = flags & RFlags.Carry;
        ulong low = n == 64 ? 0 : value >> n;
        ulong high = n == 1 ? 0 : value << (Bits<T>() + 1 - n);
        T result = Integer.Truncate<T>(low | (carry << (Bits<T>() - n)) | high);
        SetCarryAndOverflow(ref flags, (value >> (n - 1)) & 1, StatusFlags.Top(result) ^ SecondTop(result));
        return result;
    }

    /// <summary>SHLD. Counts above 16 bits leave the result undefined; here bits follow from the destination again.</summary>
    public static T DoubleLeft<T>(T a, T b, int count, ref ulong flags)
    {
        int n = count & (Bits<T>() == 64 ? 63 : 31);
        if (n == 0)
            return a;
        ulong joined = Joined(a, b);
        T result = Bits<T>() == 16 ? Integer.Truncate<T>(joined >> (32 - n)) : (a << n) | (b >>> (Bits<T>() - n));
        ulong carry = (Bits<T>() == 16 ? joined >> (48 - n) : Integer.ZeroExtend(a) >> (Bits<T>() - n)) & 1;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | StatusFlags.OverflowFromTop(a ^ result));
        return result;
    }

    /// <summary>SHRD. Counts above 16 bits leave the result undefined; here bits follow from the destination again.</summary>
    public static T DoubleRight<T>(T a, T b, int count, ref ulong flags)
    {
        int n = count & (Bits<T>() == 64 ? 63 : 31);
        if (n == 0)
            return a;
        ulong joined = Joined(a, b);
        T result = Bits<T>() == 16 ? Integer.Truncate<T>(joined >> n) : (a >>> n) | (b << (Bits<T>() - n));
        ulong carry = (Bits<T>() == 16 ? joined >> (n - 1) : Integer.ZeroExtend(a) >> (n - 1)) & 1;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | StatusFlags.OverflowFromTop(a ^ result));
        return result;
    }

    /// <summary>SHLX.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LeftOnly<T>(T a, T count) =>
        a << Masked(count);

    /// <summary>SHRX.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RightOnly<T>(T a, T count) =>
        a >>> Masked(count);

    /// <summary>SARX.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ArithmeticRightOnly<T>(T a, T count) =>
        Integer.Truncate<T>(Signed(a) >> Masked(count));

    /// <summary>ROL where nobody wants its flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateLeftOnly<T>(T a, T count) =>
        Integer.RotateLeft(a, Masked(count));

    /// <summary>RORX, and ROR where nobody wants its flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateRightOnly<T>(T a, T count) =>
        Integer.RotateRight(a, Masked(count));

    /// <summary>A value with its sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Signed<T>(T value)
    {
        int unused = 64 - Bits<T>();
        return (long)(Integer.ZeroExtend(value) << unused) >> unused;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe int Bits<T>() =>
        sizeof(T) * 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Masked<T>(T count) =>
        (int)Integer.ZeroExtend(count) & (Bits<T>() == 64 ? 63 : 31);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SecondTop<T>(T value) =>
        (Integer.ZeroExtend(value) >> (Bits<T>() - 2)) & 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetCarryAndOverflow(ref ulong flags, ulong carry, ulong overflow) =>
        flags = (flags & ~(RFlags.Carry | RFlags.Overflow)) | carry | (overflow << 11);

    /// <summary>Three operands in a row, of which the outer ones are equal: what 16 bits are shifted from, by up to 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Joined<T>(T outer, T inner) =>
        (Integer.ZeroExtend(outer) << 32) | (Integer.ZeroExtend(inner) << 16) | Integer.ZeroExtend(outer);
}
