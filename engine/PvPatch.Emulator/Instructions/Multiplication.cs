using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Multiplication and division (Intel SDM vol. 2: MUL, IMUL, MULX, DIV, IDIV). A product sets CF and OF when its upper half
/// says more than the lower one; SF, ZF, AF and PF are undefined: those of the lower half here, AF clear. Division leaves all flags
/// undefined, and left.
/// </summary>
public static class Multiplication
{
    /// <summary>MUL: the lower half is returned.</summary>
    public static T Unsigned<T>(T a, T b, out T high, ref ulong flags)
    {
        T low = Wide(a, b, out high);
        SetFlags(ref flags, low, high != Integer.Zero<T>());
        return low;
    }

    /// <summary>IMUL with one operand: the lower half is returned.</summary>
    public static T Signed<T>(T a, T b, out T high, ref ulong flags)
    {
        T low = WideSigned(a, b, out high);
        SetFlags(ref flags, low, Shifts.Signed(high) != Shifts.Signed(low) >> 63);
        return low;
    }

    /// <summary>IMUL with two or three operands.</summary>
    public static T Truncated<T>(T a, T b, ref ulong flags) =>
        Signed(a, b, out T _, ref flags);

    /// <summary>MULX: the lower half is returned, no flag changes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T Wide<T>(T a, T b, out T high)
    {
        if (sizeof(T) == 8)
        {
            ulong first = Integer.ZeroExtend(a);
            ulong second = Integer.ZeroExtend(b);
            // The framework's lower half goes through memory. Bmi2 itself would leave this out of what is compiled ahead.
            high = Integer.Truncate<T>(Math.BigMul(first, second, out _));
            return Integer.Truncate<T>(first * second);
        }

        ulong product = Integer.ZeroExtend(a) * Integer.ZeroExtend(b);
        high = Integer.Truncate<T>(product >> (sizeof(T) * 8));
        return Integer.Truncate<T>(product);
    }

    /// <summary>DIV. False is #DE: the divisor is 0 or the quotient too big.</summary>
    public static unsafe bool TryDivide<T>(T high, T low, T divisor, out T quotient, out T remainder)
    {
        quotient = remainder = Integer.Zero<T>();
        if (high >= divisor)
            return false;
        quotient = Quotient(high, low, divisor, out remainder);
        return true;
    }

    /// <summary>DIV by a divisor above the dividend's upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T Quotient<T>(T high, T low, T divisor, out T remainder)
    {
        if (sizeof(T) == 8 && X86Base.X64.IsSupported)
        {
#pragma warning disable SYSLIB5004 // An experimental method, in the framework since .NET 8; what it is instead stands below.
            (ulong quotient, ulong rest) = X86Base.X64.DivRem(Integer.ZeroExtend(low), Integer.ZeroExtend(high), Integer.ZeroExtend(divisor));
#pragma warning restore SYSLIB5004
            remainder = Integer.Truncate<T>(rest);
            return Integer.Truncate<T>(quotient);
        }

        if (sizeof(T) == 8)
        {
            ulong quotient = WideQuotient(Integer.ZeroExtend(high), Integer.ZeroExtend(low), Integer.ZeroExtend(divisor), out ulong rest);
            remainder = Integer.Truncate<T>(rest);
            return Integer.Truncate<T>(quotient);
        }

        ulong dividend = (Integer.ZeroExtend(high) << (sizeof(T) * 8)) | Integer.ZeroExtend(low);
        remainder = Integer.Truncate<T>(dividend % Integer.ZeroExtend(divisor));
        return Integer.Truncate<T>(dividend / Integer.ZeroExtend(divisor));
    }

    /// <summary>IDIV. False is #DE: the divisor is 0 or the quotient too big.</summary>
    public static unsafe bool TryDivideSigned<T>(T high, T low, T divisor, out T quotient, out T remainder)
    {
        quotient = remainder = Integer.Zero<T>();
        bool negativeDividend = StatusFlags.Top(high) != 0;
        bool negativeDivisor = StatusFlags.Top(divisor) != 0;
        bool negative = negativeDividend != negativeDivisor;
        if (negativeDividend)
        {
            high = low == Integer.Zero<T>() ? Integer.Zero<T>() - high : ~high;
            low = Integer.Zero<T>() - low;
        }

        if (!TryDivide(high, low, negativeDivisor ? Integer.Zero<T>() - divisor : divisor, out T size, out T rest) ||
            Integer.ZeroExtend(size) > (1ul << ((sizeof(T) * 8) - 1)) - (negative ? 0ul : 1ul))
        {
            return false;
        }

        quotient = negative ? Integer.Zero<T>() - size : size;
        remainder = negativeDividend ? Integer.Zero<T>() - rest : rest;
        return true;
    }

    // A method of its own: what has the framework's 128-bit type cannot be compiled ahead.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong WideQuotient(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        (UInt128 quotient, UInt128 rest) = UInt128.DivRem(new UInt128(high, low), divisor);
        remainder = (ulong)rest;
        return (ulong)quotient;
    }

    /// <summary>The product of signed numbers; the lower half is returned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T WideSigned<T>(T a, T b, out T high)
    {
        if (sizeof(T) == 8)
        {
            // Of unsigned numbers, where a negative one counts 2^64 more.
            T low = Wide(a, b, out T wide);
            high = wide - Integer.Truncate<T>(Shifts.Signed(a) >> 63 & Shifts.Signed(b)) - Integer.Truncate<T>(Shifts.Signed(b) >> 63 & Shifts.Signed(a));
            return low;
        }

        long product = Shifts.Signed(a) * Shifts.Signed(b);
        high = Integer.Truncate<T>(product >> (sizeof(T) * 8));
        return Integer.Truncate<T>(product);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetFlags<T>(ref ulong flags, T low, bool exceeds) =>
        StatusFlags.Set(ref flags, StatusFlags.OfResult(low) | (exceeds ? RFlags.Carry | RFlags.Overflow : 0));
}
