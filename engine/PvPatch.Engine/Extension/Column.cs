namespace PvPatch.Engine.Extension;

/// <summary>What a column of a metadata table holds, which decides how wide it is (ECMA-335, partition II, 24.2.6).</summary>
internal abstract record Column
{
    private Column() { }

    /// <summary>A number of fixed width.</summary>
    /// <param name="Bytes">Two or four.</param>
    public sealed record Number(int Bytes) : Column;

    /// <summary>A place in a heap: an offset, or the number of a GUID.</summary>
    /// <param name="SizeBit">The bit of <c>HeapSizes</c> that makes it four bytes wide.</param>
    public sealed record Heap(int SizeBit) : Column;

    /// <summary>The number of a row in one of some tables, shifted left, and below it which of them.</summary>
    /// <param name="TagBits">How many bits tell which; none where there is one table only.</param>
    /// <param name="Tables">The tables by tag; −1 for a tag without a meaning.</param>
    public sealed record Row(int TagBits, params int[] Tables) : Column
    {
        /// <summary>The value that stands for a row.</summary>
        public uint CodeOf(int table, int row) => (uint)((row << TagBits) | Array.IndexOf(Tables, table));
    }
}
