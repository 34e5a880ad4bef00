namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// Values as webs: all sources that reach a common use, and all uses that they reach. A web can be taken out as a whole
/// and only as a whole; then the stack is as high on every path as on every other.
/// </summary>
internal sealed class Webs
{
    /// <summary>No source.</summary>
    public const int None = int.MinValue;

    private readonly int _first;      // a source's place in the arrays is its number less this one's
    private readonly int[] _parents;  // a root is its own parent
    private readonly int[] _uses;     // of a root
    private int[]? _members;          // of a root: the first of its sources; built when asked for
    private int[]? _next;             // the next of the same web

    private Webs(Joins joins, int sources)
    {
        _first = Joins.SourceOf(joins.Count) + 1;
        _parents = new int[sources - _first];
        _uses = new int[_parents.Length];
        for (int i = 0; i < _parents.Length; i++)
            _parents[i] = i;
        for (int join = 0; join < joins.Count; join++)
        {
            int source = Joins.SourceOf(join);
            foreach (int joined in joins.SourcesOf(source))
                _parents[WebOf(joined)] = WebOf(source);
        }
    }

    /// <summary>How many numbers of webs there are.</summary>
    public int Count => _parents.Length;

    /// <summary>The webs of the evaluation stack. Their sources are outputs, their uses inputs.</summary>
    public static Webs OfStack(StackFlow flow)
    {
        var webs = new Webs(flow.StackJoins, StackFlow.OutputOf(flow.Code.Length, 0));
        for (int i = 0; i < flow.Code.Length; i++)
        {
            foreach (FlowEntry entry in flow.InputsOf(i))
                webs._uses[webs.WebOf(entry.Source)]++;
        }

        return webs;
    }

    /// <summary>The webs of the local variables. Their sources are stores, their uses loads.</summary>
    public static Webs OfLocals(StackFlow flow)
    {
        var webs = new Webs(flow.LocalJoins, flow.Code.Length);
        for (int i = 0; i < flow.Code.Length; i++)
        {
            if (flow.LoadedFrom(i) is { } source)
                webs._uses[webs.WebOf(source)]++;
        }

        return webs;
    }

    /// <summary>The web that a source belongs to.</summary>
    public int WebOf(int source)
    {
        int node = source - _first;
        while (_parents[node] != node)
            node = _parents[node] = _parents[_parents[node]]; // halves the way for the next one
        return node;
    }

    /// <summary>How many uses a web has.</summary>
    public int UsesOf(int web) => _uses[web];

    /// <summary>The first of a web's sources that are no joins; <see cref="None"/> where there is none.</summary>
    public int FirstOf(int web)
    {
        if (_members is null)
            ListMembers();
        return SourceFrom(_members![web]);
    }

    /// <summary>The next of the same web; <see cref="None"/> behind the last.</summary>
    public int NextOf(int source) => SourceFrom(_next![source - _first]);

    private int SourceFrom(int node)
    {
        while (node >= 0 && Joins.IsJoin(node + _first))
            node = _next![node];
        return node < 0 ? None : node + _first;
    }

    private void ListMembers()
    {
        _members = new int[_parents.Length];
        _next = new int[_parents.Length];
        for (int web = 0; web < _members.Length; web++)
            _members[web] = None;
        for (int node = _parents.Length - 1; node >= 0; node--) // each goes before those that are there
        {
            int web = WebOf(node + _first);
            _next[node] = _members[web];
            _members[web] = node;
        }
    }
}
