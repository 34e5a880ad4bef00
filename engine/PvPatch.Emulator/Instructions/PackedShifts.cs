using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

#pragma warning disable CA1857 // The immediate is a constant where a meaning is inlined into translated code.

/// <summary>Packed shifts (Intel SDM vol. 2, PSLL, PSRL, PSRA, PSLLDQ, PSRLDQ): by the low 64 bits of the second operand, or by the immediate.</summary>
internal static unsafe class PackedShifts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Left<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Left<T>(a, b.AsUInt64()[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LeftBy<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Left<T>(a, immediate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Right<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Right<T>(a, b.AsUInt64()[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> RightBy<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Right<T>(a, immediate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ArithmeticRight<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => ArithmeticRight<T>(a, b.AsUInt64()[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ArithmeticRightBy<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => ArithmeticRight<T>(a, immediate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LeftBytes(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        PackedShuffles.Align(a, default, (byte)(16 - (immediate > 16 ? 16 : immediate)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> RightBytes(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.ShiftRightLogical128BitLane(a, immediate) : PackedLoops.Align(default, a, immediate);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Left<T>(Vector128<byte> a, ulong count)
        where T : unmanaged
    {
        if (count >= (ulong)sizeof(T) * 8)
            return default;
        return sizeof(T) switch
        {
            2 => Vector128.ShiftLeft(a.AsUInt16(), (int)count).AsByte(),
            4 => Vector128.ShiftLeft(a.AsUInt32(), (int)count).AsByte(),
            _ => Vector128.ShiftLeft(a.AsUInt64(), (int)count).AsByte(),
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Right<T>(Vector128<byte> a, ulong count)
        where T : unmanaged
    {
        if (count >= (ulong)sizeof(T) * 8)
            return default;
        return sizeof(T) switch
        {
            2 => Vector128.ShiftRightLogical(a.AsUInt16(), (int)count).AsByte(),
            4 => Vector128.ShiftRightLogical(a.AsUInt32(), (int)count).AsByte(),
            _ => Vector128.ShiftRightLogical(a.AsUInt64(), (int)count).AsByte(),
        };
    }

    /// <summary>Counts beyond the width fill with the sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> ArithmeticRight<T>(Vector128<byte> a, ulong count)
        where T : unmanaged
    {
        ulong most = ((ulong)sizeof(T) * 8) - 1;
        int by = (int)(count > most ? most : count);
        return sizeof(T) == 2 ? Vector128.ShiftRightArithmetic(a.AsInt16(), by).AsByte() : Vector128.ShiftRightArithmetic(a.AsInt32(), by).AsByte();
    }
}
