using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PvPatch.Emulator.Instructions;

#pragma warning disable CA1857 // The immediate is a constant where a meaning is inlined into translated code.

/// <summary>
/// Packing, unpacking, shuffling and blending (Intel SDM vol. 2), with the host's own instructions where it has them. Every method is
/// a <see cref="PackedMeaning"/>; translated code inlines it, with the immediate as a constant.
/// </summary>
internal static unsafe class PackedShuffles
{
    /// <summary>PACKSS and PACKUS: elements become half as wide, saturated.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Pack<T, TNarrow>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
        where TNarrow : unmanaged, IBinaryInteger<TNarrow>
    {
        if (!Sse41.IsSupported)
            return PackedLoops.Pack<T, TNarrow>(a, b);
        if (typeof(TNarrow) == typeof(sbyte))
            return Sse2.PackSignedSaturate(a.AsInt16(), b.AsInt16()).AsByte();
        if (typeof(TNarrow) == typeof(byte))
            return Sse2.PackUnsignedSaturate(a.AsInt16(), b.AsInt16());
        return typeof(TNarrow) == typeof(short)
            ? Sse2.PackSignedSaturate(a.AsInt32(), b.AsInt32()).AsByte()
            : Sse41.PackUnsignedSaturate(a.AsInt32(), b.AsInt32()).AsByte();
    }

    /// <summary>PUNPCKL, UNPCKL: the low halves interleaved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> UnpackLow<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged
    {
        if (!Sse2.IsSupported)
            return PackedLoops.Unpack<T>(a, b, 0);
        return sizeof(T) switch
        {
            1 => Sse2.UnpackLow(a, b),
            2 => Sse2.UnpackLow(a.AsUInt16(), b.AsUInt16()).AsByte(),
            4 => Sse2.UnpackLow(a.AsUInt32(), b.AsUInt32()).AsByte(),
            _ => Sse2.UnpackLow(a.AsUInt64(), b.AsUInt64()).AsByte(),
        };
    }

    /// <summary>PUNPCKH, UNPCKH: the high halves interleaved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> UnpackHigh<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged
    {
        if (!Sse2.IsSupported)
            return PackedLoops.Unpack<T>(a, b, 8 / sizeof(T));
        return sizeof(T) switch
        {
            1 => Sse2.UnpackHigh(a, b),
            2 => Sse2.UnpackHigh(a.AsUInt16(), b.AsUInt16()).AsByte(),
            4 => Sse2.UnpackHigh(a.AsUInt32(), b.AsUInt32()).AsByte(),
            _ => Sse2.UnpackHigh(a.AsUInt64(), b.AsUInt64()).AsByte(),
        };
    }

    /// <summary>PSHUFD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShuffleDwords(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.Shuffle(b.AsUInt32(), immediate).AsByte() : PackedLoops.Chosen<uint>(b, b, immediate, 2);

    /// <summary>SHUFPS: two elements of the first operand, two of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShuffleSingles(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse.IsSupported ? Sse.Shuffle(a.AsSingle(), b.AsSingle(), immediate).AsByte() : PackedLoops.Chosen<uint>(a, b, immediate, 2);

    /// <summary>SHUFPD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShuffleDoubles(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.Shuffle(a.AsDouble(), b.AsDouble(), immediate).AsByte() : PackedLoops.Chosen<ulong>(a, b, immediate, 1);

    /// <summary>PSHUFLW.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShuffleLowWords(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.ShuffleLow(b.AsUInt16(), immediate).AsByte() : PackedLoops.ShuffleWords(b, 0, immediate);

    /// <summary>PSHUFHW.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShuffleHighWords(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.ShuffleHigh(b.AsUInt16(), immediate).AsByte() : PackedLoops.ShuffleWords(b, 4, immediate);

    /// <summary>PSHUFB.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ShuffleBytes(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Ssse3.IsSupported ? Ssse3.Shuffle(a, b) : PackedLoops.ShuffleBytes(a, b);

    /// <summary>PALIGNR: both operands as one, shifted right by bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Align(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Ssse3.IsSupported ? Ssse3.AlignRight(a, b, immediate) : PackedLoops.Align(a, b, immediate);

    /// <summary>PBLENDW, BLENDPS, BLENDPD: a bit of the immediate for each element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Blend<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged
    {
        if (!Sse41.IsSupported)
            return PackedLoops.Blend<T>(a, b, immediate);
        return sizeof(T) switch
        {
            2 => Sse41.Blend(a.AsUInt16(), b.AsUInt16(), immediate).AsByte(),
            4 => Sse41.Blend(a.AsSingle(), b.AsSingle(), (byte)(immediate & 15)).AsByte(),
            _ => Sse41.Blend(a.AsDouble(), b.AsDouble(), (byte)(immediate & 3)).AsByte(),
        };
    }

    /// <summary>PBLENDVB, BLENDVPS, BLENDVPD: the signs of the third operand's elements choose.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> BlendBySigns<T>(Vector128<byte> a, Vector128<byte> b, Vector128<byte> signs)
        where T : unmanaged
    {
        Vector128<byte> chosen = sizeof(T) switch
        {
            1 => Vector128.LessThan(signs.AsSByte(), default).AsByte(),
            4 => Vector128.LessThan(signs.AsInt32(), default).AsByte(),
            _ => Vector128.LessThan(signs.AsInt64(), default).AsByte(),
        };
        return Vector128.ConditionalSelect(chosen, b, a);
    }

    /// <summary>INSERTPS from a register: source element, target element, elements to clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> InsertSingle(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse41.IsSupported ? Sse41.Insert(a.AsSingle(), b.AsSingle(), immediate).AsByte() : PackedLoops.InsertAndClear(a, ((uint*)&b)[immediate >> 6], immediate);

    /// <summary>INSERTPS from memory: one element is all there is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> InsertLoadedSingle(Vector128<byte> a, Vector128<byte> b, byte immediate) => InsertSingle(a, b, (byte)(immediate & 0x3f));

    /// <summary>MOVHLPS.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> HighToLow(Vector128<byte> a, Vector128<byte> b, byte immediate) => UnpackHigh<ulong>(b, a, immediate);

    /// <summary>MOVLHPS, MOVHPS and MOVHPD from memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LowToHigh(Vector128<byte> a, Vector128<byte> b, byte immediate) => UnpackLow<ulong>(a, b, immediate);

    /// <summary>MOVSD between registers, MOVLPS and MOVLPD from memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ReplaceLow64(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.MoveScalar(a.AsDouble(), b.AsDouble()).AsByte() : Vector128.Create(b.AsUInt64()[0], a.AsUInt64()[1]).AsByte();

    /// <summary>MOVSS between registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ReplaceLow32(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse.IsSupported ? Sse.MoveScalar(a.AsSingle(), b.AsSingle()).AsByte() : a.AsUInt32().WithElement(0, b.AsUInt32()[0]).AsByte();

    /// <summary>MOVDDUP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> DuplicateDouble(Vector128<byte> a, Vector128<byte> b, byte immediate) => UnpackLow<ulong>(b, b, immediate);

    /// <summary>MOVSLDUP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> DuplicateEven(Vector128<byte> a, Vector128<byte> b, byte immediate) => ShuffleDwords(a, b, 0b1010_0000);

    /// <summary>MOVSHDUP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> DuplicateOdd(Vector128<byte> a, Vector128<byte> b, byte immediate) => ShuffleDwords(a, b, 0b1111_0101);

    /// <summary>All of the second operand: moves and loads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Second(Vector128<byte> a, Vector128<byte> b, byte immediate) => b;

    /// <summary>The low half of the second operand, zero above: MOVQ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> SecondLow64(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Sse2.IsSupported ? Sse2.MoveScalar(b.AsUInt64()).AsByte() : Vector128.Create(b.AsUInt64()[0], 0).AsByte();

    /// <summary>PMOVSX and PMOVZX.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Widen<T, TWide>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
        where TWide : unmanaged, IBinaryInteger<TWide>
    {
        if (!Sse41.IsSupported)
            return PackedLoops.Widen<T, TWide>(b);
        if (typeof(T) == typeof(byte))
            return WidenBytes(b, sizeof(TWide));
        if (typeof(T) == typeof(sbyte))
            return WidenSignedBytes(b.AsSByte(), sizeof(TWide));
        if (typeof(T) == typeof(ushort))
            return sizeof(TWide) == 4 ? Sse41.ConvertToVector128Int32(b.AsUInt16()).AsByte() : Sse41.ConvertToVector128Int64(b.AsUInt16()).AsByte();
        if (typeof(T) == typeof(short))
            return sizeof(TWide) == 4 ? Sse41.ConvertToVector128Int32(b.AsInt16()).AsByte() : Sse41.ConvertToVector128Int64(b.AsInt16()).AsByte();
        return typeof(T) == typeof(uint) ? Sse41.ConvertToVector128Int64(b.AsUInt32()).AsByte() : Sse41.ConvertToVector128Int64(b.AsInt32()).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> WidenBytes(Vector128<byte> b, int to) => to switch
    {
        2 => Sse41.ConvertToVector128Int16(b).AsByte(),
        4 => Sse41.ConvertToVector128Int32(b).AsByte(),
        _ => Sse41.ConvertToVector128Int64(b).AsByte(),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> WidenSignedBytes(Vector128<sbyte> b, int to) => to switch
    {
        2 => Sse41.ConvertToVector128Int16(b).AsByte(),
        4 => Sse41.ConvertToVector128Int32(b).AsByte(),
        _ => Sse41.ConvertToVector128Int64(b).AsByte(),
    };
}
