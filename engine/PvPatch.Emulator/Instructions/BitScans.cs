using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Counting and testing bits (Intel SDM vol. 2: BSF, BSR, LZCNT, TZCNT, POPCNT, BT, BTC, BTR, BTS, BSWAP, CRC32).</summary>
public static class BitScans
{
    private const uint Crc32CReversed = 0x82f6_3b78;

    /// <summary>BSF. The source is not 0; flags but ZF are undefined and left.</summary>
    public static T ScanForward<T>(T source)
        where T : unmanaged, IBinaryInteger<T> => T.TrailingZeroCount(source);

    /// <summary>BSR. The source is not 0; flags but ZF are undefined and left.</summary>
    public static unsafe T ScanReverse<T>(T source)
        where T : unmanaged, IBinaryInteger<T> => T.CreateTruncating((sizeof(T) * 8) - 1) - T.LeadingZeroCount(source);

    /// <summary>What BSF and BSR do to the flags: ZF if the source is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetZero<T>(T source, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => flags = (flags & ~RFlags.Zero) | (source == T.Zero ? RFlags.Zero : 0);

    /// <summary>TZCNT.</summary>
    public static T CountTrailing<T>(T source, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => Counted(source, T.TrailingZeroCount(source), ref flags);

    /// <summary>LZCNT.</summary>
    public static T CountLeading<T>(T source, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => Counted(source, T.LeadingZeroCount(source), ref flags);

    /// <summary>POPCNT.</summary>
    public static T CountOnes<T>(T source, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        StatusFlags.Set(ref flags, source == T.Zero ? RFlags.Zero : 0);
        return T.PopCount(source);
    }

    /// <summary>BT: the bit goes to CF; the other flags are undefined or left, and left here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Test<T>(T a, T bit, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong set = (ulong.CreateTruncating(a) >> Place(bit)) & 1;
        flags = (flags & ~RFlags.Carry) | set;
        return a;
    }

    /// <summary>BTS.</summary>
    public static T TestAndSet<T>(T a, T bit, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => Test(a, bit, ref flags) | (T.One << Place(bit));

    /// <summary>BTR.</summary>
    public static T TestAndReset<T>(T a, T bit, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => Test(a, bit, ref flags) & ~(T.One << Place(bit));

    /// <summary>BTC.</summary>
    public static T TestAndComplement<T>(T a, T bit, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T> => Test(a, bit, ref flags) ^ (T.One << Place(bit));

    /// <summary>BSWAP, and the exchange of MOVBE.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T Reverse<T>(T a)
        where T : unmanaged, IBinaryInteger<T> => sizeof(T) switch
        {
            2 => T.CreateTruncating(BinaryPrimitives.ReverseEndianness(ushort.CreateTruncating(a))),
            4 => T.CreateTruncating(BinaryPrimitives.ReverseEndianness(uint.CreateTruncating(a))),
            _ => T.CreateTruncating(BinaryPrimitives.ReverseEndianness(ulong.CreateTruncating(a))),
        };

    /// <summary>BSWAP with a 16-bit register: undefined; processors clear it.</summary>
    public static ushort ReverseWord() => 0;

    /// <summary>CRC32: the Castagnoli polynomial over the bytes of a value.</summary>
    public static unsafe uint Crc32<T>(uint crc, T value)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong bits = ulong.CreateTruncating(value);
        for (int i = 0; i < sizeof(T) * 8; i++)
        {
            uint differs = (crc ^ (uint)(bits >> i)) & 1;
            crc = (crc >> 1) ^ (differs * Crc32CReversed);
        }

        return crc;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe int Place<T>(T bit)
        where T : unmanaged, IBinaryInteger<T> => (int)ulong.CreateTruncating(bit) & ((sizeof(T) * 8) - 1);

    /// <summary>LZCNT and TZCNT leave OF, SF, PF and AF undefined; only CF and ZF are changed here.</summary>
    private static T Counted<T>(T source, T count, ref ulong flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong status = (source == T.Zero ? RFlags.Carry : 0) | (count == T.Zero ? RFlags.Zero : 0);
        flags = (flags & ~(RFlags.Carry | RFlags.Zero)) | status;
        return count;
    }
}
