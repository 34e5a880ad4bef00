using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>How control goes from block to block of a region.</summary>
internal static class RegionGraph
{
    /// <summary>Finds for each block of a region what may follow it, and how it is come to.</summary>
    /// <param name="region">The region.</param>
    /// <param name="entry">An address where control was seen to come from elsewhere.</param>
    public static void Connect(Region region, ulong entry)
    {
        Arrive(entry, 2);
        foreach (RegionBlock block in region.Blocks)
        {
            Instruction last = block.Instructions[^1];
            if (!TranslatedForms.Has(last))
            {
                Arrive(block.End, 2);
                continue;
            }

            switch (last.FlowControl)
            {
                case FlowControl.ConditionalBranch:
                    Lead(block, last.NextIP, 1);
                    Lead(block, last.NearBranchTarget, 2);
                    break;
                case FlowControl.UnconditionalBranch:
                    Lead(block, last.NearBranchTarget, 2);
                    break;
                case FlowControl.Call:
                    Lead(block, last.NearBranchTarget, 2);
                    Arrive(last.NextIP, 2);
                    break;
                case FlowControl.Next:
                    Lead(block, last.NextIP, 1);
                    break;
                default:
                    Arrive(last.NextIP, 2);
                    break;
            }
        }

        FindLoops(region);
        for (int i = 1; i < region.Blocks.Count; i++)
        {
            RegionBlock before = region.Blocks[i - 1];
            RegionBlock block = region.Blocks[i];
            block.Inherits = block.Arrivals == 1 && !block.IsSought && before.End == block.Start && before.Followers.Contains(block) && (before.Inherits || before.IsEntry);
        }

        foreach (RegionBlock block in region.Blocks)
        {
            Instruction last = block.Instructions[^1];
            if (last.FlowControl == FlowControl.Call && TranslatedForms.Has(last) && region.At(last.NearBranchTarget) is { } callee && region.At(last.NextIP) is { } site)
                ReturnTo(region, callee, site, []);
            if (TranslatedForms.LeadsAnywhere(last) && last.FlowControl == FlowControl.IndirectCall && TranslatedForms.Has(last) && region.At(last.NextIP) is { } behind)
                ReturnFromSought(region, behind);
        }

        CountPaths(region);

        void Lead(RegionBlock from, ulong to, int weight)
        {
            if (region.At(to) is not { } follower)
                return;
            from.Followers.Add(follower);
            follower.Arrivals += weight;
        }

        void Arrive(ulong at, int weight)
        {
            if (region.At(at) is { } block)
                block.Arrivals += weight;
        }
    }

    /// <summary>A loop is what lies from a block to the last one that branches back to it.</summary>
    private static void FindLoops(Region region)
    {
        foreach (RegionBlock head in region.Blocks)
        {
            ulong end = 0;
            foreach (RegionBlock block in region.Blocks)
            {
                if (block.Start >= head.Start && block.Instructions[^1].FlowControl is not FlowControl.Call && block.Followers.Contains(head))
                    end = block.End;
            }

            foreach (RegionBlock block in region.Blocks)
            {
                if (block.Start >= head.Start && block.Start < end)
                    block.LoopDepth++;
            }
        }
    }

    /// <summary>Finds the blocks that loops come back to, returns included, and how many instructions the longest path to one of those has.</summary>
    private static void CountPaths(Region region)
    {
        var done = new HashSet<RegionBlock>();
        var above = new HashSet<RegionBlock>();
        foreach (RegionBlock block in region.Blocks)
            Count(block);

        void Count(RegionBlock block)
        {
            if (!done.Add(block))
                return;
            above.Add(block);
            int behind = 0;
            foreach (RegionBlock follower in block.Followers.Concat(block.ReturnSites))
            {
                Count(follower);
                follower.IsLoopHead |= above.Contains(follower);
                if (!follower.IsLoopHead)
                    behind = Math.Max(behind, follower.Needed);
            }

            above.Remove(block);
            block.Needed = block.Instructions.Length + behind;
        }
    }

    /// <summary>Every function that an indirect call may reach may return behind the call.</summary>
    private static void ReturnFromSought(Region region, RegionBlock site)
    {
        foreach (RegionBlock block in region.Blocks)
        {
            if (block.IsSought)
                ReturnTo(region, block, site, []);
        }
    }

    /// <summary>Every return that a called function may reach without returning before may go behind the call.</summary>
    private static void ReturnTo(Region region, RegionBlock block, RegionBlock site, HashSet<RegionBlock> seen)
    {
        if (!seen.Add(block))
            return;
        Instruction last = block.Instructions[^1];
        if (last.FlowControl == FlowControl.Return && TranslatedForms.Has(last) && !block.ReturnSites.Contains(site) && block.ReturnSites.Count < TranslatedForms.MostReturnSites)
            block.ReturnSites.Add(site);
        if (last.FlowControl is FlowControl.Call or FlowControl.IndirectCall || !TranslatedForms.Has(last))
        {
            if (region.At(block.End) is { } behind)
                ReturnTo(region, behind, site, seen);
            return;
        }

        foreach (RegionBlock follower in block.Followers)
            ReturnTo(region, follower, site, seen);
    }
}
