namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What the evaluation stack holds where control arrives.</summary>
internal enum ArrivingStack
{
    /// <summary>What it held before.</summary>
    Kept,

    /// <summary>Nothing.</summary>
    Emptied,

    /// <summary>The exception.</summary>
    Exception,
}

/// <summary>A way that control may take.</summary>
/// <param name="from">The block that it leaves.</param>
/// <param name="to">The block that it arrives at.</param>
/// <param name="stack">What is on the stack there.</param>
/// <param name="isException">Whether an exception takes it, from anywhere in the block.</param>
internal sealed class Edge(Block from, Block to, ArrivingStack stack, bool isException)
{
    /// <summary>The block that it leaves.</summary>
    public Block From { get; } = from;

    /// <summary>The block that it arrives at.</summary>
    public Block To { get; } = to;

    /// <summary>What is on the stack there.</summary>
    public ArrivingStack Stack { get; } = stack;

    /// <summary>Whether an exception takes it, from anywhere in the block.</summary>
    public bool IsException { get; } = isException;
}

/// <summary>A basic block: control enters it at its first instruction and leaves it behind its last, but for exceptions.</summary>
/// <param name="number">Its number in the order of offsets.</param>
/// <param name="first">Index of its first instruction.</param>
internal sealed class Block(int number, int first)
{
    /// <summary>Its number in the order of offsets.</summary>
    public int Number { get; } = number;

    /// <summary>Index of its first instruction.</summary>
    public int First { get; } = first;

    /// <summary>Index of the instruction behind its last one.</summary>
    public int End { get; set; }

    /// <summary>Where control goes behind its last instruction.</summary>
    public List<Edge> Next { get; } = [];

    /// <summary>Where an exception in it may lead.</summary>
    public List<Edge> Handlers { get; } = [];

    /// <summary>From where control comes, exceptions included.</summary>
    public List<Edge> Previous { get; } = [];

    /// <summary>The protected regions around it, by number.</summary>
    public List<int> Tries { get; } = [];

    /// <summary>The finally handlers around it, by their regions' numbers.</summary>
    public List<int> Finallies { get; } = [];

    /// <summary>The local variables, ascending, whose value at its start may be loaded later.</summary>
    public List<int> Live { get; } = [];

    /// <summary>Whether control can come to it.</summary>
    public bool IsReached { get; set; }
}
