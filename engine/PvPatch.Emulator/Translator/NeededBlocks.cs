namespace PvPatch.Emulator.Translator;

/// <summary>
/// What is left of a region when nothing is compiled for nothing. Code that another region has is entered there; to have it twice is only worth
/// it where control comes to it from code that is new, and goes back.
/// </summary>
internal static class NeededBlocks
{
    /// <summary>The region without the blocks that are not needed.</summary>
    /// <param name="region">The region, connected.</param>
    /// <param name="code">What it was found in.</param>
    /// <param name="entry">The address that it is made for.</param>
    public static Region Of(Region region, RegionCode code, ulong entry)
    {
        HashSet<RegionBlock> fresh = [.. region.Blocks.Where(block => block.Start == entry || !code.PageOf(block.Start).IsTranslated(PageCode.OffsetOf(block.Start)))];
        if (fresh.Count == region.Blocks.Count)
            return region;
        HashSet<RegionBlock> needed = Behind(region, fresh);
        HashSet<RegionBlock> before = Before(region, fresh);

        // Where control goes out of the new code for good, a little more code is better than another region.
        int coming = needed.Where(before.Contains).Sum(block => block.Instructions.Length);
        if (needed.Sum(block => block.Instructions.Length) > 2 * coming)
            needed.IntersectWith(before);
        if (needed.Count == region.Blocks.Count)
            return region;
        var left = new Region([.. region.Blocks.Where(needed.Contains).Select(block => new RegionBlock(block.Instructions) { IsSought = block.IsSought })]);
        RegionGraph.Connect(left, entry);
        return left;
    }

    /// <summary>Some blocks, and all that control may come to from them.</summary>
    private static HashSet<RegionBlock> Behind(Region region, HashSet<RegionBlock> blocks)
    {
        HashSet<RegionBlock> behind = [.. blocks];
        for (int count = 0; count != behind.Count;)
        {
            count = behind.Count;
            foreach (RegionBlock block in region.Blocks)
            {
                if (behind.Contains(block))
                    behind.UnionWith(WaysFrom(region, block));
            }
        }

        return behind;
    }

    /// <summary>Some blocks, and all that control may come from to them.</summary>
    private static HashSet<RegionBlock> Before(Region region, HashSet<RegionBlock> blocks)
    {
        HashSet<RegionBlock> before = [.. blocks];
        for (int count = 0; count != before.Count;)
        {
            count = before.Count;
            for (int i = region.Blocks.Count - 1; i >= 0; i--)
            {
                if (before.Overlaps(WaysFrom(region, region.Blocks[i])))
                    before.Add(region.Blocks[i]);
            }
        }

        return before;
    }

    /// <summary>The blocks of the region that control may go to from a block.</summary>
    private static IEnumerable<RegionBlock> WaysFrom(Region region, RegionBlock block)
    {
        IEnumerable<RegionBlock> ways = block.Followers.Concat(block.ReturnSites);
        return TranslatedForms.LeadsAnywhere(block.Instructions[^1]) ? ways.Concat(region.Blocks.Where(other => other.IsSought)) : ways;
    }
}
