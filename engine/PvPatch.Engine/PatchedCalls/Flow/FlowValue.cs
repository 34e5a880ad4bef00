namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>What is known of a value.</summary>
internal enum FlowKind
{
    /// <summary>It has nothing to do with op tables.</summary>
    Plain,

    /// <summary>The address, or the whole value, of a place in the tables.</summary>
    Table,

    /// <summary>What the slot of one op holds.</summary>
    Slot,

    /// <summary>It may come from a slot or a table, but from which one cannot be proven.</summary>
    Unproven,
}

/// <summary>A value as the analysis knows it, on the evaluation stack or in a local variable.</summary>
internal sealed class FlowValue
{
    private const string SeveralArrive = "another value may arrive at the call";

    private FlowValue(FlowKind kind, SlotNode? node, string? reason, IndexSet origins, int? constant = null)
    {
        Constant = constant;
        Kind = kind;
        Node = node;
        Reason = reason;
        Origins = origins;
    }

    /// <summary>A value of no interest.</summary>
    public static FlowValue Plain { get; } = new(FlowKind.Plain, null, null, default);

    /// <summary>What is known.</summary>
    public FlowKind Kind { get; }

    /// <summary>The place, for a table or a slot.</summary>
    public SlotNode? Node { get; }

    /// <summary>Why it is not proven.</summary>
    public string? Reason { get; }

    /// <summary>The number that it is; <see langword="null"/> where that is not known.</summary>
    public int? Constant { get; }

    /// <summary>The instructions that took it from the tables, by index.</summary>
    public IndexSet Origins { get; }

    /// <summary>A number, which may be an index into an array of slots.</summary>
    public static FlowValue Number(int constant) => new(FlowKind.Plain, null, null, default, constant);

    /// <summary>The address or value of a place.</summary>
    public static FlowValue Table(SlotNode node, IndexSet origins) => new(FlowKind.Table, node, null, origins);

    /// <summary>What a slot holds.</summary>
    public static FlowValue Slot(SlotNode node, int origin) => new(FlowKind.Slot, node, null, IndexSet.Of(origin));

    /// <summary>Something from a table, but unknown which.</summary>
    public static FlowValue Unproven(string reason, IndexSet origins) => new(FlowKind.Unproven, null, reason, origins);

    /// <summary>What is known of a value that is one of two. Never more than is known of either; this very object, if it is no less.</summary>
    public FlowValue Merge(FlowValue other)
    {
        if (ReferenceEquals(this, other))
            return this;
        if (Kind == FlowKind.Plain && other.Kind == FlowKind.Plain)
            return Constant == other.Constant ? this : Plain;
        IndexSet origins = Origins.Union(other.Origins);
        if (Kind == other.Kind && Kind != FlowKind.Unproven && ReferenceEquals(Node, other.Node))
            return origins.IsSameAs(Origins) ? this : new FlowValue(Kind, Node, null, origins);
        string reason = (Reason, other.Reason) switch
        {
            (null, null) => SeveralArrive,
            ({ } mine, null) => mine,
            (null, { } theirs) => theirs,
            ({ } mine, { } theirs) => string.CompareOrdinal(mine, theirs) <= 0 ? mine : theirs,
        };
        return Kind == FlowKind.Unproven && string.Equals(reason, Reason, StringComparison.Ordinal) && origins.IsSameAs(Origins) ? this : Unproven(reason, origins);
    }
}

/// <summary>A value in one place and where it was put there.</summary>
/// <param name="value">What is known of it.</param>
/// <param name="source">Where it was put there.</param>
internal readonly struct FlowEntry(FlowValue value, int source)
{
    /// <summary>What is known of it.</summary>
    public FlowValue Value { get; } = value;

    /// <summary>
    /// On the stack: the output that pushed it (<see cref="StackFlow.OutputOf"/>). In a local variable: the instruction that
    /// stored it, by index. In both: one of the <see cref="Joins"/>, or <see cref="Joins.Outside"/>.
    /// </summary>
    public int Source { get; } = source;
}
