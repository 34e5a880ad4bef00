using System.Numerics;
using System.Runtime.Intrinsics;
using Aes = System.Runtime.Intrinsics.X86.Aes;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// AES on a state of 16 bytes, column after column (Intel SDM vol. 2, AESENC and its kind; FIPS 197, chapters 4 and 5). The
/// substitution table is made from its definition.
/// </summary>
internal static unsafe class AesRounds
{
    /// <summary>x^8 + x^4 + x^3 + x + 1 without its highest term.</summary>
    private const byte Polynomial = 0x1b;

    private static readonly byte[] Substitutes = MakeSubstitutes();
    private static readonly byte[] InverseSubstitutes = Invert(Substitutes);

    /// <summary>AESENC: one round.</summary>
    public static Vector128<byte> Encrypt(Vector128<byte> state, Vector128<byte> key, byte immediate) =>
        Aes.IsSupported ? Aes.Encrypt(state, key) : MixColumns(Substitute(state, Substitutes, 1), 2, 3, 1, 1) ^ key;

    /// <summary>AESENCLAST: the last round, without mixing.</summary>
    public static Vector128<byte> EncryptLast(Vector128<byte> state, Vector128<byte> key, byte immediate) =>
        Aes.IsSupported ? Aes.EncryptLast(state, key) : Substitute(state, Substitutes, 1) ^ key;

    /// <summary>AESDEC: one round of the equivalent inverse cipher.</summary>
    public static Vector128<byte> Decrypt(Vector128<byte> state, Vector128<byte> key, byte immediate) =>
        Aes.IsSupported ? Aes.Decrypt(state, key) : UnmixColumns(Substitute(state, InverseSubstitutes, -1)) ^ key;

    /// <summary>AESDECLAST.</summary>
    public static Vector128<byte> DecryptLast(Vector128<byte> state, Vector128<byte> key, byte immediate) =>
        Aes.IsSupported ? Aes.DecryptLast(state, key) : Substitute(state, InverseSubstitutes, -1) ^ key;

    /// <summary>AESIMC: a round key for the equivalent inverse cipher.</summary>
    public static Vector128<byte> InvertKey(Vector128<byte> unused, Vector128<byte> key, byte immediate) =>
        Aes.IsSupported ? Aes.InverseMixColumns(key) : UnmixColumns(key);

    /// <summary>AESKEYGENASSIST: words 1 and 3 substituted, each also rotated and with the round constant.</summary>
    public static Vector128<byte> AssistKey(Vector128<byte> unused, Vector128<byte> key, byte roundConstant)
    {
        uint first = SubstituteWord(key.AsUInt32()[1]);
        uint third = SubstituteWord(key.AsUInt32()[3]);
        return Vector128.Create(
            first, BitOperations.RotateRight(first, 8) ^ roundConstant,
            third, BitOperations.RotateRight(third, 8) ^ roundConstant).AsByte();
    }

    /// <summary>ShiftRows and SubBytes, or their inverses: row r moves by r columns.</summary>
    private static Vector128<byte> Substitute(Vector128<byte> state, byte[] table, int direction)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16; i++)
        {
            int row = i & 3;
            // SAFETY: both vectors have 16 bytes. So in all loops of this class.
            ((byte*)&result)[i] = table[((byte*)&state)[(i + (4 * row * direction)) & 15]];
        }

        return result;
    }

    private static Vector128<byte> UnmixColumns(Vector128<byte> state) => MixColumns(state, 14, 11, 13, 9);

    /// <summary>Each column times a polynomial, whose coefficients are given for the byte itself and the three below it.</summary>
    private static Vector128<byte> MixColumns(Vector128<byte> state, byte own, byte next, byte second, byte third)
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 16; i++)
        {
            byte* column = (byte*)&state + (i & ~3);
            int row = i & 3;
            ((byte*)&result)[i] = (byte)(
                Multiply(column[row], own) ^ Multiply(column[(row + 1) & 3], next) ^
                Multiply(column[(row + 2) & 3], second) ^ Multiply(column[(row + 3) & 3], third));
        }

        return result;
    }

    private static uint SubstituteWord(uint word)
    {
        uint result = 0;
        for (int shift = 0; shift < 32; shift += 8)
            result |= (uint)Substitutes[(byte)(word >> shift)] << shift;
        return result;
    }

    /// <summary>A product in GF(2^8).</summary>
    private static byte Multiply(byte a, byte b)
    {
        byte product = 0;
        for (; b != 0; b >>= 1)
        {
            if ((b & 1) != 0)
                product ^= a;
            a = (byte)((a << 1) ^ ((a >> 7) * Polynomial));
        }

        return product;
    }

    /// <summary>FIPS 197, 5.1.1: the inverse in GF(2^8), 0 for 0, then an affine map.</summary>
    private static byte[] MakeSubstitutes()
    {
        byte[] table = new byte[256];
        for (int i = 0; i < table.Length; i++)
        {
            byte inverse = 0;
            for (int candidate = 1; candidate < 256 && inverse == 0; candidate++)
            {
                if (Multiply((byte)i, (byte)candidate) == 1)
                    inverse = (byte)candidate;
            }

            uint twice = inverse * 0x101u;
            table[i] = (byte)(twice ^ (twice >> 4) ^ (twice >> 5) ^ (twice >> 6) ^ (twice >> 7) ^ 0x63);
        }

        return table;
    }

    private static byte[] Invert(byte[] table)
    {
        byte[] inverse = new byte[256];
        for (int i = 0; i < table.Length; i++)
            inverse[table[i]] = (byte)i;
        return inverse;
    }
}
