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
/// <param name="Kind">What is known.</param>
/// <param name="Node">The place, for a table or a slot.</param>
/// <param name="Reason">Why it is not proven.</param>
/// <param name="Origins">The instructions that took it from the tables, by index.</param>
internal sealed record FlowValue(FlowKind Kind, SlotNode? Node, string? Reason, IndexSet Origins)
{
    private const string SeveralArrive = "another value may arrive at the call";

    /// <summary>A value of no interest.</summary>
    public static FlowValue Plain { get; } = new(FlowKind.Plain, null, null, default);

    /// <summary>The address or value of a place.</summary>
    public static FlowValue Table(SlotNode node, IndexSet origins) => new(FlowKind.Table, node, null, origins);

    /// <summary>What a slot holds.</summary>
    public static FlowValue Slot(SlotNode node, int origin) => new(FlowKind.Slot, node, null, IndexSet.Of(origin));

    /// <summary>Something from a table, but unknown which.</summary>
    public static FlowValue Unproven(string reason, IndexSet origins) => new(FlowKind.Unproven, null, reason, origins);

    /// <summary>What is known of a value that is one of two. Never more than is known of either.</summary>
    public FlowValue Merge(FlowValue other)
    {
        if (ReferenceEquals(this, other) || Equals(other))
            return this;
        IndexSet origins = Origins.Union(other.Origins);
        if (Kind == other.Kind && Kind != FlowKind.Unproven && ReferenceEquals(Node, other.Node))
            return this with { Origins = origins };
        string reason = (Reason, other.Reason) switch
        {
            (null, null) => SeveralArrive,
            ({ } mine, null) => mine,
            (null, { } theirs) => theirs,
            ({ } mine, { } theirs) => string.CompareOrdinal(mine, theirs) <= 0 ? mine : theirs,
        };
        return Unproven(reason, origins);
    }
}

/// <summary>A value in one place and where it was put there.</summary>
/// <param name="Value">What is known of it.</param>
/// <param name="Sources">
/// On the stack: the outputs that pushed it (<see cref="StackFlow.OutputOf"/>). In a local variable: the instructions that
/// stored it, by index, and <see cref="Outside"/>.
/// </param>
internal readonly record struct FlowEntry(FlowValue Value, IndexSet Sources)
{
    /// <summary>The source of what no instruction put there: a variable's first value, a caught exception.</summary>
    public const int Outside = -1;

    /// <summary>A value that no instruction put there.</summary>
    public static FlowEntry FromOutside { get; } = new(FlowValue.Plain, IndexSet.Of(Outside));

    /// <summary>One of two.</summary>
    public FlowEntry Merge(FlowEntry other) => new(Value.Merge(other.Value), Sources.Union(other.Sources));
}
