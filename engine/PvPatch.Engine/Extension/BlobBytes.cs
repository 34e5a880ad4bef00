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
    /// <exception cref="BadImageFormatException">There is none.</exception>
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

    /// <summary>How many bytes a compressed number has, signed or not.</summary>
    /// <exception cref="BadImageFormatException">There is none.</exception>
    public static int LengthOfCompressed(ReadOnlySpan<byte> bytes)
    {
        int length = bytes is [var first, ..] ? (first & 0x80) == 0 ? 1 : (first & 0x40) == 0 ? 2 : 4 : int.MaxValue;
        return length <= bytes.Length ? length : throw new BadImageFormatException("a blob ends within a number");
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
