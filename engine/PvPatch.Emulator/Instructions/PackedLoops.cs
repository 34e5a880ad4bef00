using System.Numerics;
using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Packed instructions element by element, as the manual defines them (Intel SDM vol. 2): for hosts that have no such instruction,
/// and what the tests hold the quick forms to.
/// </summary>
internal static unsafe class PackedLoops
{
    /// <summary>PAVG.</summary>
    public static Vector128<byte> Average<T>(Vector128<byte> a, Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        // SAFETY: the vectors have 16 / sizeof(T) elements. So in all loops of this class.
        for (int i = 0; i < 16 / sizeof(T); i++)
            x[i] = T.CreateTruncating((int.CreateTruncating(x[i]) + int.CreateTruncating(y[i]) + 1) >> 1);
        return a;
    }

    /// <summary>PMULHW and PMULHUW.</summary>
    public static Vector128<byte> MultiplyHigh<T>(Vector128<byte> a, Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        for (int i = 0; i < 8; i++)
            x[i] = T.CreateTruncating((long.CreateTruncating(x[i]) * long.CreateTruncating(y[i])) >> 16);
        return a;
    }

    /// <summary>PMULHRSW.</summary>
    public static Vector128<byte> MultiplyHighRounded(Vector128<byte> a, Vector128<byte> b)
    {
        short* x = (short*)&a;
        short* y = (short*)&b;
        for (int i = 0; i < 8; i++)
            x[i] = (short)((((x[i] * y[i]) >> 14) + 1) >> 1);
        return a;
    }

    /// <summary>PMULUDQ and PMULDQ: the even elements.</summary>
    public static Vector128<byte> MultiplyEven<T>(Vector128<byte> a, Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        return Vector128.Create(
            long.CreateTruncating(x[0]) * long.CreateTruncating(y[0]),
            long.CreateTruncating(x[2]) * long.CreateTruncating(y[2])).AsByte();
    }

    /// <summary>PMADDWD.</summary>
    public static Vector128<byte> MultiplyAddPairs(Vector128<byte> a, Vector128<byte> b)
    {
        short* x = (short*)&a;
        short* y = (short*)&b;
        int* sums = (int*)&a;
        for (int i = 0; i < 4; i++)
            sums[i] = (x[2 * i] * y[2 * i]) + (x[(2 * i) + 1] * y[(2 * i) + 1]);
        return a;
    }

    /// <summary>PMADDUBSW: unsigned bytes of the first by signed ones of the second.</summary>
    public static Vector128<byte> MultiplyAddBytes(Vector128<byte> a, Vector128<byte> b)
    {
        byte* x = (byte*)&a;
        sbyte* y = (sbyte*)&b;
        short* sums = (short*)&a;
        for (int i = 0; i < 8; i++)
            sums[i] = short.CreateSaturating((x[2 * i] * y[2 * i]) + (x[(2 * i) + 1] * y[(2 * i) + 1]));
        return a;
    }

    /// <summary>PSADBW.</summary>
    public static Vector128<byte> SumOfDifferences(Vector128<byte> a, Vector128<byte> b)
    {
        byte* x = (byte*)&a;
        byte* y = (byte*)&b;
        ulong* sums = stackalloc ulong[2];
        for (int i = 0; i < 16; i++)
            sums[i / 8] += (ulong)Math.Abs(x[i] - y[i]);
        return Vector128.Create(sums[0], sums[1]).AsByte();
    }

    /// <summary>PSIGN.</summary>
    public static Vector128<byte> Sign<T>(Vector128<byte> a, Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        for (int i = 0; i < 16 / sizeof(T); i++)
            x[i] = y[i] == T.Zero ? T.Zero : y[i] < T.Zero ? T.Zero - x[i] : x[i];
        return a;
    }

    /// <summary>PHADDW and PHADDD: sums of neighbours, of the first operand, then of the second.</summary>
    public static Vector128<byte> AddNeighbours<T>(Vector128<byte> a, Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector128<byte> result = default;
        T* to = (T*)&result;
        for (int i = 0; i < 16 / sizeof(T); i++)
            to[i] = Neighbour(&a, &b, 2 * i, to) + Neighbour(&a, &b, (2 * i) + 1, to);
        return result;
    }

    /// <summary>PHSUBW and PHSUBD.</summary>
    public static Vector128<byte> SubtractNeighbours<T>(Vector128<byte> a, Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector128<byte> result = default;
        T* to = (T*)&result;
        for (int i = 0; i < 16 / sizeof(T); i++)
            to[i] = Neighbour(&a, &b, 2 * i, to) - Neighbour(&a, &b, (2 * i) + 1, to);
        return result;
    }

    /// <summary>PHADDSW.</summary>
    public static Vector128<byte> AddNeighboursSaturated(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<byte> result = default;
        short* to = (short*)&result;
        for (int i = 0; i < 8; i++)
            to[i] = short.CreateSaturating(Neighbour(&a, &b, 2 * i, to) + Neighbour(&a, &b, (2 * i) + 1, to));
        return result;
    }

    /// <summary>PHSUBSW.</summary>
    public static Vector128<byte> SubtractNeighboursSaturated(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<byte> result = default;
        short* to = (short*)&result;
        for (int i = 0; i < 8; i++)
            to[i] = short.CreateSaturating(Neighbour(&a, &b, 2 * i, to) - Neighbour(&a, &b, (2 * i) + 1, to));
        return result;
    }

    /// <summary>PHMINPOSUW: the smallest word and its place.</summary>
    public static Vector128<byte> MinimumAndPlace(Vector128<byte> b)
    {
        ushort* y = (ushort*)&b;
        int place = 0;
        for (int i = 1; i < 8; i++)
        {
            if (y[i] < y[place])
                place = i;
        }

        return Vector128.Create((ulong)y[place] | ((ulong)place << 16), 0).AsByte();
    }

    /// <summary>PACKSS and PACKUS: elements become half as wide, saturated.</summary>
    public static Vector128<byte> Pack<T, TNarrow>(Vector128<byte> a, Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
        where TNarrow : unmanaged, IBinaryInteger<TNarrow>
    {
        int count = 16 / sizeof(T);
        Vector128<byte> result = default;
        var to = (TNarrow*)&result;
        for (int i = 0; i < count; i++)
        {
            to[i] = TNarrow.CreateSaturating(((T*)&a)[i]);
            to[i + count] = TNarrow.CreateSaturating(((T*)&b)[i]);
        }

        return result;
    }

    /// <summary>PUNPCK, UNPCK: a half of each operand, from an element on, interleaved.</summary>
    public static Vector128<byte> Unpack<T>(Vector128<byte> a, Vector128<byte> b, int first)
        where T : unmanaged
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 8 / sizeof(T); i++)
        {
            ((T*)&result)[2 * i] = ((T*)&a)[first + i];
            ((T*)&result)[(2 * i) + 1] = ((T*)&b)[first + i];
        }

        return result;
    }

    /// <summary>PSHUFD, SHUFPS, SHUFPD: elements chosen by fields of the immediate, the lower half from the first operand, the upper one from the second.</summary>
    public static Vector128<byte> Chosen<T>(Vector128<byte> low, Vector128<byte> high, byte immediate, int fieldBits)
        where T : unmanaged
    {
        int count = 16 / sizeof(T);
        Vector128<byte> result = default;
        for (int i = 0; i < count; i++)
            ((T*)&result)[i] = ((T*)(i < count / 2 ? &low : &high))[(immediate >> (i * fieldBits)) & (count - 1)];
        return result;
    }

    /// <summary>PSHUFLW, PSHUFHW: four words chosen, from a place on.</summary>
    public static Vector128<byte> ShuffleWords(Vector128<byte> source, int first, byte immediate)
    {
        Vector128<byte> result = source;
        for (int i = 0; i < 4; i++)
            ((ushort*)&result)[first + i] = ((ushort*)&source)[first + ((immediate >> (2 * i)) & 3)];
        return result;
    }

    /// <summary>PSHUFB.</summary>
    public static Vector128<byte> ShuffleBytes(Vector128<byte> a, Vector128<byte> b)
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

    /// <summary>INSERTPS: an element takes a place, then bits of the immediate clear elements.</summary>
    public static Vector128<byte> InsertAndClear(Vector128<byte> target, uint element, byte immediate)
    {
        ((uint*)&target)[(immediate >> 4) & 3] = element;
        for (int i = 0; i < 4; i++)
        {
            if ((immediate >> i & 1) != 0)
                ((uint*)&target)[i] = 0;
        }

        return target;
    }

    /// <summary>PMOVSX and PMOVZX.</summary>
    public static Vector128<byte> Widen<T, TWide>(Vector128<byte> b)
        where T : unmanaged, IBinaryInteger<T>
        where TWide : unmanaged, IBinaryInteger<TWide>
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16 / sizeof(TWide); i++)
            ((TWide*)&result)[i] = TWide.CreateTruncating(((T*)&b)[i]);
        return result;
    }

    /// <summary>An element of the two vectors seen as one.</summary>
    private static T Neighbour<T>(Vector128<byte>* a, Vector128<byte>* b, int index, T* type)
        where T : unmanaged
    {
        int count = 16 / sizeof(T);
        return index < count ? ((T*)a)[index] : ((T*)b)[index - count];
    }
}
