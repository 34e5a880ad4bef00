using PvPatch.Engine.Il;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.PatchedCalls.Flow;

/// <summary>
/// Finds the local variables that are live where blocks start: from each load that no store of its block comes before, back
/// to the stores. Others need not be carried along paths, so that what that costs does not grow with their number.
/// </summary>
internal sealed class LiveLocals
{
    private readonly DecodedIl _code;
    private readonly IReadOnlyList<Block> _blocks;
    private readonly List<Block>?[] _loading; // by variable: the blocks that load it before they store it
    private readonly List<Block>?[] _storing;
    private readonly int[] _storedIn;         // by block: the variable looked at, counted from 1, if the block stores it
    private readonly int[] _foundIn;          // by block: the same, if the variable is live there
    private readonly bool[] _isAddressed;

    private LiveLocals(DecodedIl code, IReadOnlyList<Block> blocks, bool[] isAddressed, int locals)
    {
        _isAddressed = isAddressed;
        _code = code;
        _blocks = blocks;
        _loading = new List<Block>?[locals];
        _storing = new List<Block>?[locals];
        _storedIn = new int[blocks.Count];
        _foundIn = new int[blocks.Count];
    }

    /// <summary>Fills <see cref="Block.Live"/>.</summary>
    /// <param name="body">The method.</param>
    /// <param name="code">Its instructions.</param>
    /// <param name="blocks">Its blocks.</param>
    /// <param name="isAddressed">By variable, whether its address is taken: what such a one holds is not known anywhere.</param>
    /// <param name="most">How many variables may be live, over all blocks.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadIl"/>: more are.</exception>
    public static void Find(MethodBody body, DecodedIl code, IReadOnlyList<Block> blocks, bool[] isAddressed, long most)
    {
        var live = new LiveLocals(code, blocks, isAddressed, body.LocalCount);
        if (!live.FindLoads())
            return;
        live.FindStores();
        for (int local = 0; local < body.LocalCount; local++)
        {
            most -= live.Spread(local);
            if (most < 0)
                throw body.CannotBeFollowed(0, "it has too many paths and variables");
        }
    }

    private bool FindLoads()
    {
        bool any = false;
        var lastStore = new int[_loading.Length]; // by variable: the block behind it, counted from 1
        foreach (Block block in _blocks)
        {
            for (int i = block.First; block.IsReached && i < block.End; i++)
            {
                if (_code[i].StoredLocal is >= 0 and var stored && stored < lastStore.Length)
                    lastStore[stored] = block.Number + 1;
                int loaded = _code[i].LoadedLocal;
                if (loaded < 0 || loaded >= lastStore.Length || lastStore[loaded] == block.Number + 1 || _isAddressed[loaded])
                    continue;
                List<Block> loading = _loading[loaded] ??= [];
                if (loading.Count == 0 || !ReferenceEquals(loading[^1], block))
                    loading.Add(block);
                any = true;
            }
        }

        return any;
    }

    private void FindStores()
    {
        foreach (Block block in _blocks)
        {
            for (int i = block.First; i < block.End; i++)
            {
                if (_code[i].StoredLocal is >= 0 and var stored && stored < _loading.Length && _loading[stored] is not null)
                    (_storing[stored] ??= []).Add(block);
            }
        }
    }

    /// <summary>Goes back from the loads of a variable.</summary>
    /// <returns>At how many blocks it is live.</returns>
    private int Spread(int local)
    {
        if (_loading[local] is not { } waiting)
            return 0;
        int mark = local + 1;
        foreach (Block block in _storing[local] ?? [])
            _storedIn[block.Number] = mark;
        foreach (Block block in waiting)
            _foundIn[block.Number] = mark;
        int count = 0;
        for (; waiting.Count > 0; count++)
        {
            Block block = waiting[^1];
            waiting.RemoveAt(waiting.Count - 1);
            block.Live.Add(local);
            foreach (Edge edge in block.Previous)
            {
                int from = edge.From.Number;
                bool ends = _foundIn[from] == mark || (_storedIn[from] == mark && !edge.IsException); // an exception may come before the store
                if (ends)
                    continue;
                _foundIn[from] = mark;
                waiting.Add(edge.From);
            }
        }

        return count;
    }
}
