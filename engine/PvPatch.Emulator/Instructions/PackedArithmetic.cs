using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Packed integer arithmetic of SSE2 to SSE4.2 (Intel SDM vol. 2), with the host's own instructions where it has them. Every method
/// is a <see cref="PackedMeaning"/>; translated code inlines it.
/// </summary>
internal static unsafe class PackedArithmetic
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Add<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => (a.As<byte, T>() + b.As<byte, T>()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Subtract<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => (a.As<byte, T>() - b.As<byte, T>()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Minimum<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Min(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Maximum<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Max(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MultiplyLow<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => (a.As<byte, T>() * b.As<byte, T>()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Equal<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Equals(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Greater<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.GreaterThan(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> And(Vector128<byte> a, Vector128<byte> b, byte immediate) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AndNot(Vector128<byte> a, Vector128<byte> b, byte immediate) => Vector128.AndNot(b, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Or(Vector128<byte> a, Vector128<byte> b, byte immediate) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Xor(Vector128<byte> a, Vector128<byte> b, byte immediate) => a ^ b;

    /// <summary>PADDS and PADDUS: elements of 8 or 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AddSaturated<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.AddSaturate(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    /// <summary>PSUBS and PSUBUS: elements of 8 or 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> SubtractSaturated<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.SubtractSaturate(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    /// <summary>PAVG.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Average<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (!Sse2.IsSupported)
            return PackedLoops.Average<T>(a, b);
        return typeof(T) == typeof(byte) ? Sse2.Average(a, b) : Sse2.Average(a.AsUInt16(), b.AsUInt16()).AsByte();
    }

    /// <summary>PMULHW and PMULHUW.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MultiplyHigh<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (!Sse2.IsSupported)
            return PackedLoops.MultiplyHigh<T>(a, b);
        return typeof(T) == typeof(short) ? Sse2.MultiplyHigh(a.AsInt16(), b.AsInt16()).AsByte() : Sse2.MultiplyHigh(a.AsUInt16(), b.AsUInt16()).AsByte();
    }

    /// <summary>PMULHRSW.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MultiplyHighRounded(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Ssse3.IsSupported ? Ssse3.MultiplyHighRoundScale(a.AsInt16(), b.AsInt16()).AsByte() : PackedLoops.MultiplyHighRounded(a, b);

    /// <summary>PMULUDQ and PMULDQ: the even elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MultiplyEven<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (!Sse41.IsSupported)
            return PackedLoops.MultiplyEven<T>(a, b);
        return typeof(T) == typeof(uint) ? Sse2.Multiply(a.AsUInt32(), b.AsUInt32()).AsByte() : Sse41.Multiply(a.AsInt32(), b.AsInt32()).AsByte();
    }

    /// <summary>PMADDWD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MultiplyAddPairs(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16()).AsByte() : PackedLoops.MultiplyAddPairs(a, b);

    /// <summary>PMADDUBSW: unsigned bytes of the first by signed ones of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MultiplyAddBytes(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Ssse3.IsSupported ? Ssse3.MultiplyAddAdjacent(a, b.AsSByte()).AsByte() : PackedLoops.MultiplyAddBytes(a, b);

    /// <summary>PSADBW.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> SumOfDifferences(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.SumAbsoluteDifferences(a, b).AsByte() : PackedLoops.SumOfDifferences(a, b);

    /// <summary>MPSADBW: eight sums of four differences; the immediate chooses the blocks.</summary>
    public static Vector128<byte> SumsOfBlocks(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        byte* x = (byte*)&a + ((immediate & 4) != 0 ? 4 : 0);
        byte* y = (byte*)&b + (4 * (immediate & 3));
        ushort* sums = stackalloc ushort[8];
        for (int i = 0; i < 8; i++)
        {
            // SAFETY: the last byte read is 4 + 7 + 3 of the first vector, 12 + 3 of the second.
            for (int k = 0; k < 4; k++)
                sums[i] += (ushort)Math.Abs(x[i + k] - y[k]);
        }

        return Vector128.Load(sums).AsByte();
    }

    /// <summary>PABS of the second operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Absolute<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Abs(b.As<byte, T>()).AsByte();

    /// <summary>PSIGN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Sign<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (!Ssse3.IsSupported)
            return PackedLoops.Sign<T>(a, b);
        if (typeof(T) == typeof(sbyte))
            return Ssse3.Sign(a.AsSByte(), b.AsSByte()).AsByte();
        return typeof(T) == typeof(short) ? Ssse3.Sign(a.AsInt16(), b.AsInt16()).AsByte() : Ssse3.Sign(a.AsInt32(), b.AsInt32()).AsByte();
    }

    /// <summary>PHADDW and PHADDD: sums of neighbours, of the first operand, then of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AddNeighbours<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (!Ssse3.IsSupported)
            return PackedLoops.AddNeighbours<T>(a, b);
        return typeof(T) == typeof(short) ? Ssse3.HorizontalAdd(a.AsInt16(), b.AsInt16()).AsByte() : Ssse3.HorizontalAdd(a.AsInt32(), b.AsInt32()).AsByte();
    }

    /// <summary>PHSUBW and PHSUBD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> SubtractNeighbours<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (!Ssse3.IsSupported)
            return PackedLoops.SubtractNeighbours<T>(a, b);
        return typeof(T) == typeof(short)
            ? Ssse3.HorizontalSubtract(a.AsInt16(), b.AsInt16()).AsByte()
            : Ssse3.HorizontalSubtract(a.AsInt32(), b.AsInt32()).AsByte();
    }

    /// <summary>PHADDSW.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AddNeighboursSaturated(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Ssse3.IsSupported ? Ssse3.HorizontalAddSaturate(a.AsInt16(), b.AsInt16()).AsByte() : PackedLoops.AddNeighboursSaturated(a, b);

    /// <summary>PHSUBSW.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> SubtractNeighboursSaturated(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Ssse3.IsSupported ? Ssse3.HorizontalSubtractSaturate(a.AsInt16(), b.AsInt16()).AsByte() : PackedLoops.SubtractNeighboursSaturated(a, b);

    /// <summary>PHMINPOSUW: the smallest word of the second operand and its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> MinimumAndPlace(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse41.IsSupported ? Sse41.MinHorizontal(b.AsUInt16()).AsByte() : PackedLoops.MinimumAndPlace(b);
}
