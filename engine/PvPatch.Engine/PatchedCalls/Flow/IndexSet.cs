namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>A small set of numbers that never changes, ascending.</summary>
internal readonly struct IndexSet : IEquatable<IndexSet>
{
    private readonly int[]? _items;

    private IndexSet(int[] items) => _items = items;

    /// <summary>The set of one number.</summary>
    public static IndexSet Of(int item) => new([item]);

    /// <summary>The numbers.</summary>
    public ReadOnlySpan<int> Items => _items;

    /// <summary>Whether it holds nothing.</summary>
    public bool IsEmpty => _items is null or [];

    /// <summary>The numbers of both sets.</summary>
    public IndexSet Union(IndexSet other)
    {
        if (other.IsEmpty || Equals(other))
            return this;
        return IsEmpty ? other : new IndexSet([.. _items!.Union(other._items!).Order()]);
    }

    /// <inheritdoc/>
    public bool Equals(IndexSet other) => ReferenceEquals(_items, other._items) || Items.SequenceEqual(other.Items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is IndexSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => IsEmpty ? 0 : HashCode.Combine(_items!.Length, _items[0], _items[^1]);
}
