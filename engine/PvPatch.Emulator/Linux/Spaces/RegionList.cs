namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>What of a program's addresses is mapped: regions by address, none overlapping, neighbours with equal rights joined.</summary>
internal sealed class RegionList
{
    private readonly List<Region> _regions = [];

    /// <summary>All regions, by address.</summary>
    public IReadOnlyList<Region> All => _regions;

    /// <summary>The region of an address.</summary>
    public Region? Find(ulong address)
    {
        int index = FirstEndingAbove(address);
        return index < _regions.Count && _regions[index].Start <= address ? _regions[index] : null;
    }

    /// <summary>Whether every address of a range is mapped.</summary>
    public bool Covers(ulong start, ulong end)
    {
        int index = FirstEndingAbove(start);
        while (index < _regions.Count && _regions[index].Start <= start)
        {
            if (_regions[index].End >= end)
                return true;
            start = _regions[index++].End;
        }

        return false;
    }

    /// <summary>Whether no address of a range is mapped.</summary>
    public bool IsFree(ulong start, ulong end)
    {
        int index = FirstEndingAbove(start);
        return index == _regions.Count || _regions[index].Start >= end;
    }

    /// <summary>Adds a region where nothing is mapped.</summary>
    public void Add(Region region)
    {
        int index = FirstEndingAbove(region.Start);
        if (index < _regions.Count && _regions[index].Start == region.End && _regions[index].IsLike(region))
        {
            region = region with { End = _regions[index].End };
            _regions.RemoveAt(index);
        }

        if (index > 0 && _regions[index - 1].End == region.Start && _regions[index - 1].IsLike(region))
            _regions[index - 1] = region with { Start = _regions[index - 1].Start };
        else
            _regions.Insert(index, region);
    }

    /// <summary>Takes a range away and returns what was mapped of it.</summary>
    public List<Region> Remove(ulong start, ulong end)
    {
        var removed = new List<Region>();
        if (start >= end)
            return removed;
        int index = FirstEndingAbove(start);
        while (index < _regions.Count && _regions[index].Start < end)
        {
            Region found = _regions[index];
            removed.Add(found with { Start = Math.Max(found.Start, start), End = Math.Min(found.End, end) });
            _regions.RemoveAt(index);
            if (found.Start < start)
                _regions.Insert(index++, found with { End = start });
            if (found.End > end)
                _regions.Insert(index++, found with { Start = end });
        }

        return removed;
    }

    /// <summary>The highest free range of a size that lies between two addresses; 0 if there is none.</summary>
    public ulong FindHole(ulong size, ulong least, ulong limit)
    {
        ulong end = limit;
        for (int index = FirstEndingAbove(limit - 1); ; index--)
        {
            ulong below = 0;
            if (index < _regions.Count && _regions[index].Start < end)
                end = _regions[index].Start;
            if (index > 0)
                below = _regions[index - 1].End;
            ulong floor = Math.Max(below, least);
            if (end >= floor && end - floor >= size)
                return end - size;
            if (below <= least)
                return 0;
        }
    }

    private int FirstEndingAbove(ulong address)
    {
        int low = 0;
        int high = _regions.Count;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (_regions[middle].End <= address)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
