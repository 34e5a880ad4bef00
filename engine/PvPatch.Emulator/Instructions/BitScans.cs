using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Counting and testing bits (Intel SDM vol. 2: BSF, BSR, LZCNT, TZCNT, POPCNT, BT, BTC, BTR, BTS, BSWAP, CRC32).</summary>
public static class BitScans
{
    private const uint Crc32CReversed = 0x82f6_3b78;

    /// <summary>BSF. The source is not 0; flags but ZF are undefined, and cleared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ScanForward<T>(T source) =>
        Integer.TrailingZeroCount(source);

    /// <summary>BSR. The source is not 0; flags but ZF are undefined, and cleared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T ScanReverse<T>(T source) =>
        Integer.Truncate<T>((sizeof(T) * 8) - 1) - Integer.LeadingZeroCount(source);

    /// <summary>What BSF and BSR do to the flags: ZF if the source is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetZero<T>(T source, ref ulong flags) =>
        StatusFlags.Set(ref flags, source == Integer.Zero<T>() ? RFlags.Zero : 0);

    /// <summary>TZCNT.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T CountTrailing<T>(T source, ref ulong flags) =>
        Counted(source, Integer.TrailingZeroCount(source), ref flags);

    /// <summary>LZCNT.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T CountLeading<T>(T source, ref ulong flags) =>
        Counted(source, Integer.LeadingZeroCount(source), ref flags);

    /// <summary>POPCNT.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T CountOnes<T>(T source, ref ulong flags)
    {
        StatusFlags.Set(ref flags, source == Integer.Zero<T>() ? RFlags.Zero : 0);
        return Integer.PopCount(source);
    }

    /// <summary>BT: the bit goes to CF; the other flags are undefined or left, and left here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Test<T>(T a, T bit, ref ulong flags)
    {
        ulong set = (Integer.ZeroExtend(a) >> Place(bit)) & 1;
        flags = (flags & ~RFlags.Carry) | set;
        return a;
    }

    /// <summary>BTS.</summary>
    public static T TestAndSet<T>(T a, T bit, ref ulong flags) =>
        Test(a, bit, ref flags) | (Integer.One<T>() << Place(bit));

    /// <summary>BTR.</summary>
    public static T TestAndReset<T>(T a, T bit, ref ulong flags) =>
        Test(a, bit, ref flags) & ~(Integer.One<T>() << Place(bit));

    /// <summary>BTC.</summary>
    public static T TestAndComplement<T>(T a, T bit, ref ulong flags) =>
        Test(a, bit, ref flags) ^ (Integer.One<T>() << Place(bit));

    /// <summary>BSWAP, and the exchange of MOVBE.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe T Reverse<T>(T a) =>
        sizeof(T) switch
        {
            2 => Integer.Truncate<T>(BinaryPrimitives.ReverseEndianness((ushort)Integer.ZeroExtend(a))),
            4 => Integer.Truncate<T>(BinaryPrimitives.ReverseEndianness((uint)Integer.ZeroExtend(a))),
            _ => Integer.Truncate<T>(BinaryPrimitives.ReverseEndianness(Integer.ZeroExtend(a))),
        };

    /// <summary>BSWAP with a 16-bit register: undefined; processors clear it.</summary>
    public static ushort ReverseWord() => 0;

    /// <summary>CRC32: the Castagnoli polynomial over the bytes of a value.</summary>
    public static unsafe uint Crc32<T>(uint crc, T value)
    {
        ulong bits = Integer.ZeroExtend(value);
        for (int i = 0; i < sizeof(T) * 8; i++)
        {
            uint differs = (crc ^ (uint)(bits >> i)) & 1;
            crc = (crc >> 1) ^ (differs * Crc32CReversed);
        }

        return crc;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe int Place<T>(T bit) =>
        (int)Integer.ZeroExtend(bit) & ((sizeof(T) * 8) - 1);

    /// <summary>LZCNT and TZCNT leave OF, SF, PF and AF undefined; here they are cleared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Counted<T>(T source, T count, ref ulong flags)
    {
        ulong status = (source == Integer.Zero<T>() ? RFlags.Carry : 0) | (count == Integer.Zero<T>() ? RFlags.Zero : 0);
        StatusFlags.Set(ref flags, status);
        return count;
    }
}
