using System.Buffers.Binary;

namespace PvPatch.Engine.Extension;

/// <summary>The tables of metadata (ECMA-335, partition II, 24.2.6). Columns are as wide as they must be when it is written.</summary>
internal sealed class TableStream
{
    private const int HeapSizesAt = 6, MasksAt = 8, CountsAt = 24;
    private const uint Narrow = 0x10000; // what two bytes cannot number

    private readonly byte[] _head;
    private readonly ulong _sorted;
    private readonly TableRows?[] _tables = new TableRows?[Table.Numbers];
    private readonly int[] _outside;
    private byte[] _tail = [];

    private TableStream(ReadOnlySpan<byte> stream, int[] outside)
    {
        _outside = outside;
        _head = stream[..MasksAt].ToArray();
        _sorted = BinaryPrimitives.ReadUInt64LittleEndian(stream[16..]);
    }

    /// <summary>The rows of a table; one that is not there begins to be.</summary>
    public TableRows this[int table] => _tables[table] ??= new TableRows(TableColumns.Of(table)!.Count);

    /// <summary>Reads the stream.</summary>
    /// <param name="stream">Its bytes.</param>
    /// <param name="outside">How many rows the tables have that lie in other metadata: those of a PDB's image.</param>
    /// <exception cref="InvalidDataException">It is of edit and continue, has a table that is unknown, or is damaged.</exception>
    /// <exception cref="ArgumentException">It ends too early.</exception>
    public static TableStream Read(ReadOnlySpan<byte> stream, int[] outside)
    {
        const int KnownSizes = 7;
        var tables = new TableStream(stream, outside);
        int heapSizes = stream[HeapSizesAt];
        if ((heapSizes & ~KnownSizes) != 0)
            throw new InvalidDataException("its tables are in a form of edit and continue");

        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(stream[MasksAt..]);
        int[] counts = [.. outside];
        ReadOnlySpan<byte> rest = stream[CountsAt..];
        foreach (int table in NumbersIn(present))
        {
            if (TableColumns.Of(table) is null)
                throw new InvalidDataException($"its table 0x{table:X2} is unknown");
            counts[table] = BinaryPrimitives.ReadInt32LittleEndian(rest);
            rest = rest[4..];
        }

        foreach (int table in NumbersIn(present))
            rest = tables.ReadRows(table, counts[table], WidthsOf(table, heapSizes, counts), rest);
        tables._tail = rest.ToArray(); // compilers end the stream with some zeros
        return tables;
    }

    /// <summary>Writes the stream.</summary>
    /// <param name="heapSizes">Which heaps need four bytes for a place in them (24.2.6).</param>
    public byte[] ToBytes(int heapSizes)
    {
        heapSizes |= _head[HeapSizesAt];
        int[] counts = [.. _tables.Select((t, number) => t?.Count ?? _outside[number])];
        ulong present = 0;
        int size = CountsAt + _tail.Length;
        var widths = new int[Table.Numbers][];
        for (int table = 0; table < Table.Numbers; table++)
        {
            if (_tables[table] is not { Count: > 0 })
                continue;
            present |= 1UL << table;
            widths[table] = WidthsOf(table, heapSizes, counts);
            size += 4 + (counts[table] * widths[table].Sum());
        }

        var bytes = new byte[size];
        _head.CopyTo(bytes, 0);
        bytes[HeapSizesAt] = (byte)heapSizes;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(MasksAt), present);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), _sorted);
        Span<byte> rest = bytes.AsSpan(CountsAt);
        foreach (int table in NumbersIn(present))
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, counts[table]);
            rest = rest[4..];
        }

        foreach (int table in NumbersIn(present))
            rest = WriteRows(_tables[table]!, widths[table], rest);
        _tail.CopyTo(rest);
        return bytes;
    }

    private static IEnumerable<int> NumbersIn(ulong mask) => Enumerable.Range(0, Table.Numbers).Where(table => (mask >> table & 1) != 0);

    private ReadOnlySpan<byte> ReadRows(int table, int count, int[] widths, ReadOnlySpan<byte> bytes)
    {
        int size = checked(count * widths.Sum());
        ReadOnlySpan<byte> rest = bytes[..size];
        TableRows rows = this[table];
        rows.Reserve(count);
        Span<uint> cells = stackalloc uint[widths.Length];
        while (!rest.IsEmpty)
        {
            for (int column = 0; column < widths.Length; column++)
            {
                cells[column] = widths[column] == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(rest) : BinaryPrimitives.ReadUInt32LittleEndian(rest);
                rest = rest[widths[column]..];
            }

            rows.Add(cells);
        }

        return bytes[size..];
    }

    private static Span<byte> WriteRows(TableRows rows, int[] widths, Span<byte> rest)
    {
        for (int row = 1; row <= rows.Count; row++)
        {
            for (int column = 0; column < widths.Length; column++)
            {
                uint cell = rows[row, column];
                if (widths[column] == 2)
                    BinaryPrimitives.WriteUInt16LittleEndian(rest, checked((ushort)cell));
                else
                    BinaryPrimitives.WriteUInt32LittleEndian(rest, cell);
                rest = rest[widths[column]..];
            }
        }

        return rest;
    }

    private static int[] WidthsOf(int table, int heapSizes, int[] counts) => [.. TableColumns.Of(table)!.Select(column => column switch
    {
        Column.Number number => number.Bytes,
        Column.Heap heap => (heapSizes & heap.SizeBit) == 0 ? 2 : 4,
        Column.Row row => (uint)row.Tables.Max(t => t < 0 ? 0 : counts[t]) < Narrow >> row.TagBits ? 2 : 4,
        _ => throw new InvalidOperationException($"no width is known for {column}"),
    })];
}
