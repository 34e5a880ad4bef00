using Iced.Intel;

namespace PvPatch.Oracle.Generation;

/// <summary>The VEX prefix of a form (Intel SDM vol. 2, 2.3.5), of two bytes or three; what the form leaves open is random.</summary>
internal static class VexPrefix
{
    private const int ThreeBytes = 0xc4;
    private const int TwoBytes = 0xc5;
    private const int NoRegister = 0xf;

    /// <summary>Writes the prefix and gives the place behind it.</summary>
    public static int Append(OpCodeInfo info, CaseRandom random, Span<byte> bytes, int at)
    {
        int map = info.Table switch
        {
            OpCodeTableKind.T0F38 => 2,
            OpCodeTableKind.T0F3A => 3,
            _ => 1,
        };
        int wide = info.IsWIG ? random.Next(2) : (int)info.W;
        int length = info.IsLIG ? random.Next(2) : (int)info.L;
        int register = HasRegister(info) ? random.Next(16) : NoRegister;
        int last = (register << 3) | (length << 2) | MandatoryPrefixNumber(info);

        // The shorter one has neither map nor W, nor the bits that extend base and index.
        if (map == 1 && wide == 0 && random.Chance(50))
        {
            bytes[at++] = TwoBytes;
            bytes[at++] = (byte)((random.Next(2) << 7) | last);
            return at;
        }

        bytes[at++] = ThreeBytes;
        bytes[at++] = (byte)((random.Next(8) << 5) | map);
        bytes[at++] = (byte)((wide << 7) | last);
        return at;
    }

    /// <summary>Whether an operand is in the prefix; else the field must be all ones.</summary>
    private static bool HasRegister(OpCodeInfo info)
    {
        for (int i = 0; i < info.OpCount; i++)
        {
            if (info.GetOpKind(i) is OpCodeOperandKind.r32_vvvv or OpCodeOperandKind.r64_vvvv or OpCodeOperandKind.xmm_vvvv or OpCodeOperandKind.ymm_vvvv)
                return true;
        }

        return false;
    }

    private static int MandatoryPrefixNumber(OpCodeInfo info) => info.MandatoryPrefix switch
    {
        MandatoryPrefix.P66 => 1,
        MandatoryPrefix.PF3 => 2,
        MandatoryPrefix.PF2 => 3,
        _ => 0,
    };
}
