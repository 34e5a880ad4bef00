using PvPatch.Engine.PatchedCalls.Flow;

namespace PvPatch.Engine.PatchedCalls;

/// <summary>
/// The values of a method's evaluation stack as webs: all outputs that reach a common input, and all inputs they reach. A
/// web can be taken out as a whole and only as a whole; then the stack is as high on every path as on every other.
/// </summary>
internal sealed class StackWebs
{
    private readonly Dictionary<int, int> _parents = [];
    private readonly Dictionary<int, List<(int Index, int Input)>> _inputs = [];
    private readonly Dictionary<int, List<int>> _outputs = [];

    /// <summary>Finds the webs of a method.</summary>
    public StackWebs(StackFlow flow)
    {
        foreach (FlowEntry entry in flow.Joined)
            Join(entry.Sources);
        foreach (FlowEntry[]? taken in flow.Inputs)
        {
            foreach (FlowEntry entry in taken ?? [])
                Join(entry.Sources);
        }

        for (int i = 0; i < flow.Inputs.Length; i++)
        {
            for (int k = 0; k < flow.Inputs[i]?.Length; k++)
                AddTo(_inputs, WebOf(flow.Inputs[i]![k]), (i, k));
        }

        foreach (int output in _parents.Keys.Order().ToArray())
            AddTo(_outputs, RootOf(output), output);
    }

    /// <summary>The web that an entry belongs to.</summary>
    public int WebOf(FlowEntry entry) => RootOf(entry.Sources.Items[0]);

    /// <summary>The web that an output belongs to; <see langword="null"/> if nothing takes it.</summary>
    public int? WebOf(int output) => _parents.ContainsKey(output) ? RootOf(output) : null;

    /// <summary>The inputs of a web: instruction and number of its input.</summary>
    public IReadOnlyList<(int Index, int Input)> InputsOf(int web) => _inputs.GetValueOrDefault(web) ?? [];

    /// <summary>The outputs of a web (<see cref="StackFlow.OutputOf"/>), or <see cref="FlowEntry.Outside"/> among them.</summary>
    public IReadOnlyList<int> OutputsOf(int web) => _outputs[web];

    private void Join(IndexSet sources)
    {
        int first = RootOf(sources.Items[0]);
        foreach (int other in sources.Items)
            _parents[RootOf(other)] = first;
    }

    private int RootOf(int output)
    {
        if (!_parents.TryGetValue(output, out int parent))
            return _parents[output] = output;
        while (parent != output)
        {
            output = parent;
            parent = _parents[output];
        }

        return output;
    }

    private static void AddTo<T>(Dictionary<int, List<T>> lists, int web, T item)
    {
        if (!lists.TryGetValue(web, out List<T>? list))
            lists[web] = list = [];
        list.Add(item);
    }
}
