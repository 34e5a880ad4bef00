namespace PvPatch.Engine.Il;

/// <summary>Some parts of a method's IL, ascending; parts that touch are one.</summary>
internal sealed class IlRanges
{
    private int[] _starts = [];
    private int[] _ends = [];

    /// <summary>How many parts.</summary>
    public int Count { get; private set; }

    /// <summary>Offset of the first byte of a part.</summary>
    public int StartOf(int part) => _starts[part];

    /// <summary>The offset behind the last byte of a part.</summary>
    public int EndOf(int part) => _ends[part];

    /// <summary>Takes all parts out.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds an instruction behind those that are there.</summary>
    public void Add(in Instruction instruction)
    {
        if (Count == 0 || _ends[Count - 1] < instruction.Offset)
        {
            Room.For(ref _starts, Count + 1);
            Room.For(ref _ends, Count + 1);
            _starts[Count++] = instruction.Offset;
        }

        _ends[Count - 1] = instruction.End;
    }
}
