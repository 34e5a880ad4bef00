using System.Buffers.Binary;
using System.Text;

namespace PvPatch.Engine.Extension;

/// <summary>
/// The metadata of an image or of a Portable PDB, to be added to and written anew (ECMA-335, partition II, 24.2). What is
/// there keeps its place: every row its number, every string and blob its offset. So every token and every signature that
/// exists stays valid.
/// </summary>
internal sealed class MetadataRoot
{
    /// <summary>Length of the number by which an image knows its PDB, in bytes.</summary>
    public const int PdbIdLength = 20;

    private const uint Signature = 0x424A5342; // BSJB
    private const string TablesName = "#~", TextName = "#Strings", UserStringName = "#US", GuidName = "#GUID", BlobName = "#Blob", PdbName = "#Pdb";
    private static readonly string[] KnownNames = [TablesName, TextName, UserStringName, GuidName, BlobName, PdbName];

    private readonly byte[] _head;
    private readonly List<(string Name, HeapBytes Bytes)> _streams;
    private TableStream? _tables;

    private MetadataRoot(byte[] head, List<(string Name, HeapBytes Bytes)> streams)
    {
        _head = head;
        _streams = streams;
        if (Find(TablesName) is null || Find(PdbName) is { Length: < PdbIdLength })
            throw new InvalidDataException("its metadata lack a stream");
    }

    private TableStream Tables
    {
        get
        {
            try
            {
                return _tables ??= TableStream.Read(Find(TablesName)!.Original, OutsideCounts(Find(PdbName)?.Original));
            }
            catch (Exception e) when (IsEndless(e))
            {
                throw new InvalidDataException("its tables end too early", e);
            }
        }
    }

    /// <summary>The number by which an image knows its PDB; empty if this is none.</summary>
    public ReadOnlySpan<byte> PdbId => Find(PdbName) is { } pdb ? pdb.Original.AsSpan(0, PdbIdLength) : default;

    /// <summary>Reads metadata.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or in a form that cannot be kept: of edit and continue, with streams or tables that are unknown.</exception>
    public static MetadataRoot Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return ReadChecked(bytes);
        }
        catch (Exception e) when (IsEndless(e))
        {
            throw new InvalidDataException("its metadata end too early", e);
        }
    }

    /// <summary>The rows of a table; one that is not there begins to be.</summary>
    public TableRows Rows(int table) => Tables[table];

    /// <summary>Adds a name.</summary>
    /// <returns>Its offset in the heap.</returns>
    public uint AddText(string text) => (uint)HeapOf(TextName).Add([.. Encoding.UTF8.GetBytes(text), 0]);

    /// <summary>Adds a blob.</summary>
    /// <returns>Its offset in the heap.</returns>
    public uint AddBlob(ReadOnlySpan<byte> blob) => (uint)HeapOf(BlobName).Add(BlobBytes.WithLength(blob));

    /// <summary>The blob at an offset, of those that were there.</summary>
    public ReadOnlySpan<byte> BlobAt(uint offset) => BlobBytes.OfLength(HeapOf(BlobName).Original.AsSpan(checked((int)offset)));

    /// <summary>The GUID of a number, of those that were there.</summary>
    public Guid GuidAt(uint number) => number == 0 ? default : new Guid(HeapOf(GuidName).Original.AsSpan(checked(16 * (int)(number - 1)), 16));

    /// <summary>Adds a string that IL can load (24.2.4).</summary>
    /// <returns>Its token.</returns>
    /// <exception cref="InvalidDataException">No token can name more.</exception>
    public int AddUserString(string text)
    {
        const int MostOffset = 0xFFFFFF;
        var blob = new byte[(2 * text.Length) + 1];
        for (int i = 0; i < text.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(blob.AsSpan(2 * i), text[i]);
        blob[^1] = text.Any(NeedsCare) ? (byte)1 : (byte)0;
        int offset = HeapOf(UserStringName).Add(BlobBytes.WithLength(blob));
        return offset <= MostOffset ? Table.TokenOf(Table.UserString, offset) : throw new InvalidDataException("its heap of strings is full");

        static bool NeedsCare(char c) => c is (> '\0' and < '\t') or (> '\r' and < ' ') or '\'' or '-' or >= '\x7F';
    }

    /// <summary>Writes it.</summary>
    public byte[] ToBytes()
    {
        const int Narrow = 0x10000;
        int heapSizes = (IsWide(TextName) ? 1 : 0) | (IsWide(GuidName) ? 2 : 0) | (IsWide(BlobName) ? 4 : 0);
        var parts = _streams.ConvertAll(s => (s.Name, Bytes: Equals(s.Name, TablesName) ? new HeapBytes(Tables.ToBytes(heapSizes)).ToBytes() : s.Bytes.ToBytes()));
        int offset = _head.Length + 4 + parts.Sum(p => 8 + NameLength(p.Name));
        var output = new MemoryStream(offset + parts.Sum(p => p.Bytes.Length));
        var writer = new BinaryWriter(output);
        writer.Write(_head);
        writer.Write((ushort)0); // flags
        writer.Write((ushort)parts.Count);
        foreach ((string name, byte[] bytes) in parts)
        {
            writer.Write(offset);
            writer.Write(bytes.Length);
            writer.Write(Encoding.UTF8.GetBytes(name.PadRight(NameLength(name), '\0')));
            offset += bytes.Length;
        }

        foreach ((_, byte[] bytes) in parts)
            writer.Write(bytes);
        return output.ToArray();

        // Places of a heap as it is now, and GUIDs by their number.
        bool IsWide(string name) => Find(name) is { } heap && (Equals(name, GuidName) ? heap.Length / 16 : heap.Length) >= Narrow;
    }

    private static bool IsEndless(Exception exception) => exception is ArgumentException or OverflowException or IndexOutOfRangeException;

    private static MetadataRoot ReadChecked(ReadOnlySpan<byte> bytes)
    {
        const int VersionLengthAt = 12, VersionAt = 16;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Signature)
            throw new InvalidDataException("its metadata have no signature");
        byte[] head = bytes[..(VersionAt + BinaryPrimitives.ReadInt32LittleEndian(bytes[VersionLengthAt..]))].ToArray();
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(head.Length + 2)..]);
        ReadOnlySpan<byte> headers = bytes[(head.Length + 4)..];
        var streams = new List<(string Name, HeapBytes Bytes)>();
        for (; count > 0; count--)
        {
            int offset = BinaryPrimitives.ReadInt32LittleEndian(headers), size = BinaryPrimitives.ReadInt32LittleEndian(headers[4..]);
            string name = Encoding.UTF8.GetString(headers[8..(8 + headers[8..].IndexOf((byte)0))]);
            if (!KnownNames.Contains(name, StringComparer.Ordinal) || streams.Exists(s => Equals(s.Name, name)))
                throw new InvalidDataException($"its metadata have a stream {name}, which cannot be written anew");
            streams.Add((name, new HeapBytes(bytes.Slice(offset, size).ToArray())));
            headers = headers[(8 + NameLength(name))..];
        }

        return new MetadataRoot(head, streams);
    }

    /// <summary>A PDB's rows refer to rows of the image; how many those are stands in its own stream.</summary>
    private static int[] OutsideCounts(ReadOnlySpan<byte> pdb)
    {
        const int MaskAt = PdbIdLength + 4, CountsAt = MaskAt + 8;
        var counts = new int[Table.Numbers];
        if (pdb.IsEmpty)
            return counts;
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(pdb[MaskAt..]);
        ReadOnlySpan<byte> rest = pdb[CountsAt..];
        for (int table = 0; table < Table.Numbers; table++)
        {
            if ((present >> table & 1) == 0)
                continue;
            counts[table] = BinaryPrimitives.ReadInt32LittleEndian(rest);
            rest = rest[4..];
        }

        return counts;
    }

    private HeapBytes? Find(string name) => _streams.Find(s => Equals(s.Name, name)).Bytes;

    /// <summary>A heap; one that is not there begins to be, with the empty item at its start.</summary>
    private HeapBytes HeapOf(string name)
    {
        if (Find(name) is { } known)
            return known;
        var heap = new HeapBytes([0]);
        _streams.Add((name, heap));
        return heap;
    }

    private static bool Equals(string name, string other) => string.Equals(name, other, StringComparison.Ordinal);

    /// <summary>Length of a stream's name in its header, with the zeros behind it.</summary>
    private static int NameLength(string name) => (name.Length + 4) & ~3;
}
