using System.Numerics;
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
    public static T And<T>(T a, T b, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => WithFlags(a & b, ref flags);

    /// <summary>OR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Or<T>(T a, T b, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => WithFlags(a | b, ref flags);

    /// <summary>XOR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Xor<T>(T a, T b, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => WithFlags(a ^ b, ref flags);

    /// <summary>ANDN.</summary>
    public static T AndNot<T>(T a, T b, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => WithoutParity(~a & b, carry: false, ref flags);

    /// <summary>BLSI: isolates the lowest set bit.</summary>
    public static T IsolateLowest<T>(T a, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => WithoutParity(a & (T.Zero - a), carry: a != T.Zero, ref flags);

    /// <summary>BLSR: clears the lowest set bit.</summary>
    public static T ClearLowest<T>(T a, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => WithoutParity(a & (a - T.One), carry: a == T.Zero, ref flags);

    /// <summary>BLSMSK: a mask up to the lowest set bit.</summary>
    public static T MaskToLowest<T>(T a, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => WithoutParity(a ^ (a - T.One), carry: a == T.Zero, ref flags);

    /// <summary>BEXTR: start in bits 0 to 7 of the control, length in bits 8 to 15. SF is undefined, cleared here.</summary>
    public static unsafe T Extract<T>(T a, T control, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int start = int.CreateTruncating(control) & 0xff;
        int length = (int.CreateTruncating(control) >> 8) & 0xff;
        T result = start >= sizeof(T) * 8 ? T.Zero : a >>> start;
        if (length < sizeof(T) * 8)
            result &= (T.One << length) - T.One;
        StatusFlags.Set(ref flags, result == T.Zero ? RFlags.Zero : 0);
        return result;
    }

    /// <summary>BZHI: clears the bits from an index upward.</summary>
    public static unsafe T ClearAbove<T>(T a, T index, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int bit = int.CreateTruncating(index) & 0xff;
        bool beyond = bit >= sizeof(T) * 8;
        return WithoutParity(beyond ? a : a & ((T.One << bit) - T.One), beyond, ref flags);
    }

    /// <summary>PDEP: scatters low bits to where the mask has ones.</summary>
    public static T Deposit<T>(T a, T mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        T result = T.Zero;
        for (T source = a; mask != T.Zero; source >>>= 1)
        {
            T lowest = mask & (T.Zero - mask);
            if ((source & T.One) != T.Zero)
                result |= lowest;
            mask ^= lowest;
        }

        return result;
    }

    /// <summary>PEXT: gathers the bits where the mask has ones.</summary>
    public static T Gather<T>(T a, T mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        T result = T.Zero;
        for (T place = T.One; mask != T.Zero; place <<= 1)
        {
            T lowest = mask & (T.Zero - mask);
            if ((a & lowest) != T.Zero)
                result |= place;
            mask ^= lowest;
        }

        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T WithFlags<T>(T result, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        StatusFlags.Set(ref flags, StatusFlags.OfResult(result));
        return result;
    }

    /// <summary>The BMI instructions leave PF undefined; it is cleared here.</summary>
    private static T WithoutParity<T>(T result, bool carry, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        StatusFlags.Set(ref flags, (StatusFlags.OfResult(result) & ~RFlags.Parity) | (carry ? RFlags.Carry : 0));
        return result;
    }
}
