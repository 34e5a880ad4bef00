using System.Numerics;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>The six status flags (Intel SDM vol. 1, 3.4.3.1), computed from operands and result.</summary>
public static class StatusFlags
{
    /// <summary>CF, PF, AF, ZF, SF and OF.</summary>
    public const ulong All = RFlags.Carry | RFlags.Parity | RFlags.Adjust | RFlags.Zero | RFlags.Sign | RFlags.Overflow;

    /// <summary>RFLAGS of a CPU, without the null check that a plain reference to a field costs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe ref ulong Of(CpuState* cpu) =>
        // SAFETY: RFlags is the first field of CpuState, which is laid out in order.
        ref Unsafe.AsRef<ulong>(cpu);

    /// <summary>ZF, SF and PF of a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong OfResult<T>(T result)
    {
        ulong value = Integer.ZeroExtend(result);
        ulong zero = value == 0 ? RFlags.Zero : 0;
        ulong sign = (value >> ((sizeof(T) * 8) - 8)) & RFlags.Sign;
        ulong parity = (ulong)(~BitOperations.PopCount((uint)(byte)value) & 1) << 2;
        return zero | sign | parity;
    }

    /// <summary>Moves the most significant bit of a value to where OF is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong OverflowFromTop<T>(T value) =>
        sizeof(T) == 1
            ? (Integer.ZeroExtend(value) << 4) & RFlags.Overflow
            : (Integer.ZeroExtend(value) >> ((sizeof(T) * 8) - 12)) & RFlags.Overflow;

    /// <summary>The most significant bit as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe ulong Top<T>(T value) =>
        Integer.ZeroExtend(value) >> ((sizeof(T) * 8) - 1);

    /// <summary>Replaces all six flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(ref ulong flags, ulong status) => flags = (flags & ~All) | status;
}
