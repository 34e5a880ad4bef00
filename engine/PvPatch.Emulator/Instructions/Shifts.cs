using System.Numerics;
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
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        ulong value = ulong.CreateTruncating(a);
        T result = T.CreateTruncating(value << n);
        ulong carry = n <= Bits<T>() ? (value >> (Bits<T>() - n)) & 1 : 0;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | ((StatusFlags.Top(result) ^ carry) << 11));
        return result;
    }

    /// <summary>SHR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Right<T>(T a, T count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        ulong value = ulong.CreateTruncating(a);
        T result = T.CreateTruncating(value >> n);
        ulong carry = (value >> (n - 1)) & 1;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | ((StatusFlags.Top(result) ^ SecondTop(result)) << 11));
        return result;
    }

    /// <summary>SAR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ArithmeticRight<T>(T a, T count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        long value = Signed(a);
        T result = T.CreateTruncating(value >> n);
        ulong carry = (ulong)(value >> (n - 1)) & 1;
        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result));
        return result;
    }

    /// <summary>ROL: changes CF and OF only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateLeft<T>(T a, T count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        T result = T.RotateLeft(a, n & (Bits<T>() - 1));
        ulong carry = ulong.CreateTruncating(result) & 1;
        SetCarryAndOverflow(ref flags, carry, StatusFlags.Top(result) ^ carry);
        return result;
    }

    /// <summary>ROR: changes CF and OF only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateRight<T>(T a, T count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = Masked(count);
        if (n == 0)
            return a;
        T result = T.RotateRight(a, n & (Bits<T>() - 1));
        SetCarryAndOverflow(ref flags, StatusFlags.Top(result), StatusFlags.Top(result) ^ SecondTop(result));
        return result;
    }

    /// <summary>RCL: rotates through CF.</summary>
    public static T RotateCarryLeft<T>(T a, T count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = Masked(count) % (Bits<T>() + 1);
        if (n == 0)
            return a;
        ulong value = ulong.CreateTruncating(a);
        ulong carry = flags & RFlags.Carry;
        ulong low = n == 1 ? 0 : value >> (Bits<T>() + 1 - n);
        ulong high = n == 64 ? 0 : value << n;
        T result = T.CreateTruncating(high | (carry << (n - 1)) | low);
        ulong carryOut = (value >> (Bits<T>() - n)) & 1;
        SetCarryAndOverflow(ref flags, carryOut, StatusFlags.Top(result) ^ carryOut);
        return result;
    }

    /// <summary>RCR: rotates through CF.</summary>
    public static T RotateCarryRight<T>(T a, T count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = Masked(count) % (Bits<T>() + 1);
        if (n == 0)
            return a;
        ulong value = ulong.CreateTruncating(a);
        ulong carry = flags & RFlags.Carry;
        ulong low = n == 64 ? 0 : value >> n;
        ulong high = n == 1 ? 0 : value << (Bits<T>() + 1 - n);
        T result = T.CreateTruncating(low | (carry << (Bits<T>() - n)) | high);
        SetCarryAndOverflow(ref flags, (value >> (n - 1)) & 1, StatusFlags.Top(result) ^ SecondTop(result));
        return result;
    }

    /// <summary>SHLD. Counts above the operand's width leave the result undefined; here bits follow from the destination again.</summary>
    public static T DoubleLeft<T>(T a, T b, int count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = count & (Bits<T>() == 64 ? 63 : 31);
        if (n == 0)
            return a;
        UInt128 joined = Joined(a, b, a);
        T result = T.CreateTruncating(joined >> ((2 * Bits<T>()) - n));
        ulong carry = (ulong)(joined >> ((3 * Bits<T>()) - n)) & 1;
        if (Bits<T>() == 64)
        {
            result = (a << n) | (b >>> (64 - n));
            carry = ulong.CreateTruncating(a >>> (64 - n)) & 1;
        }

        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | StatusFlags.OverflowFromTop(a ^ result));
        return result;
    }

    /// <summary>SHRD. Counts above the operand's width leave the result undefined; here bits follow from the destination again.</summary>
    public static T DoubleRight<T>(T a, T b, int count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int n = count & (Bits<T>() == 64 ? 63 : 31);
        if (n == 0)
            return a;
        UInt128 joined = Joined(a, b, a);
        T result = T.CreateTruncating(joined >> n);
        ulong carry = (ulong)(joined >> (n - 1)) & 1;
        if (Bits<T>() == 64)
        {
            result = (a >>> n) | (b << (64 - n));
            carry = ulong.CreateTruncating(a >>> (n - 1)) & 1;
        }

        StatusFlags.Set(ref flags, carry | StatusFlags.OfResult(result) | StatusFlags.OverflowFromTop(a ^ result));
        return result;
    }

    /// <summary>SHLX.</summary>
    public static T LeftOnly<T>(T a, T count)
        where T : unmanaged, IBinaryInteger<T> => a << Masked(count);

    /// <summary>SHRX.</summary>
    public static T RightOnly<T>(T a, T count)
        where T : unmanaged, IBinaryInteger<T> => a >>> Masked(count);

    /// <summary>SARX.</summary>
    public static T ArithmeticRightOnly<T>(T a, T count)
        where T : unmanaged, IBinaryInteger<T> => T.CreateTruncating(Signed(a) >> Masked(count));

    /// <summary>ROL where nobody wants its flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateLeftOnly<T>(T a, T count)
        where T : unmanaged, IBinaryInteger<T> => T.RotateLeft(a, Masked(count));

    /// <summary>RORX, and ROR where nobody wants its flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateRightOnly<T>(T a, T count)
        where T : unmanaged, IBinaryInteger<T> => T.RotateRight(a, Masked(count));

    /// <summary>A value with its sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Signed<T>(T value)
        where T : unmanaged, IBinaryInteger<T>
    {
        int unused = 64 - Bits<T>();
        return (long)(ulong.CreateTruncating(value) << unused) >> unused;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe int Bits<T>()
        where T : unmanaged => sizeof(T) * 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Masked<T>(T count)
        where T : unmanaged, IBinaryInteger<T> => (int)ulong.CreateTruncating(count) & (Bits<T>() == 64 ? 63 : 31);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SecondTop<T>(T value)
        where T : unmanaged, IBinaryInteger<T> => (ulong.CreateTruncating(value) >> (Bits<T>() - 2)) & 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetCarryAndOverflow(ref ulong flags, ulong carry, ulong overflow) =>
        flags = (flags & ~(RFlags.Carry | RFlags.Overflow)) | carry | (overflow << 11);

    private static UInt128 Joined<T>(T high, T middle, T low)
        where T : unmanaged, IBinaryInteger<T> =>
        (UInt128.CreateTruncating(high) << (2 * Bits<T>())) | (UInt128.CreateTruncating(middle) << Bits<T>()) | UInt128.CreateTruncating(low);
}
