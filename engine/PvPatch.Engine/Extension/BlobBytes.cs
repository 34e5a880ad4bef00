using System.Buffers.Binary;

namespace PvPatch.Engine.Extension;

/// <summary>Numbers and blobs as signatures and heaps write them (ECMA-335, partition II, 23.2 and 24.2.4).</summary>
internal static class BlobBytes
{
    /// <summary>Appends an unsigned number, compressed.</summary>
    public static void AddCompressed(List<byte> bytes, int value)
    {
        if (value < 0x80)
            bytes.Add((byte)value);
        else if (value < 0x4000)
            bytes.AddRange([(byte)(0x80 | value >> 8), (byte)value]);
        else
            bytes.AddRange([(byte)(0xC0 | value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
    }

    /// <summary>Reads a compressed unsigned number and steps behind it.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static int ReadCompressed(ref ReadOnlySpan<byte> bytes)
    {
        int length = LengthOfCompressed(bytes);
        int value = length switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes) & 0x3FFF,
            _ => (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes) & 0x1FFFFFFF),
        };
        bytes = bytes[length..];
        return value;
    }

    /// <summary>Appends a signed number, compressed: its sign goes to the lowest bit.</summary>
    public static void AddCompressedSigned(List<byte> bytes, int value)
    {
        int sign = value < 0 ? 1 : 0;
        (int bits, int length) = value is >= -0x40 and < 0x40 ? (7, 1) : value is >= -0x2000 and < 0x2000 ? (14, 2) : (29, 4);
        int rotated = ((value << 1) & ((1 << bits) - 1)) | sign;
        if (length == 1)
            bytes.Add((byte)rotated);
        else if (length == 2)
            bytes.AddRange([(byte)(0x80 | rotated >> 8), (byte)rotated]);
        else
            bytes.AddRange([(byte)(0xC0 | rotated >> 24), (byte)(rotated >> 16), (byte)(rotated >> 8), (byte)rotated]);
    }

    /// <summary>Reads a compressed signed number and steps behind it.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static int ReadCompressedSigned(ref ReadOnlySpan<byte> bytes)
    {
        int length = LengthOfCompressed(bytes), rotated = ReadCompressed(ref bytes);
        int below = length switch { 1 => -0x40, 2 => -0x2000, _ => -0x10000000 };
        return (rotated & 1) == 0 ? rotated >> 1 : (rotated >> 1) | below;
    }

    /// <summary>How many bytes a compressed number has, signed or not.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static int LengthOfCompressed(ReadOnlySpan<byte> bytes)
    {
        int length = bytes is [var first, ..] ? (first & 0x80) == 0 ? 1 : (first & 0x40) == 0 ? 2 : 4 : int.MaxValue;
        return length <= bytes.Length ? length : throw new InvalidDataException("a blob ends within a number");
    }

    /// <summary>A blob as a heap holds it: its length before it.</summary>
    public static byte[] WithLength(ReadOnlySpan<byte> blob)
    {
        var bytes = new List<byte>(blob.Length + 4);
        AddCompressed(bytes, blob.Length);
        bytes.AddRange(blob);
        return [.. bytes];
    }

    /// <summary>The blob that a heap holds here.</summary>
    public static ReadOnlySpan<byte> OfLength(ReadOnlySpan<byte> heap)
    {
        int length = ReadCompressed(ref heap);
        return heap[..length];
    }
}
