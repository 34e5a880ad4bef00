using PvPatch.Engine.PatchedCalls.Flow;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// The values of a method's evaluation stack as webs: all outputs that reach a common input, and all inputs they reach. A
/// web can be taken out as a whole and only as a whole; then the stack is as high on every path as on every other.
/// </summary>
internal sealed class StackWebs
{
    private const int None = -1, Unused = -2;

    private readonly int[] _parents;                    // by node, as are the next two; a root is its own parent
    private readonly int[] _firstOutputs;
    private readonly int[] _firstInputs;
    private readonly int[] _nextOutputs;
    private readonly List<(int Index, int Input, int Next)> _inputs = [];

    /// <summary>Finds the webs of a method.</summary>
    public StackWebs(StackFlow flow)
    {
        _parents = Filled(NodeOf(StackFlow.OutputOf(flow.Code.Length, 0)), Unused);
        _firstOutputs = Filled(_parents.Length, None);
        _firstInputs = Filled(_parents.Length, None);
        _nextOutputs = Filled(_parents.Length, None);
        foreach (FlowEntry entry in flow.Joined)
            Join(entry.Sources);
        for (int i = 0; i < flow.Code.Length; i++)
        {
            foreach (FlowEntry entry in flow.InputsOf(i))
                Join(entry.Sources);
        }

        for (int i = flow.Code.Length - 1; i >= 0; i--) // each goes before those that are there
        {
            ReadOnlySpan<FlowEntry> inputs = flow.InputsOf(i);
            for (int k = inputs.Length - 1; k >= 0; k--)
            {
                int web = NodeOf(WebOf(inputs[k]));
                _inputs.Add((i, k, _firstInputs[web]));
                _firstInputs[web] = _inputs.Count - 1;
            }
        }

        for (int node = _parents.Length - 1; node >= 0; node--)
        {
            if (_parents[node] == Unused)
                continue;
            int web = RootOf(node);
            _nextOutputs[node] = _firstOutputs[web];
            _firstOutputs[web] = node;
        }
    }

    /// <summary>The web that an entry belongs to.</summary>
    public int WebOf(FlowEntry entry) => OutputOf(RootOf(NodeOf(entry.Sources.First)));

    /// <summary>The web that an output belongs to; <see langword="null"/> if nothing takes it.</summary>
    public int? WebOf(int output) => _parents[NodeOf(output)] == Unused ? null : OutputOf(RootOf(NodeOf(output)));

    /// <summary>The inputs of a web: instruction and number of its input.</summary>
    public IEnumerable<(int Index, int Input)> InputsOf(int web)
    {
        for (int at = _firstInputs[NodeOf(web)]; at != None; at = _inputs[at].Next)
            yield return (_inputs[at].Index, _inputs[at].Input);
    }

    /// <summary>The outputs of a web (<see cref="StackFlow.OutputOf"/>), or <see cref="FlowEntry.Outside"/> among them.</summary>
    public IEnumerable<int> OutputsOf(int web)
    {
        for (int node = _firstOutputs[NodeOf(web)]; node != None; node = _nextOutputs[node])
            yield return OutputOf(node);
    }

    /// <summary>The place of an output in the arrays: that of what comes from outside is the first.</summary>
    private static int NodeOf(int output) => output - FlowEntry.Outside;

    private static int OutputOf(int node) => node + FlowEntry.Outside;

    private static int[] Filled(int length, int value)
    {
        var array = new int[length];
        Array.Fill(array, value);
        return array;
    }

    private void Join(IndexSet sources)
    {
        int first = RootOf(NodeOf(sources.First));
        foreach (int other in sources.Items)
            _parents[RootOf(NodeOf(other))] = first;
    }

    private int RootOf(int node)
    {
        if (_parents[node] == Unused)
            return _parents[node] = node;
        while (_parents[node] != node)
            node = _parents[node] = _parents[_parents[node]]; // halves the way for the next one
        return node;
    }
}
