using System.Numerics;
using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>Packing, unpacking, shuffling and blending (Intel SDM vol. 2), in the form of the table.</summary>
internal static unsafe class PackedShuffles
{
    /// <summary>PACKSS and PACKUS: elements become half as wide, saturated.</summary>
    public static Vector128<byte> Pack<T, TNarrow>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
        where TNarrow : unmanaged, IBinaryInteger<TNarrow>
    {
        int count = 16 / sizeof(T);
        Vector128<byte> result = default;
        var to = (TNarrow*)&result;
        // SAFETY: count elements in each source, twice as many in the result. So in all loops of this class.
        for (int i = 0; i < count; i++)
        {
            to[i] = TNarrow.CreateSaturating(((T*)&a)[i]);
            to[i + count] = TNarrow.CreateSaturating(((T*)&b)[i]);
        }

        return result;
    }

    /// <summary>PUNPCKL, UNPCKL: the low halves interleaved.</summary>
    public static Vector128<byte> UnpackLow<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Unpack<T>(&a, &b, 0);

    /// <summary>PUNPCKH, UNPCKH: the high halves interleaved.</summary>
    public static Vector128<byte> UnpackHigh<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Unpack<T>(&a, &b, 8 / sizeof(T));

    /// <summary>PSHUFD.</summary>
    public static Vector128<byte> ShuffleDwords(Vector128<byte> a, Vector128<byte> b, byte immediate) => Chosen<uint>(&b, &b, immediate, 2);

    /// <summary>SHUFPS: two elements of the first operand, two of the second.</summary>
    public static Vector128<byte> ShuffleSingles(Vector128<byte> a, Vector128<byte> b, byte immediate) => Chosen<uint>(&a, &b, immediate, 2);

    /// <summary>SHUFPD.</summary>
    public static Vector128<byte> ShuffleDoubles(Vector128<byte> a, Vector128<byte> b, byte immediate) => Chosen<ulong>(&a, &b, immediate, 1);

    /// <summary>PSHUFLW.</summary>
    public static Vector128<byte> ShuffleLowWords(Vector128<byte> a, Vector128<byte> b, byte immediate) => ShuffleWords(b, 0, immediate);

    /// <summary>PSHUFHW.</summary>
    public static Vector128<byte> ShuffleHighWords(Vector128<byte> a, Vector128<byte> b, byte immediate) => ShuffleWords(b, 4, immediate);

    /// <summary>PSHUFB.</summary>
    public static Vector128<byte> ShuffleBytes(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16; i++)
        {
            byte control = ((byte*)&b)[i];
            ((byte*)&result)[i] = (control & 0x80) != 0 ? (byte)0 : ((byte*)&a)[control & 15];
        }

        return result;
    }

    /// <summary>PALIGNR: both operands as one, shifted right by bytes.</summary>
    public static Vector128<byte> Align(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16; i++)
        {
            int from = i + immediate;
            ((byte*)&result)[i] = from < 16 ? ((byte*)&b)[from] : from < 32 ? ((byte*)&a)[from - 16] : (byte)0;
        }

        return result;
    }

    /// <summary>PBLENDW, BLENDPS, BLENDPD: a bit of the immediate for each element.</summary>
    public static Vector128<byte> Blend<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged
    {
        for (int i = 0; i < 16 / sizeof(T); i++)
        {
            if ((immediate >> i & 1) != 0)
                ((T*)&a)[i] = ((T*)&b)[i];
        }

        return a;
    }

    /// <summary>INSERTPS from a register: source element, target element, elements to clear.</summary>
    public static Vector128<byte> InsertSingle(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        InsertAndClear(a, ((uint*)&b)[immediate >> 6], immediate);

    /// <summary>INSERTPS from memory: one element is all there is.</summary>
    public static Vector128<byte> InsertLoadedSingle(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        InsertAndClear(a, ((uint*)&b)[0], immediate);

    /// <summary>MOVHLPS.</summary>
    public static Vector128<byte> HighToLow(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Create(b.AsUInt64()[1], a.AsUInt64()[1]).AsByte();

    /// <summary>MOVLHPS, MOVHPS and MOVHPD from memory.</summary>
    public static Vector128<byte> LowToHigh(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Create(a.AsUInt64()[0], b.AsUInt64()[0]).AsByte();

    /// <summary>MOVSD between registers, MOVLPS and MOVLPD from memory.</summary>
    public static Vector128<byte> ReplaceLow64(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Create(b.AsUInt64()[0], a.AsUInt64()[1]).AsByte();

    /// <summary>MOVSS between registers.</summary>
    public static Vector128<byte> ReplaceLow32(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        a.AsUInt32().WithElement(0, b.AsUInt32()[0]).AsByte();

    /// <summary>MOVDDUP.</summary>
    public static Vector128<byte> DuplicateDouble(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Create(b.AsUInt64()[0]).AsByte();

    /// <summary>MOVSLDUP.</summary>
    public static Vector128<byte> DuplicateEven(Vector128<byte> a, Vector128<byte> b, byte immediate) => Chosen<uint>(&b, &b, 0b1010_0000, 2);

    /// <summary>MOVSHDUP.</summary>
    public static Vector128<byte> DuplicateOdd(Vector128<byte> a, Vector128<byte> b, byte immediate) => Chosen<uint>(&b, &b, 0b1111_0101, 2);

    /// <summary>All of the second operand: moves and loads.</summary>
    public static Vector128<byte> Second(Vector128<byte> a, Vector128<byte> b, byte immediate) => b;

    /// <summary>The low half of the second operand, zero above: MOVQ.</summary>
    public static Vector128<byte> SecondLow64(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Create(b.AsUInt64()[0], 0).AsByte();

    /// <summary>PMOVSX and PMOVZX.</summary>
    public static Vector128<byte> Widen<T, TWide>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
        where TWide : unmanaged, IBinaryInteger<TWide>
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16 / sizeof(TWide); i++)
            ((TWide*)&result)[i] = TWide.CreateTruncating(((T*)&b)[i]);
        return result;
    }

    private static Vector128<byte> Unpack<T>(Vector128<byte>* a, Vector128<byte>* b, int first)
        where T : unmanaged
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 8 / sizeof(T); i++)
        {
            ((T*)&result)[2 * i] = ((T*)a)[first + i];
            ((T*)&result)[(2 * i) + 1] = ((T*)b)[first + i];
        }

        return result;
    }

    /// <summary>Elements chosen by fields of the immediate: the lower half from the first operand, the upper one from the second.</summary>
    private static Vector128<byte> Chosen<T>(Vector128<byte>* low, Vector128<byte>* high, byte immediate, int fieldBits)
        where T : unmanaged
    {
        int count = 16 / sizeof(T);
        Vector128<byte> result = default;
        for (int i = 0; i < count; i++)
            ((T*)&result)[i] = ((T*)(i < count / 2 ? low : high))[(immediate >> (i * fieldBits)) & (count - 1)];
        return result;
    }

    private static Vector128<byte> ShuffleWords(Vector128<byte> source, int first, byte immediate)
    {
        Vector128<byte> result = source;
        for (int i = 0; i < 4; i++)
            ((ushort*)&result)[first + i] = ((ushort*)&source)[first + ((immediate >> (2 * i)) & 3)];
        return result;
    }

    private static Vector128<byte> InsertAndClear(Vector128<byte> target, uint element, byte immediate)
    {
        ((uint*)&target)[(immediate >> 4) & 3] = element;
        for (int i = 0; i < 4; i++)
        {
            if ((immediate >> i & 1) != 0)
                ((uint*)&target)[i] = 0;
        }

        return target;
    }
}
