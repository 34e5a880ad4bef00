using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Bitwise logic (Intel SDM vol. 2: AND, OR, XOR, TEST, ANDN) and the BMI1/BMI2 instructions on bit fields. CF and OF are
/// cleared; AF is undefined by the manual and cleared here, as processors do.
/// </summary>
public static class Logic
{
    /// <summary>AND and TEST.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T And<T>(T a, T b, ref ulong flags) =>
        WithFlags(a & b, ref flags);

    /// <summary>OR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Or<T>(T a, T b, ref ulong flags) =>
        WithFlags(a | b, ref flags);

    /// <summary>XOR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Xor<T>(T a, T b, ref ulong flags) =>
        WithFlags(a ^ b, ref flags);

    /// <summary>ANDN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T AndNot<T>(T a, T b, ref ulong flags) =>
        WithoutParity(~a & b, carry: false, ref flags);

    /// <summary>BLSI: isolates the lowest set bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T IsolateLowest<T>(T a, ref ulong flags) =>
        WithoutParity(a & (Integer.Zero<T>() - a), carry: a != Integer.Zero<T>(), ref flags);

    /// <summary>BLSR: clears the lowest set bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ClearLowest<T>(T a, ref ulong flags) =>
        WithoutParity(a & (a - Integer.One<T>()), carry: a == Integer.Zero<T>(), ref flags);

    /// <summary>BLSMSK: a mask up to the lowest set bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MaskToLowest<T>(T a, ref ulong flags) =>
        WithoutParity(a ^ (a - Integer.One<T>()), carry: a == Integer.Zero<T>(), ref flags);

    /// <summary>BEXTR: start in bits 0 to 7 of the control, length in bits 8 to 15. SF is undefined, cleared here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T Extract<T>(T a, T control, ref ulong flags)
    {
        int start = (int)Integer.ZeroExtend(control) & 0xff;
        int length = ((int)Integer.ZeroExtend(control) >> 8) & 0xff;
        T result = start >= sizeof(T) * 8 ? Integer.Zero<T>() : a >>> start;
        if (length < sizeof(T) * 8)
            result &= (Integer.One<T>() << length) - Integer.One<T>();
        StatusFlags.Set(ref flags, result == Integer.Zero<T>() ? RFlags.Zero : 0);
        return result;
    }

    /// <summary>BZHI: clears the bits from an index upward.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T ClearAbove<T>(T a, T index, ref ulong flags)
    {
        int bit = (int)Integer.ZeroExtend(index) & 0xff;
        bool beyond = bit >= sizeof(T) * 8;
        return WithoutParity(beyond ? a : a & ((Integer.One<T>() << bit) - Integer.One<T>()), beyond, ref flags);
    }

    /// <summary>PDEP: scatters low bits to where the mask has ones.</summary>
    public static T Deposit<T>(T a, T mask)
    {
        T result = Integer.Zero<T>();
        for (T source = a; mask != Integer.Zero<T>(); source >>>= 1)
        {
            T lowest = mask & (Integer.Zero<T>() - mask);
            if ((source & Integer.One<T>()) != Integer.Zero<T>())
                result |= lowest;
            mask ^= lowest;
        }

        return result;
    }

    /// <summary>PEXT: gathers the bits where the mask has ones.</summary>
    public static T Gather<T>(T a, T mask)
    {
        T result = Integer.Zero<T>();
        for (T place = Integer.One<T>(); mask != Integer.Zero<T>(); place <<= 1)
        {
            T lowest = mask & (Integer.Zero<T>() - mask);
            if ((a & lowest) != Integer.Zero<T>())
                result |= place;
            mask ^= lowest;
        }

        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T WithFlags<T>(T result, ref ulong flags)
    {
        StatusFlags.Set(ref flags, StatusFlags.OfResult(result));
        return result;
    }

    /// <summary>The BMI instructions leave PF undefined; it is cleared here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T WithoutParity<T>(T result, bool carry, ref ulong flags)
    {
        StatusFlags.Set(ref flags, (StatusFlags.OfResult(result) & ~RFlags.Parity) | (carry ? RFlags.Carry : 0));
        return result;
    }
}
