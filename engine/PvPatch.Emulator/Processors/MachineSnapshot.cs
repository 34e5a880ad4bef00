using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The stream form of a machine: magic, version, then compressed: the state of vCPUs, clock and devices with its length, each
/// page of RAM that is not zero with its address, an end mark, and the SHA-256 of all that. Numbers are little-endian.
/// Restoring reads and checks everything before it changes anything; what it holds meanwhile is bounded by the machine's RAM.
/// </summary>
internal static class MachineSnapshot
{
    private const uint Version = 2;
    private const int MostStateBytes = 16 << 20;
    private const ulong EndMark = ulong.MaxValue;
    private const int PageSize = (int)PhysicalMemory.PageSize;

    private static ReadOnlySpan<byte> Magic => "PvPatchM"u8;

    public static void Save(Board board, Stream target)
    {
        byte[] state = StateTransfer.Save(board.Transfer);
        Span<byte> header = stackalloc byte[Magic.Length + sizeof(uint)];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[Magic.Length..], Version);
        target.Write(header);

        using var content = new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Put(content, hash, BitConverter.GetBytes((ulong)state.Length));
        Put(content, hash, state);
        foreach ((ulong address, byte[] page) in Pages(board.Memory))
        {
            Put(content, hash, BitConverter.GetBytes(address));
            Put(content, hash, page);
        }

        Put(content, hash, BitConverter.GetBytes(EndMark));
        content.Write(hash.GetHashAndReset());
    }

    public static void Restore(Board board, Stream source)
    {
        ReadHeader(source);
        (byte[] state, List<(ulong Address, byte[] Bytes)> pages) = ReadContent(board.Memory, source);
        byte[] before = StateTransfer.Save(board.Transfer);
        try
        {
            StateTransfer.Restore(state, board.Transfer);
        }
        catch (SnapshotException)
        {
            StateTransfer.Restore(before, board.Transfer);
            throw;
        }

        Apply(board.Memory, pages);
    }

    private static void ReadHeader(Stream source)
    {
        Span<byte> header = stackalloc byte[Magic.Length + sizeof(uint)];
        int read = source.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (!header[..Math.Min(read, Magic.Length)].SequenceEqual(Magic[..Math.Min(read, Magic.Length)]))
            throw new SnapshotException(SnapshotError.NotASnapshot, "it starts with other bytes");
        if (read < header.Length) throw new SnapshotException(SnapshotError.Truncated, $"it has {read} bytes");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(header[Magic.Length..]);
        if (version != Version) throw new SnapshotException(SnapshotError.OtherVersion, $"{version} instead of {Version}");
    }

    private static (byte[] State, List<(ulong Address, byte[] Bytes)> Pages) ReadContent(PhysicalMemory memory, Stream source)
    {
        try
        {
            using var content = new ZLibStream(source, CompressionMode.Decompress, leaveOpen: true);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            ulong length = TakeNumber(content, hash);
            if (length > MostStateBytes) throw StateTransfer.Damaged($"its state has {length} bytes");
            byte[] state = Take(content, hash, (int)length);
            var pages = new List<(ulong Address, byte[] Bytes)>();
            ulong next = 0;
            for (ulong address = TakeNumber(content, hash); address != EndMark; address = TakeNumber(content, hash))
            {
                if (address < next || address % PageSize != 0 || !memory.Contains(address, PageSize))
                    throw StateTransfer.Damaged($"a page at 0x{address:x} is no RAM of this machine or stands twice");
                pages.Add((address, Take(content, hash, PageSize)));
                next = address + PageSize;
            }

            byte[] expected = hash.GetHashAndReset();
            byte[] found = new byte[expected.Length];
            content.ReadExactly(found);
            return found.AsSpan().SequenceEqual(expected) ? (state, pages) : throw StateTransfer.Damaged("its checksum differs");
        }
        catch (EndOfStreamException exception)
        {
            throw new SnapshotException(SnapshotError.Truncated, "it ends in the middle", exception);
        }
        catch (InvalidDataException exception)
        {
            throw new SnapshotException(SnapshotError.Damaged, "it cannot be decompressed", exception);
        }
    }

    private static void Put(Stream content, IncrementalHash hash, byte[] bytes)
    {
        hash.AppendData(bytes);
        content.Write(bytes);
    }

    private static byte[] Take(Stream content, IncrementalHash hash, int count)
    {
        byte[] bytes = new byte[count];
        content.ReadExactly(bytes);
        hash.AppendData(bytes);
        return bytes;
    }

    private static ulong TakeNumber(Stream content, IncrementalHash hash) => BinaryPrimitives.ReadUInt64LittleEndian(Take(content, hash, sizeof(ulong)));

    /// <summary>The pages of RAM that are not zero, by address.</summary>
    private static IEnumerable<(ulong Address, byte[] Bytes)> Pages(PhysicalMemory memory)
    {
        foreach (MemoryRegion region in memory.Regions.Where(region => region.Kind == RegionKind.Ram))
        {
            for (ulong address = region.Start; address < region.End; address += PageSize)
            {
                if (memory.Span(address, PageSize).ContainsAnyExcept((byte)0)) yield return (address, memory.Span(address, PageSize).ToArray());
            }
        }
    }

    private static void Apply(PhysicalMemory memory, List<(ulong Address, byte[] Bytes)> pages)
    {
        int index = 0;
        foreach (MemoryRegion region in memory.Regions.Where(region => region.Kind == RegionKind.Ram))
        {
            for (ulong address = region.Start; address < region.End; address += PageSize)
            {
                Span<byte> page = memory.Span(address, PageSize);
                if (index < pages.Count && pages[index].Address == address) pages[index++].Bytes.CopyTo(page);
                else if (page.ContainsAnyExcept((byte)0)) page.Clear();
            }

            memory.Written(region.Start, region.Size);
        }
    }
}
