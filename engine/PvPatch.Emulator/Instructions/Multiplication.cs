using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Multiplication and division (Intel SDM vol. 2: MUL, IMUL, MULX, DIV, IDIV). A product sets CF and OF when its upper half
/// says more than the lower one; SF, ZF, AF and PF are undefined and left. Division leaves all flags undefined, and left.
/// </summary>
public static class Multiplication
{
    /// <summary>MUL: the lower half is returned.</summary>
    public static T Unsigned<T>(T a, T b, out T high, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        T low = Wide(a, b, out high);
        SetCarryAndOverflow(ref flags, high != T.Zero);
        return low;
    }

    /// <summary>IMUL with one operand: the lower half is returned.</summary>
    public static unsafe T Signed<T>(T a, T b, out T high, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        T low;
        if (sizeof(T) == 8)
        {
            high = T.CreateTruncating(Math.BigMul(long.CreateTruncating(a), long.CreateTruncating(b), out long lower));
            low = T.CreateTruncating(lower);
        }
        else
        {
            long product = Shifts.Signed(a) * Shifts.Signed(b);
            low = T.CreateTruncating(product);
            high = T.CreateTruncating(product >> (sizeof(T) * 8));
        }

        T sign = StatusFlags.Top(low) != 0 ? T.AllBitsSet : T.Zero;
        SetCarryAndOverflow(ref flags, high != sign);
        return low;
    }

    /// <summary>IMUL with two or three operands.</summary>
    public static T Truncated<T>(T a, T b, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => Signed(a, b, out _, ref flags);

    /// <summary>MULX: the lower half is returned, no flag changes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T Wide<T>(T a, T b, out T high)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (sizeof(T) == 8)
        {
            high = T.CreateTruncating(Math.BigMul(ulong.CreateTruncating(a), ulong.CreateTruncating(b), out ulong low));
            return T.CreateTruncating(low);
        }

        ulong product = ulong.CreateTruncating(a) * ulong.CreateTruncating(b);
        high = T.CreateTruncating(product >> (sizeof(T) * 8));
        return T.CreateTruncating(product);
    }

    /// <summary>DIV. False is #DE: the divisor is 0 or the quotient too big.</summary>
    public static unsafe bool TryDivide<T>(T high, T low, T divisor, out T quotient, out T remainder)
        where T : unmanaged, IBinaryInteger<T>
    {
        quotient = remainder = T.Zero;
        if (high >= divisor)
            return false;
        quotient = Quotient(high, low, divisor, out remainder);
        return true;
    }

    /// <summary>DIV by a divisor above the dividend's upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T Quotient<T>(T high, T low, T divisor, out T remainder)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (sizeof(T) == 8 && X86Base.X64.IsSupported)
        {
#pragma warning disable SYSLIB5004 // An experimental method, in the framework since .NET 8; what it is instead stands below.
            (ulong quotient, ulong rest) = X86Base.X64.DivRem(ulong.CreateTruncating(low), ulong.CreateTruncating(high), ulong.CreateTruncating(divisor));
#pragma warning restore SYSLIB5004
            remainder = T.CreateTruncating(rest);
            return T.CreateTruncating(quotient);
        }

        if (sizeof(T) == 8)
        {
            var wide = new UInt128(ulong.CreateTruncating(high), ulong.CreateTruncating(low));
            (UInt128 quotient, UInt128 rest) = UInt128.DivRem(wide, ulong.CreateTruncating(divisor));
            remainder = T.CreateTruncating(rest);
            return T.CreateTruncating(quotient);
        }

        ulong dividend = (ulong.CreateTruncating(high) << (sizeof(T) * 8)) | ulong.CreateTruncating(low);
        remainder = T.CreateTruncating(dividend % ulong.CreateTruncating(divisor));
        return T.CreateTruncating(dividend / ulong.CreateTruncating(divisor));
    }

    /// <summary>IDIV. False is #DE: the divisor is 0 or the quotient too big.</summary>
    public static unsafe bool TryDivideSigned<T>(T high, T low, T divisor, out T quotient, out T remainder)
        where T : unmanaged, IBinaryInteger<T>
    {
        quotient = remainder = T.Zero;
        if (divisor == T.Zero)
            return false;
        Int128 dividend = ((Int128)Shifts.Signed(high) << (sizeof(T) * 8)) | (Int128)ulong.CreateTruncating(low);
        Int128 by = Shifts.Signed(divisor);
        if (dividend == Int128.MinValue && by == -1)
            return false;
        (Int128 q, Int128 r) = Int128.DivRem(dividend, by);
        Int128 bound = (Int128)1 << ((sizeof(T) * 8) - 1);
        if (q >= bound || q < -bound)
            return false;
        quotient = T.CreateTruncating(q);
        remainder = T.CreateTruncating(r);
        return true;
    }

    private static void SetCarryAndOverflow(ref ulong flags, bool set)
    {
        const ulong Both = RFlags.Carry | RFlags.Overflow;
        flags = (flags & ~Both) | (set ? Both : 0);
    }
}
