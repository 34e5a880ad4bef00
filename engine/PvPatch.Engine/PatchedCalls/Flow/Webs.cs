using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// Values as webs: all sources that reach a common use, and all uses that they reach. A web can be taken out as a whole
/// and only as a whole; then the stack is as high on every path as on every other.
/// </summary>
internal sealed class Webs
{
    /// <summary>No source.</summary>
    public const int None = int.MinValue;

    private int[] _parents = [];      // a root is its own parent
    private int[] _uses = [];         // of a root
    private int[] _members = [];      // of a root: the first of its sources
    private int[] _next = [];         // the next of the same web
    private int _first;               // a source's place in the arrays is its number less this one's
    private bool _isListed;           // whether members are listed; they are when asked for

    /// <summary>How many numbers of webs there are.</summary>
    public int Count { get; private set; }

    /// <summary>Finds the webs of a method's evaluation stack. Their sources are outputs, their uses inputs.</summary>
    public void FindOnStack(StackFlow flow)
    {
        Find(flow.StackJoins, StackFlow.OutputOf(flow.Code.Length, 0));
        for (int i = 0; i < flow.Code.Length; i++)
        {
            foreach (ref readonly FlowEntry entry in flow.InputsOf(i))
                _uses[WebOf(entry.Source)]++;
        }
    }

    /// <summary>Finds the webs of a method's local variables. Their sources are stores, their uses loads.</summary>
    public void FindInLocals(StackFlow flow)
    {
        Find(flow.LocalJoins, flow.Code.Length);
        for (int i = 0; i < flow.Code.Length; i++)
        {
            if (flow.LoadedFrom(i) is { } source)
                _uses[WebOf(source)]++;
        }
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
        if (!_isListed)
            ListMembers();
        return SourceFrom(_members[web]);
    }

    /// <summary>The next of the same web; <see cref="None"/> behind the last.</summary>
    public int NextOf(int source) => SourceFrom(_next[source - _first]);

    private int SourceFrom(int node)
    {
        while (node >= 0 && Joins.IsJoin(node + _first))
            node = _next[node];
        return node < 0 ? None : node + _first;
    }

    private void Find(Joins joins, int sources)
    {
        _first = Joins.SourceOf(joins.Count) + 1;
        Count = sources - _first;
        _isListed = false;
        Room.For(ref _parents, Count);
        Room.ForEmpty(ref _uses, Count);
        for (int i = 0; i < Count; i++)
            _parents[i] = i;
        for (int join = 0; join < joins.Count; join++)
        {
            int source = Joins.SourceOf(join);
            foreach (int joined in joins.SourcesOf(source))
                _parents[WebOf(joined)] = WebOf(source);
        }
    }

    private void ListMembers()
    {
        _isListed = true;
        Room.For(ref _members, Count);
        Room.For(ref _next, Count);
        for (int web = 0; web < Count; web++)
            _members[web] = None;
        for (int node = Count - 1; node >= 0; node--) // each goes before those that are there
        {
            int web = WebOf(node + _first);
            _next[node] = _members[web];
            _members[web] = node;
        }
    }
}
