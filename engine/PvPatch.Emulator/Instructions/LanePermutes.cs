using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

/// <summary>AVX and AVX2 instructions that SSE has no like of: broadcasts, permutations within lanes and across them, shifts of each element by its own count.</summary>
internal static unsafe class LanePermutes
{
    /// <summary>VBROADCAST, VPBROADCAST: the lowest element everywhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Broadcast<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Create(b.As<byte, T>().ToScalar()).AsByte();

    /// <summary>VPERMILPS by an immediate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> PermuteSinglesBy(Vector128<byte> a, Vector128<byte> b, byte immediate) => PackedShuffles.ShuffleDwords(a, b, immediate);

    /// <summary>VPERMILPD by an immediate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> PermuteDoublesBy(Vector128<byte> a, Vector128<byte> b, byte immediate) => PackedShuffles.ShuffleDoubles(b, b, immediate);

    /// <summary>VPERMILPS: two low bits of each element of the second operand choose one of the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> PermuteSingles(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Shuffle(a.AsUInt32(), b.AsUInt32() & Vector128.Create(3u)).AsByte();

    /// <summary>VPERMILPD: bit 1 of each element of the second operand chooses one of the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> PermuteDoubles(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Shuffle(a.AsUInt64(), (b.AsUInt64() >>> 1) & Vector128.Create(1ul)).AsByte();

    /// <summary>VPSLLVD, VPSLLVQ: counts beyond the element give zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShiftLeft<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged
    {
        if (Avx2.IsSupported)
            return sizeof(T) == 4 ? Avx2.ShiftLeftLogicalVariable(a.AsUInt32(), b.AsUInt32()).AsByte() : Avx2.ShiftLeftLogicalVariable(a.AsUInt64(), b.AsUInt64()).AsByte();
        return sizeof(T) == 4
            ? Vector128.Create(Left(a, b, 0), Left(a, b, 1), Left(a, b, 2), Left(a, b, 3)).AsByte()
            : Vector128.Create(LeftLong(a, b, 0), LeftLong(a, b, 1)).AsByte();
    }

    /// <summary>VPSRLVD, VPSRLVQ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShiftRight<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged
    {
        if (Avx2.IsSupported)
            return sizeof(T) == 4 ? Avx2.ShiftRightLogicalVariable(a.AsUInt32(), b.AsUInt32()).AsByte() : Avx2.ShiftRightLogicalVariable(a.AsUInt64(), b.AsUInt64()).AsByte();
        return sizeof(T) == 4
            ? Vector128.Create(Right(a, b, 0), Right(a, b, 1), Right(a, b, 2), Right(a, b, 3)).AsByte()
            : Vector128.Create(RightLong(a, b, 0), RightLong(a, b, 1)).AsByte();
    }

    /// <summary>VPSRAVD: counts beyond the element leave its sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShiftArithmeticRight(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Avx2.IsSupported ? Avx2.ShiftRightArithmeticVariable(a.AsInt32(), b.AsUInt32()).AsByte() : Vector128.Create(ArithmeticRight(a, b, 0), ArithmeticRight(a, b, 1), ArithmeticRight(a, b, 2), ArithmeticRight(a, b, 3)).AsByte();

    /// <summary>VPERM2F128, VPERM2I128: each half of the result is one of four halves, or zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> PermuteLanes(Vector256<byte> a, Vector256<byte> b, byte immediate) =>
        Vector256.Create(Half(a, b, immediate), Half(a, b, (byte)(immediate >> 4)));

    /// <summary>VINSERTF128, VINSERTI128.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> InsertLane(Vector256<byte> a, Vector256<byte> b, byte immediate) =>
        (immediate & 1) == 0 ? a.WithLower(b.GetLower()) : a.WithUpper(b.GetLower());

    /// <summary>VPERMQ, VPERMPD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> PermuteQwordsBy(Vector256<byte> a, Vector256<byte> b, byte immediate) =>
        Vector256.Shuffle(b.AsUInt64(), Vector256.Create((ulong)(immediate & 3), (ulong)(immediate >> 2 & 3), (ulong)(immediate >> 4 & 3), (ulong)(immediate >> 6))).AsByte();

    /// <summary>VPERMD, VPERMPS: the first operand chooses elements of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> PermuteDwords(Vector256<byte> a, Vector256<byte> b, byte immediate) =>
        Vector256.Shuffle(b.AsUInt32(), a.AsUInt32() & Vector256.Create(7u)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Half(Vector256<byte> a, Vector256<byte> b, byte control)
    {
        if ((control & 8) != 0)
            return default;
        Vector256<byte> from = (control & 2) == 0 ? a : b;
        return (control & 1) == 0 ? from.GetLower() : from.GetUpper();
    }

    private static uint Left(Vector128<byte> a, Vector128<byte> b, int i) => b.AsUInt32()[i] < 32 ? a.AsUInt32()[i] << (int)b.AsUInt32()[i] : 0;

    private static uint Right(Vector128<byte> a, Vector128<byte> b, int i) => b.AsUInt32()[i] < 32 ? a.AsUInt32()[i] >> (int)b.AsUInt32()[i] : 0;

    private static int ArithmeticRight(Vector128<byte> a, Vector128<byte> b, int i) => a.AsInt32()[i] >> (int)Math.Min(b.AsUInt32()[i], 31);

    private static ulong LeftLong(Vector128<byte> a, Vector128<byte> b, int i) => b.AsUInt64()[i] < 64 ? a.AsUInt64()[i] << (int)b.AsUInt64()[i] : 0;

    private static ulong RightLong(Vector128<byte> a, Vector128<byte> b, int i) => b.AsUInt64()[i] < 64 ? a.AsUInt64()[i] >> (int)b.AsUInt64()[i] : 0;
}
