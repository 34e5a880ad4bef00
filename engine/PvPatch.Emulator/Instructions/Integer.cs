using System.Numerics;
using System.Runtime.CompilerServices;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Arithmetic on operands of 8, 16, 32 and 64 bits: T is <see cref="byte"/>, <see cref="ushort"/>, <see cref="uint"/> or
/// <see cref="ulong"/>. No constraint says so, here and in all that handlers call, since ReadyToRun compiles code for a type of the
/// framework only where the parameter has none; and a call through <c>IBinaryInteger</c> is bound when a program runs. A handler
/// that is not compiled ahead costs each run half a millisecond.
/// </summary>
internal static unsafe class Integer
{
    // As the processor does it: 64-bit operands in 64 bits, narrower ones in 32, of which the low bits are the result.
    extension<T>(T)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator +(T a, T b) => sizeof(T) == 8 ? Truncate<T>(ZeroExtend(a) + ZeroExtend(b)) : Low<T>(Narrow(a) + Narrow(b));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator -(T a, T b) => sizeof(T) == 8 ? Truncate<T>(ZeroExtend(a) - ZeroExtend(b)) : Low<T>(Narrow(a) - Narrow(b));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator &(T a, T b) => sizeof(T) == 8 ? Truncate<T>(ZeroExtend(a) & ZeroExtend(b)) : Low<T>(Narrow(a) & Narrow(b));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator |(T a, T b) => sizeof(T) == 8 ? Truncate<T>(ZeroExtend(a) | ZeroExtend(b)) : Low<T>(Narrow(a) | Narrow(b));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator ^(T a, T b) => sizeof(T) == 8 ? Truncate<T>(ZeroExtend(a) ^ ZeroExtend(b)) : Low<T>(Narrow(a) ^ Narrow(b));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator ~(T a) => sizeof(T) == 8 ? Truncate<T>(~ZeroExtend(a)) : Low<T>(~Narrow(a));

        /// <summary>A shift by a count below the width.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator <<(T a, int count) => sizeof(T) == 8 ? Truncate<T>(ZeroExtend(a) << count) : Low<T>(Narrow(a) << count);

        /// <summary>A shift by a count below the width.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T operator >>>(T a, int count) => sizeof(T) == 8 ? Truncate<T>(ZeroExtend(a) >>> count) : Low<T>(Narrow(a) >>> count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool operator ==(T a, T b) => sizeof(T) == 8 ? ZeroExtend(a) == ZeroExtend(b) : Narrow(a) == Narrow(b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool operator !=(T a, T b) => sizeof(T) == 8 ? ZeroExtend(a) != ZeroExtend(b) : Narrow(a) != Narrow(b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool operator <(T a, T b) => sizeof(T) == 8 ? ZeroExtend(a) < ZeroExtend(b) : Narrow(a) < Narrow(b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool operator >(T a, T b) => sizeof(T) == 8 ? ZeroExtend(a) > ZeroExtend(b) : Narrow(a) > Narrow(b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool operator <=(T a, T b) => sizeof(T) == 8 ? ZeroExtend(a) <= ZeroExtend(b) : Narrow(a) <= Narrow(b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static bool operator >=(T a, T b) => sizeof(T) == 8 ? ZeroExtend(a) >= ZeroExtend(b) : Narrow(a) >= Narrow(b);
    }

    /// <summary>0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Zero<T>() => default!;

    /// <summary>1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T One<T>() =>
        Low<T>(1);

    /// <summary>The low bits of a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Truncate<T>(ulong value) =>
        sizeof(T) == 8 ? Unsafe.BitCast<ulong, T>(value) : Low<T>((uint)value);

    /// <summary>The low bits of a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Truncate<T>(long value) =>
        Truncate<T>((ulong)value);

    /// <summary>A value with zeros above it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ZeroExtend<T>(T value) =>
        sizeof(T) == 8 ? Unsafe.BitCast<T, ulong>(value) : Narrow(value);

    /// <summary>A value with its sign above it if its type has one, else with zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Extend<T>(T value) =>
        typeof(T) == typeof(sbyte) || typeof(T) == typeof(short) || typeof(T) == typeof(int) ? (ulong)Shifts.Signed(value) : ZeroExtend(value);

    /// <summary>How many zeros are above the highest one; the width for 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LeadingZeroCount<T>(T value) =>
        Truncate<T>(BitOperations.LeadingZeroCount(ZeroExtend(value)) - 64 + (sizeof(T) * 8));

    /// <summary>How many zeros are below the lowest one; the width for 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T TrailingZeroCount<T>(T value) =>
        Truncate<T>(BitOperations.TrailingZeroCount(sizeof(T) == 8 ? ZeroExtend(value) : ZeroExtend(value) | (1ul << (sizeof(T) * 8))));

    /// <summary>How many ones there are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T PopCount<T>(T value) =>
        Truncate<T>(BitOperations.PopCount(ZeroExtend(value)));

    /// <summary>A rotation by any count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateLeft<T>(T value, int count) =>
        sizeof(T) switch
        {
            8 => Truncate<T>(BitOperations.RotateLeft(ZeroExtend(value), count)),
            4 => Low<T>(BitOperations.RotateLeft(Narrow(value), count)),
            2 => Low<T>((Narrow(value) << (count & 15)) | (Narrow(value) >> (-count & 15))),
            _ => Low<T>((Narrow(value) << (count & 7)) | (Narrow(value) >> (-count & 7))),
        };

    /// <summary>A rotation by any count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RotateRight<T>(T value, int count) =>
        RotateLeft(value, -count);

    /// <summary>A value of at most 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Narrow<T>(T value) =>
        sizeof(T) switch
        {
            4 => Unsafe.BitCast<T, uint>(value),
            2 => Unsafe.BitCast<T, ushort>(value),
            _ => Unsafe.BitCast<T, byte>(value),
        };

    /// <summary>A value of at most 32 bits from the low bits of another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Low<T>(uint value) =>
        sizeof(T) switch
        {
            8 => Unsafe.BitCast<ulong, T>(value),
            4 => Unsafe.BitCast<uint, T>(value),
            2 => Unsafe.BitCast<ushort, T>((ushort)value),
            _ => Unsafe.BitCast<byte, T>((byte)value),
        };
}
