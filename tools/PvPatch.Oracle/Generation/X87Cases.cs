using System.Buffers.Binary;
using System.Numerics;
using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>Random states of the x87 and random operands for it, mostly at the corners of the formats.</summary>
internal sealed class X87Cases(CaseRandom random)
{
    private const int Bias = 0x3fff;

    private static readonly int[] Exponents =
    [
        0, 1, 2, 63, 64, 0x3f80, 0x3f81, 0x3c00, 0x3c01, 0x3bcd, 0x3fbf, 0x3fbe, 0x3ffd, 0x3ffe, 0x3fff, 0x4000, 0x400e, 0x401d, 0x401e, 0x403a,
        0x403d, 0x403e, 0x403f, 0x407e, 0x407f, 0x43fe, 0x43ff, 0x5fff, 0x7fbe, 0x7ffd, 0x7ffe, 0x7fff,
    ];

    private static readonly ulong[] Mantissas =
    [
        0, 1, 1ul << 62, 1ul << 63, (1ul << 63) | 1, 3ul << 62, (3ul << 62) | 1, ulong.MaxValue, ulong.MaxValue - 1, ulong.MaxValue << 40, ulong.MaxValue << 11,
        ulong.MaxValue << 39, ulong.MaxValue << 10, 0x7fff_ffff_ffff_ffff, 0x8000_0080_0000_0000, 0x8000_0000_0000_0400, 0xb504_f333_f9de_6484, 0xa000_0000_0000_0000,
    ];

    /// <summary>Fills the x87's part of an image.</summary>
    public void Fill(Span<byte> image)
    {
        int control = random.Chance(40) ? 0x37f : random.Next(0x1000) | 0x40;
        if (random.Chance(60))
            control |= 0x3f;
        control = (control & ~0x80) | (random.Chance(10) ? 0x1000 : 0);
        int flags = random.Chance(70) ? 0 : random.Next(0x80);
        if (!random.Chance(5))
            flags &= ~(~control & 0x3f);
        int status = flags | (random.Next(0x80) << 8);
        if ((flags & ~control & 0x3f) != 0)
            status |= 0x8080;
        X87Image.Set(image, (ushort)control, (ushort)status, Used(status >> 11 & 7));
        int near = random.Next(0x8000);
        for (int i = 0; i < 8; i++)
        {
            (ulong mantissa, ushort high) = Number(near);
            X87Image.SetRegister(image, i, mantissa, high);
        }
    }

    /// <summary>Writes an operand of an x87 instruction.</summary>
    public void FillOperand(in Instruction instruction, Span<byte> place)
    {
        (ulong mantissa, ushort high) = Number(Bias);
        switch (instruction.MemorySize)
        {
            case MemorySize.Float32:
                BinaryPrimitives.WriteUInt32LittleEndian(place, Narrow(8, 23, high, mantissa));
                break;
            case MemorySize.Float64:
                BinaryPrimitives.WriteUInt64LittleEndian(place, Narrow64(high, mantissa));
                break;
            case MemorySize.Float80:
                BinaryPrimitives.WriteUInt64LittleEndian(place, mantissa);
                BinaryPrimitives.WriteUInt16LittleEndian(place[8..], high);
                break;
            case MemorySize.Bcd when random.Chance(80):
                for (int i = 0; i < 9; i++)
                    place[i] = (byte)(random.Next(10) | (random.Next(10) << 4));
                break;
            default:
                break;
        }
    }

    private byte Used(int top)
    {
        // In the order of the stack: all, all but the last two, any, none.
        int byPlace = random.Next(20) switch
        {
            < 8 => 0xff,
            < 16 => 0x3f,
            < 19 => random.Next(256),
            _ => 0,
        };
        return (byte)BitOperations.RotateLeft((uint)(byPlace * 0x0101_0101), top);
    }

    private (ulong Mantissa, ushort High) Number(int near)
    {
        int exponent = random.Next(10) switch
        {
            < 3 => Exponents[random.Next(Exponents.Length)],
            < 5 => near + random.Next(-70, 70),
            < 9 => Bias + random.Next(-70, 70),
            _ => random.Next(0x8000),
        };
        exponent = Math.Clamp(exponent, 0, 0x7fff);
        ulong mantissa = random.Next(10) switch
        {
            < 3 => Mantissas[random.Next(Mantissas.Length)],
            < 5 => (1ul << 63) | (random.Bits() & (ulong.MaxValue << random.Next(64))),
            < 6 => (1ul << random.Next(64)) - (random.Chance(50) ? 1u : 0u),
            < 7 => random.Bits(),
            _ => (1ul << 63) | random.Bits(),
        };
        if (exponent != 0 && random.Chance(90))
            mantissa |= 1ul << 63;
        return (mantissa, (ushort)(exponent | (random.Chance(50) ? 0x8000 : 0)));
    }

    private uint Narrow(int exponentBits, int fractionBits, ushort high, ulong mantissa)
    {
        uint exponent = random.Next(6) switch
        {
            0 => 0,
            1 => (1u << exponentBits) - 1,
            2 => (uint)random.Next(1 << exponentBits),
            _ => (uint)Math.Clamp((high & 0x7fff) - Bias + 127, 0, 255),
        };
        return ((uint)(high >> 15) << 31) | (exponent << fractionBits) | (uint)(mantissa << 1 >> (64 - fractionBits));
    }

    private ulong Narrow64(ushort high, ulong mantissa)
    {
        ulong exponent = random.Next(6) switch
        {
            0 => 0,
            1 => 0x7ff,
            2 => (ulong)random.Next(0x800),
            _ => (ulong)Math.Clamp((high & 0x7fff) - Bias + 1023, 0, 0x7ff),
        };
        return ((ulong)(high >> 15) << 63) | (exponent << 52) | (mantissa << 1 >> 12);
    }
}
