using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>A small set of numbers that never changes, ascending. One of a single number takes no memory of its own.</summary>
internal readonly struct IndexSet
{
    private readonly int _first;
    private readonly int[]? _items; // where there are several

    private IndexSet(int first, int count, int[]? items)
    {
        _first = first;
        Count = count;
        _items = items;
    }

    /// <summary>The set of one number.</summary>
    public static IndexSet Of(int item) => new(item, 1, null);

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>The lowest one, of a set that is not empty.</summary>
    public int First => _first;

    /// <summary>The numbers.</summary>
    [UnscopedRef]
    public ReadOnlySpan<int> Items => _items is null ? MemoryMarshal.CreateReadOnlySpan(in _first, Count) : _items;

    /// <summary>The numbers of both sets.</summary>
    public IndexSet Union(IndexSet other)
    {
        if (other.Count == 0 || IsSameAs(other))
            return this;
        if (Count == 0)
            return other;
        ReadOnlySpan<int> mine = Items, theirs = other.Items;
        var both = new int[mine.Length + theirs.Length];
        int count = 0, i = 0, k = 0;
        while (i < mine.Length || k < theirs.Length)
        {
            int next = k == theirs.Length || (i < mine.Length && mine[i] <= theirs[k]) ? mine[i] : theirs[k];
            both[count++] = next;
            i += i < mine.Length && mine[i] == next ? 1 : 0;
            k += k < theirs.Length && theirs[k] == next ? 1 : 0;
        }

        return count == mine.Length ? this : new IndexSet(both[0], count, count == both.Length ? both : both[..count]);
    }

    /// <summary>Whether the other set has the same numbers.</summary>
    public bool IsSameAs(IndexSet other) =>
        Count == other.Count && (_items is null ? _first == other._first || Count == 0 : ReferenceEquals(_items, other._items) || Items.SequenceEqual(other.Items));
}
