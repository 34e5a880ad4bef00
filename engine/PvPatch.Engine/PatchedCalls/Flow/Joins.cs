namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// Where paths bring different sources to one entry of the evaluation stack, or to one local variable: the φ functions of
/// static single assignment form. Each is itself a source, of a negative number, so that no set grows along a path.
/// </summary>
internal sealed class Joins
{
    /// <summary>The source of what no instruction put there: a caught exception.</summary>
    public const int Outside = -1;

    private readonly List<Join> _joins = [];

    /// <summary>How many there are; their numbers go from <see cref="Outside"/> downwards.</summary>
    public int Count => _joins.Count;

    /// <summary>Begins with another method.</summary>
    public void Clear() => _joins.Clear();

    /// <summary>Whether a source is a join, and no instruction.</summary>
    public static bool IsJoin(int source) => source < Outside;

    /// <summary>The number of the first join, the second, and so on.</summary>
    public static int SourceOf(int join) => Outside - 1 - join;

    /// <summary>A source for what a variable holds before anything is stored in it.</summary>
    public int AddFirst(Block block, int place) => Add(new Join(block, place, []));

    /// <summary>The source of an entry at the start of a block, when another path arrives.</summary>
    /// <param name="block">The block.</param>
    /// <param name="place">Number of the entry there.</param>
    /// <param name="known">Its source so far.</param>
    /// <param name="arriving">Its source on the path.</param>
    public int Merge(Block block, int place, int known, int arriving)
    {
        if (known == arriving)
            return known;
        if (!IsJoin(known) || !ReferenceEquals(Of(known).Block, block) || Of(known).Place != place)
            return Add(new Join(block, place, [known, arriving]));
        if (!Of(known).Sources.Contains(arriving))
            Of(known).Sources.Add(arriving);
        return known;
    }

    /// <summary>What a join brings together: outputs or stores, and other joins.</summary>
    public IReadOnlyList<int> SourcesOf(int source) => Of(source).Sources;

    /// <summary>The sources behind one that are no joins.</summary>
    public List<int> Behind(int source)
    {
        if (!IsJoin(source))
            return [source];
        var found = new List<int>();
        var seen = new HashSet<int>();
        List<int> waiting = [source];
        while (waiting.Count > 0)
        {
            int next = waiting[^1];
            waiting.RemoveAt(waiting.Count - 1);
            if (!seen.Add(next))
                continue;
            if (IsJoin(next))
                waiting.AddRange(Of(next).Sources);
            else
                found.Add(next);
        }

        return found;
    }

    private int Add(Join join)
    {
        _joins.Add(join);
        return SourceOf(_joins.Count - 1);
    }

    private Join Of(int source) => _joins[SourceOf(source)]; // the numbering is its own inverse

    private sealed record Join(Block Block, int Place, List<int> Sources);
}
