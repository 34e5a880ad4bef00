namespace PvPatch.Engine.Extension;

/// <summary>The rows of one table. Rows are numbered from 1, as tokens number them.</summary>
/// <param name="columns">How many columns it has.</param>
internal sealed class TableRows(int columns)
{
    private readonly List<uint> _cells = [];

    /// <summary>How many rows.</summary>
    public int Count => _cells.Count / columns;

    /// <summary>A cell: an offset, a number, a row, coded as the column says.</summary>
    /// <param name="row">From 1.</param>
    /// <param name="column">From 0.</param>
    public uint this[int row, int column]
    {
        get => _cells[((row - 1) * columns) + column];
        set => _cells[((row - 1) * columns) + column] = value;
    }

    /// <summary>Adds a row at the end.</summary>
    /// <returns>Its number.</returns>
    public int Add(params ReadOnlySpan<uint> cells)
    {
        _cells.AddRange(cells);
        return Count;
    }

    /// <summary>Adds a row before the first one that is greater in its first column, by which the table is sorted.</summary>
    public void Insert(params ReadOnlySpan<uint> cells)
    {
        int row = 1;
        while (row <= Count && this[row, 0] <= cells[0])
            row++;
        _cells.InsertRange((row - 1) * columns, cells);
    }

    /// <summary>Makes room for some rows.</summary>
    public void Reserve(int rows) => _cells.EnsureCapacity(rows * columns);
}
