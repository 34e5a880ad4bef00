using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Finds what is translated together: from an address, along jumps and falls, then into called functions, all within one page, until a
/// number of instructions is reached. Nearer code comes first.
/// </summary>
internal sealed class RegionFinder(PageCode code, int mostInstructions)
{
    private readonly SortedDictionary<ulong, Instruction> _found = [];
    private readonly SortedSet<ulong> _heads = [];
    private readonly Queue<ulong> _near = new();
    private readonly Queue<ulong> _called = new();

    /// <summary>The region around an address; it has no blocks if nothing there is worth it.</summary>
    public static Region Find(PageCode code, ulong rip, int mostInstructions)
    {
        Region region = new RegionFinder(code, mostInstructions).From(rip);

        // The address may lie in the middle of a block: the block is then entered where it starts.
        RegionBlock? around = region.Blocks.FirstOrDefault(block => block.Start < rip && block.End == rip && Falls(block));
        return around == null ? region : new RegionFinder(code, mostInstructions).From(around.Start);
    }

    private static bool Falls(RegionBlock block) => block.Instructions[^1].FlowControl == FlowControl.Next;

    private Region From(ulong rip)
    {
        _heads.Add(rip);
        _near.Enqueue(rip);
        while (_found.Count < mostInstructions && (_near.TryDequeue(out ulong next) || _called.TryDequeue(out next)))
            Follow(next);
        if (!_found.TryGetValue(rip, out Instruction first) || !TranslatedForms.Has(first))
            return new Region([]);
        var region = new Region([.. _heads.Where(_found.ContainsKey).Select(Block)]);
        Connect(region);
        return region;
    }

    private void Follow(ulong rip)
    {
        while (_found.Count < mostInstructions && !_found.ContainsKey(rip) && code.TryDecode(rip, out Instruction instruction))
        {
            _found.Add(rip, instruction);
            rip = instruction.NextIP;
            if (!TranslatedForms.Has(instruction))
            {
                // The interpreter executes it and comes back behind it, if it goes on there.
                if (instruction.FlowControl is FlowControl.Next or FlowControl.Call && !instruction.IsInvalid)
                    Near(rip);
                return;
            }

            switch (instruction.FlowControl)
            {
                case FlowControl.Next:
                    continue;
                case FlowControl.ConditionalBranch:
                    Near(rip);
                    Near(instruction.NearBranchTarget);
                    return;
                case FlowControl.UnconditionalBranch:
                    Near(instruction.NearBranchTarget);
                    return;
                case FlowControl.Call:
                    Near(rip);
                    _heads.Add(instruction.NearBranchTarget);
                    _called.Enqueue(instruction.NearBranchTarget);
                    return;
                case FlowControl.IndirectCall:
                    Near(rip);
                    return;
                default:
                    return;
            }
        }
    }

    private void Near(ulong rip)
    {
        _heads.Add(rip);
        _near.Enqueue(rip);
    }

    private RegionBlock Block(ulong start)
    {
        var block = new RegionBlock(start);
        ulong rip = start;
        while (_found.TryGetValue(rip, out Instruction instruction) && (rip == start || !_heads.Contains(rip)))
        {
            block.Instructions.Add(instruction);
            rip = instruction.NextIP;
            if (!TranslatedForms.Has(instruction) || instruction.FlowControl != FlowControl.Next)
                break;
        }

        return block;
    }

    private static void Connect(Region region)
    {
        var arrivals = region.Blocks.ToDictionary(block => block, _ => 0);
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

        for (int i = 1; i < region.Blocks.Count; i++)
        {
            RegionBlock before = region.Blocks[i - 1];
            RegionBlock block = region.Blocks[i];
            block.Inherits = arrivals[block] == 1 && before.End == block.Start && before.Followers.Contains(block);
        }

        for (int i = region.Blocks.Count - 1; i >= 0; i--)
        {
            RegionBlock block = region.Blocks[i];
            RegionBlock? heir = block.Followers.Find(follower => follower.Inherits && follower.Start == block.End);
            block.Needed = block.Instructions.Count + (heir?.Needed ?? 0);
        }

        foreach (RegionBlock block in region.Blocks)
        {
            Instruction last = block.Instructions[^1];
            if (last.FlowControl == FlowControl.Call && TranslatedForms.Has(last) && region.At(last.NearBranchTarget) is { } callee && region.At(last.NextIP) is { } site)
                ReturnTo(region, callee, site, []);
        }

        void Lead(RegionBlock from, ulong to, int weight)
        {
            if (region.At(to) is not { } follower)
                return;
            from.Followers.Add(follower);
            arrivals[follower] += weight;
        }

        void Arrive(ulong at, int weight)
        {
            if (region.At(at) is { } block)
                arrivals[block] += weight;
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
