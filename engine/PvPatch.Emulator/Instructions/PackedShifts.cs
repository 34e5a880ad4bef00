using System.Numerics;
using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>Packed shifts (Intel SDM vol. 2, PSLL, PSRL, PSRA, PSLLDQ, PSRLDQ): by the low 64 bits of the second operand, or by the immediate.</summary>
internal static unsafe class PackedShifts
{
    public static Vector128<byte> Left<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => Left<T>(a, b.AsUInt64()[0]);

    public static Vector128<byte> LeftBy<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => Left<T>(a, immediate);

    public static Vector128<byte> Right<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => Right<T>(a, b.AsUInt64()[0]);

    public static Vector128<byte> RightBy<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => Right<T>(a, immediate);

    public static Vector128<byte> ArithmeticRight<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => ArithmeticRight<T>(a, b.AsUInt64()[0]);

    public static Vector128<byte> ArithmeticRightBy<T>(Vector128<byte> a, Vector128<byte> b, byte immediate)
        where T : unmanaged, IBinaryInteger<T> => ArithmeticRight<T>(a, immediate);

    public static Vector128<byte> LeftBytes(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        PackedShuffles.Align(a, default, (byte)(16 - Math.Min((int)immediate, 16)));

    public static Vector128<byte> RightBytes(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        PackedShuffles.Align(default, a, Math.Min(immediate, (byte)16));

    private static Vector128<byte> Left<T>(Vector128<byte> a, ulong count)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (count >= (ulong)sizeof(T) * 8)
            return default;
        // SAFETY: the vector has 16 / sizeof(T) elements. So below.
        for (int i = 0; i < 16 / sizeof(T); i++)
            ((T*)&a)[i] <<= (int)count;
        return a;
    }

    private static Vector128<byte> Right<T>(Vector128<byte> a, ulong count)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (count >= (ulong)sizeof(T) * 8)
            return default;
        for (int i = 0; i < 16 / sizeof(T); i++)
            ((T*)&a)[i] >>>= (int)count;
        return a;
    }

    /// <summary>Counts beyond the width fill with the sign.</summary>
    private static Vector128<byte> ArithmeticRight<T>(Vector128<byte> a, ulong count)
        where T : unmanaged, IBinaryInteger<T>
    {
        int by = (int)Math.Min(count, (ulong)(sizeof(T) * 8) - 1);
        for (int i = 0; i < 16 / sizeof(T); i++)
            ((T*)&a)[i] >>= by;
        return a;
    }
}
