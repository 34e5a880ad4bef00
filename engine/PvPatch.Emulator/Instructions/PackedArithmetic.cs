using System.Numerics;
using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Packed integer arithmetic of SSE2 to SSE4.2 (Intel SDM vol. 2). Every method has the form of the table: first operand,
/// second operand, immediate; those that use no immediate ignore it.
/// </summary>
internal static unsafe class PackedArithmetic
{
    public static Vector128<byte> Add<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => (a.As<byte, T>() + b.As<byte, T>()).AsByte();

    public static Vector128<byte> Subtract<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => (a.As<byte, T>() - b.As<byte, T>()).AsByte();

    public static Vector128<byte> Minimum<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Min(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    public static Vector128<byte> Maximum<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Max(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    public static Vector128<byte> MultiplyLow<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => (a.As<byte, T>() * b.As<byte, T>()).AsByte();

    public static Vector128<byte> Equal<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.Equals(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    public static Vector128<byte> Greater<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged => Vector128.GreaterThan(a.As<byte, T>(), b.As<byte, T>()).AsByte();

    public static Vector128<byte> And(Vector128<byte> a, Vector128<byte> b, byte immediate) => a & b;

    public static Vector128<byte> AndNot(Vector128<byte> a, Vector128<byte> b, byte immediate) => ~a & b;

    public static Vector128<byte> Or(Vector128<byte> a, Vector128<byte> b, byte immediate) => a | b;

    public static Vector128<byte> Xor(Vector128<byte> a, Vector128<byte> b, byte immediate) => a ^ b;

    /// <summary>PADDS and PADDUS: elements of 8 or 16 bits.</summary>
    public static Vector128<byte> AddSaturated<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        // SAFETY: the vectors have 16 / sizeof(T) elements. So in all loops of this class.
        for (int i = 0; i < 16 / sizeof(T); i++)
            x[i] = T.CreateSaturating(int.CreateTruncating(x[i]) + int.CreateTruncating(y[i]));
        return a;
    }

    /// <summary>PSUBS and PSUBUS: elements of 8 or 16 bits.</summary>
    public static Vector128<byte> SubtractSaturated<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        for (int i = 0; i < 16 / sizeof(T); i++)
            x[i] = T.CreateSaturating(int.CreateTruncating(x[i]) - int.CreateTruncating(y[i]));
        return a;
    }

    /// <summary>PAVG.</summary>
    public static Vector128<byte> Average<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        for (int i = 0; i < 16 / sizeof(T); i++)
            x[i] = T.CreateTruncating((int.CreateTruncating(x[i]) + int.CreateTruncating(y[i]) + 1) >> 1);
        return a;
    }

    /// <summary>PMULHW and PMULHUW.</summary>
    public static Vector128<byte> MultiplyHigh<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        for (int i = 0; i < 8; i++)
            x[i] = T.CreateTruncating((long.CreateTruncating(x[i]) * long.CreateTruncating(y[i])) >> 16);
        return a;
    }

    /// <summary>PMULHRSW.</summary>
    public static Vector128<byte> MultiplyHighRounded(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        short* x = (short*)&a;
        short* y = (short*)&b;
        for (int i = 0; i < 8; i++)
            x[i] = (short)((((x[i] * y[i]) >> 14) + 1) >> 1);
        return a;
    }

    /// <summary>PMULUDQ and PMULDQ: the even elements.</summary>
    public static Vector128<byte> MultiplyEven<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        var result = Vector128.Create(
            long.CreateTruncating(x[0]) * long.CreateTruncating(y[0]),
            long.CreateTruncating(x[2]) * long.CreateTruncating(y[2]));
        return result.AsByte();
    }

    /// <summary>PMADDWD.</summary>
    public static Vector128<byte> MultiplyAddPairs(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        short* x = (short*)&a;
        short* y = (short*)&b;
        int* sums = (int*)&a;
        for (int i = 0; i < 4; i++)
            sums[i] = (x[2 * i] * y[2 * i]) + (x[(2 * i) + 1] * y[(2 * i) + 1]);
        return a;
    }

    /// <summary>PMADDUBSW: unsigned bytes of the first by signed ones of the second.</summary>
    public static Vector128<byte> MultiplyAddBytes(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        byte* x = (byte*)&a;
        sbyte* y = (sbyte*)&b;
        short* sums = (short*)&a;
        for (int i = 0; i < 8; i++)
            sums[i] = short.CreateSaturating((x[2 * i] * y[2 * i]) + (x[(2 * i) + 1] * y[(2 * i) + 1]));
        return a;
    }

    /// <summary>PSADBW.</summary>
    public static Vector128<byte> SumOfDifferences(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        byte* x = (byte*)&a;
        byte* y = (byte*)&b;
        ulong* sums = stackalloc ulong[2];
        for (int i = 0; i < 16; i++)
            sums[i / 8] += (ulong)Math.Abs(x[i] - y[i]);
        return Vector128.Create(sums[0], sums[1]).AsByte();
    }

    /// <summary>MPSADBW: eight sums of four differences; the immediate chooses the blocks.</summary>
    public static Vector128<byte> SumsOfBlocks(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        byte* x = (byte*)&a + ((immediate & 4) != 0 ? 4 : 0);
        byte* y = (byte*)&b + (4 * (immediate & 3));
        ushort* sums = stackalloc ushort[8];
        for (int i = 0; i < 8; i++)
        {
            for (int k = 0; k < 4; k++)
                sums[i] += (ushort)Math.Abs(x[i + k] - y[k]);
        }

        return Vector128.Load(sums).AsByte();
    }

    /// <summary>PABS of the second operand.</summary>
    public static Vector128<byte> Absolute<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* y = (T*)&b;
        for (int i = 0; i < 16 / sizeof(T); i++)
            y[i] = y[i] < T.Zero ? T.Zero - y[i] : y[i];
        return b;
    }

    /// <summary>PSIGN.</summary>
    public static Vector128<byte> Sign<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* x = (T*)&a;
        T* y = (T*)&b;
        for (int i = 0; i < 16 / sizeof(T); i++)
            x[i] = y[i] == T.Zero ? T.Zero : y[i] < T.Zero ? T.Zero - x[i] : x[i];
        return a;
    }

    /// <summary>PHADDW and PHADDD: sums of neighbours, of the first operand, then of the second.</summary>
    public static Vector128<byte> AddNeighbours<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector128<byte> result = default;
        T* to = (T*)&result;
        for (int i = 0; i < 16 / sizeof(T); i++)
            to[i] = Neighbour(&a, &b, 2 * i, (T*)null) + Neighbour(&a, &b, (2 * i) + 1, (T*)null);
        return result;
    }

    /// <summary>PHSUBW and PHSUBD.</summary>
    public static Vector128<byte> SubtractNeighbours<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T>
    {
        Vector128<byte> result = default;
        T* to = (T*)&result;
        for (int i = 0; i < 16 / sizeof(T); i++)
            to[i] = Neighbour(&a, &b, 2 * i, (T*)null) - Neighbour(&a, &b, (2 * i) + 1, (T*)null);
        return result;
    }

    /// <summary>PHADDSW.</summary>
    public static Vector128<byte> AddNeighboursSaturated(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<byte> result = default;
        short* to = (short*)&result;
        for (int i = 0; i < 8; i++)
            to[i] = short.CreateSaturating(Neighbour(&a, &b, 2 * i, to) + Neighbour(&a, &b, (2 * i) + 1, to));
        return result;
    }

    /// <summary>PHSUBSW.</summary>
    public static Vector128<byte> SubtractNeighboursSaturated(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<byte> result = default;
        short* to = (short*)&result;
        for (int i = 0; i < 8; i++)
            to[i] = short.CreateSaturating(Neighbour(&a, &b, 2 * i, to) - Neighbour(&a, &b, (2 * i) + 1, to));
        return result;
    }

    /// <summary>PHMINPOSUW: the smallest word of the second operand and its place.</summary>
    public static Vector128<byte> MinimumAndPlace(Vector128<byte> a, Vector128<byte> b, byte immediate)
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

    /// <summary>An element of the two vectors seen as one.</summary>
    private static T Neighbour<T>(Vector128<byte>* a, Vector128<byte>* b, int index, T* type)
        where T : unmanaged
    {
        int count = 16 / sizeof(T);
        return index < count ? ((T*)a)[index] : ((T*)b)[index - count];
    }
}
