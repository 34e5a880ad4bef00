using System.Numerics;
using System.Runtime.Intrinsics;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rounds and message schedules of SHA-1 and SHA-256 (Intel SDM vol. 2, SHA1RNDS4 and its kind; FIPS 180-4, 4.1, 5.3 and 6).</summary>
internal static class ShaRounds
{
    /// <summary>SHA1RNDS4: four rounds of A to D in the first operand; the immediate chooses function and constant.</summary>
    public static Vector128<byte> Sha1Rounds(Vector128<byte> first, Vector128<byte> second, byte immediate)
    {
        Vector128<uint> state = first.AsUInt32();
        Vector128<uint> words = second.AsUInt32();
        (uint a, uint b, uint c, uint d) = (state[3], state[2], state[1], state[0]);

        // E comes with the first word.
        uint e = 0;
        for (int i = 3; i >= 0; i--)
        {
            (uint mixed, uint constant) = (immediate & 3) switch
            {
                0 => (Choose(b, c, d), 0x5a82_7999u),
                1 => (b ^ c ^ d, 0x6ed9_eba1u),
                2 => (Majority(b, c, d), 0x8f1b_bcdcu),
                _ => (b ^ c ^ d, 0xca62_c1d6u),
            };
            uint next = mixed + BitOperations.RotateLeft(a, 5) + words[i] + e + constant;
            (a, b, c, d, e) = (next, a, BitOperations.RotateLeft(b, 30), c, d);
        }

        return Vector128.Create(d, c, b, a).AsByte();
    }

    /// <summary>SHA1NEXTE: E for the next four rounds, added to their first word.</summary>
    public static Vector128<byte> Sha1NextE(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<uint> words = b.AsUInt32();
        return words.WithElement(3, words[3] + BitOperations.RotateLeft(a.AsUInt32()[3], 30)).AsByte();
    }

    /// <summary>SHA1MSG1: the first step of the next four words.</summary>
    public static Vector128<byte> Sha1Message1(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<uint> x = a.AsUInt32();
        Vector128<uint> y = b.AsUInt32();
        return Vector128.Create(y[2] ^ x[0], y[3] ^ x[1], x[0] ^ x[2], x[1] ^ x[3]).AsByte();
    }

    /// <summary>SHA1MSG2: the last step of the next four words.</summary>
    public static Vector128<byte> Sha1Message2(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<uint> x = a.AsUInt32();
        Vector128<uint> y = b.AsUInt32();
        uint first = BitOperations.RotateLeft(x[3] ^ y[2], 1);
        return Vector128.Create(
            BitOperations.RotateLeft(x[0] ^ first, 1), BitOperations.RotateLeft(x[1] ^ y[0], 1), BitOperations.RotateLeft(x[2] ^ y[1], 1), first).AsByte();
    }

    /// <summary>SHA256RNDS2: two rounds; C, D, G, H in the first operand, A, B, E, F in the second, words with constants in the third.</summary>
    public static Vector128<byte> Sha256Rounds(Vector128<byte> first, Vector128<byte> second, Vector128<byte> third)
    {
        Vector128<uint> low = first.AsUInt32();
        Vector128<uint> high = second.AsUInt32();
        (uint c, uint d, uint g, uint h) = (low[3], low[2], low[1], low[0]);
        (uint a, uint b, uint e, uint f) = (high[3], high[2], high[1], high[0]);
        for (int i = 0; i < 2; i++)
        {
            uint common = h + Choose(e, f, g) + Sigma(e, 6, 11, 25) + third.AsUInt32()[i];
            uint next = common + Majority(a, b, c) + Sigma(a, 2, 13, 22);
            (a, b, c, d, e, f, g, h) = (next, a, b, c, common + d, e, f, g);
        }

        return Vector128.Create(f, e, b, a).AsByte();
    }

    /// <summary>SHA256MSG1: the first step of the next four words.</summary>
    public static Vector128<byte> Sha256Message1(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<uint> x = a.AsUInt32();
        return Vector128.Create(
            x[0] + SmallSigma0(x[1]), x[1] + SmallSigma0(x[2]), x[2] + SmallSigma0(x[3]), x[3] + SmallSigma0(b.AsUInt32()[0])).AsByte();
    }

    /// <summary>SHA256MSG2: the last step of the next four words.</summary>
    public static Vector128<byte> Sha256Message2(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<uint> x = a.AsUInt32();
        uint first = x[0] + SmallSigma1(b.AsUInt32()[2]);
        uint second = x[1] + SmallSigma1(b.AsUInt32()[3]);
        return Vector128.Create(first, second, x[2] + SmallSigma1(first), x[3] + SmallSigma1(second)).AsByte();
    }

    private static uint Choose(uint x, uint y, uint z) => (x & y) ^ (~x & z);

    private static uint Majority(uint x, uint y, uint z) => (x & y) ^ (x & z) ^ (y & z);

    private static uint Sigma(uint x, int first, int second, int third) =>
        BitOperations.RotateRight(x, first) ^ BitOperations.RotateRight(x, second) ^ BitOperations.RotateRight(x, third);

    private static uint SmallSigma0(uint x) => BitOperations.RotateRight(x, 7) ^ BitOperations.RotateRight(x, 18) ^ (x >> 3);

    private static uint SmallSigma1(uint x) => BitOperations.RotateRight(x, 17) ^ BitOperations.RotateRight(x, 19) ^ (x >> 10);
}
