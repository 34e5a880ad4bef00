using System.Numerics;
using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Meanings of MMX instructions whose elements cross the register: with 64 bits they lie elsewhere than with 128, so that the
/// operands are put side by side first (Intel SDM vol. 2).
/// </summary>
internal static class MmxShuffles
{
    public static Vector128<byte> Pack<T, TNarrow>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
        where TNarrow : unmanaged, IBinaryInteger<TNarrow> => PackedShuffles.Pack<T, TNarrow>(Both(a, b), default, immediate);

    public static Vector128<byte> UnpackHigh<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Create(PackedShuffles.UnpackLow<T>(a, b, immediate).AsUInt64()[1], 0).AsByte();

    public static Vector128<byte> AddNeighbours<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => PackedArithmetic.AddNeighbours<T>(Both(a, b), default, immediate);

    public static Vector128<byte> SubtractNeighbours<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => PackedArithmetic.SubtractNeighbours<T>(Both(a, b), default, immediate);

    public static Vector128<byte> AddNeighboursSaturated(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        PackedArithmetic.AddNeighboursSaturated(Both(a, b), default, immediate);

    public static Vector128<byte> SubtractNeighboursSaturated(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        PackedArithmetic.SubtractNeighboursSaturated(Both(a, b), default, immediate);

    public static Vector128<byte> ShuffleBytes(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        PackedShuffles.ShuffleBytes(a, b & Vector128.Create((byte)0x87), immediate);

    public static Vector128<byte> Align(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        PackedShifts.RightBytes(Both(b, a), default, immediate);

    private static Vector128<byte> Both(Vector128<byte> low, Vector128<byte> high) =>
        Vector128.Create(low.AsUInt64()[0], high.AsUInt64()[0]).AsByte();
}
