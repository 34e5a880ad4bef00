using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Finds what is translated together: from an address, along jumps and falls, then into called functions, all within one page, until a
/// number of instructions is reached. Nearer code comes first.
/// </summary>
internal sealed class RegionFinder(PageCode code, int mostInstructions)
{
    private readonly Instruction[] _found = new Instruction[mostInstructions];
    private readonly short[] _places = new short[PageCode.Size];
    private readonly bool[] _heads = new bool[PageCode.Size];
    private readonly Offsets _near = new();
    private readonly Offsets _called = new();
    private bool _branchesIndirectly;
    private int _count;

    /// <summary>The region around an address; it has no blocks if nothing there is worth it.</summary>
    public static Region Find(PageCode code, ulong rip, int mostInstructions)
    {
        Region region = new RegionFinder(code, mostInstructions).From(rip);

        // The address may lie in the middle of a block: the block is then entered where it starts.
        foreach (RegionBlock block in region.Blocks)
        {
            if (block.Start < rip && block.End == rip && block.Instructions[^1].FlowControl == FlowControl.Next)
                return new RegionFinder(code, mostInstructions).From(block.Start);
        }

        return region;
    }

    private bool IsFull => _count == _found.Length;

    private Region From(ulong rip)
    {
        Near(rip);
        FollowAll();
        if (_branchesIndirectly)
        {
            // Where its indirect branches lead is likely among what was looked up in this page.
            for (int offset = 0; offset < PageCode.Size; offset++)
            {
                if (code.IsSought(offset))
                    Head(code.FirstRip + (uint)offset, _called);
            }

            FollowAll();
        }

        if (_places[PageCode.OffsetOf(rip)] == 0 || !TranslatedForms.Has(At(PageCode.OffsetOf(rip))))
            return new Region([]);
        var blocks = new List<RegionBlock>();
        for (int offset = 0; offset < PageCode.Size; offset++)
        {
            if (_heads[offset] && _places[offset] != 0)
                blocks.Add(Block(offset));
        }

        var region = new Region(blocks);
        Connect(region);
        return region;
    }

    private void FollowAll()
    {
        while (!IsFull && (_near.TryTake(out int offset) || _called.TryTake(out offset)))
            Follow(code.FirstRip + (uint)offset);
    }

    private void Follow(ulong rip)
    {
        while (!IsFull && code.Has(rip) && _places[PageCode.OffsetOf(rip)] == 0 && code.TryDecode(rip, out Instruction instruction))
        {
            _found[_count++] = instruction;
            _places[PageCode.OffsetOf(rip)] = (short)_count;
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
                    Head(instruction.NearBranchTarget, _called);
                    return;
                case FlowControl.IndirectCall:
                    _branchesIndirectly = true;
                    Near(rip);
                    return;
                case FlowControl.IndirectBranch:
                    _branchesIndirectly = true;
                    return;
                default:
                    return;
            }
        }
    }

    private void Near(ulong rip) => Head(rip, _near);

    /// <summary>A block starts at an address, if it is in the page; it is followed later.</summary>
    private void Head(ulong rip, Offsets later)
    {
        if (!code.Has(rip) || _heads[PageCode.OffsetOf(rip)])
            return;
        _heads[PageCode.OffsetOf(rip)] = true;
        later.Add(PageCode.OffsetOf(rip));
    }

    private ref Instruction At(int offset) => ref _found[_places[offset] - 1];

    private RegionBlock Block(int start)
    {
        int count = 0;
        int offset = start;
        bool goesOn = true;
        while (goesOn)
        {
            ref Instruction instruction = ref At(offset);
            count++;
            offset += instruction.Length;
            goesOn = offset < PageCode.Size && _places[offset] != 0 && !_heads[offset] && TranslatedForms.Has(instruction) && instruction.FlowControl == FlowControl.Next;
        }

        var instructions = new Instruction[count];
        offset = start;
        for (int i = 0; i < count; i++)
        {
            instructions[i] = At(offset);
            offset += instructions[i].Length;
        }

        return new RegionBlock(instructions) { IsSought = _branchesIndirectly && code.IsSought(start) };
    }

    private static void Connect(Region region)
    {
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
            block.Inherits = block.Arrivals == 1 && !block.IsSought && before.End == block.Start && before.Followers.Contains(block);
        }

        for (int i = region.Blocks.Count - 1; i >= 0; i--)
        {
            RegionBlock block = region.Blocks[i];
            RegionBlock? heir = block.Followers.Find(follower => follower.Inherits && follower.Start == block.End);
            block.Needed = block.Instructions.Length + (heir?.Needed ?? 0);
        }

        foreach (RegionBlock block in region.Blocks)
        {
            Instruction last = block.Instructions[^1];
            if (last.FlowControl == FlowControl.Call && TranslatedForms.Has(last) && region.At(last.NearBranchTarget) is { } callee && region.At(last.NextIP) is { } site)
                ReturnTo(region, callee, site, []);
            if (last.FlowControl == FlowControl.IndirectCall && TranslatedForms.Has(last) && region.At(last.NextIP) is { } behind)
                ReturnFromSought(region, behind);
        }

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

    /// <summary>Offsets in the page that wait, first in, first out; each comes once.</summary>
    private sealed class Offsets
    {
        private readonly short[] _offsets = new short[PageCode.Size];
        private int _taken;
        private int _added;

        public void Add(int offset) => _offsets[_added++] = (short)offset;

        public bool TryTake(out int offset)
        {
            bool any = _taken < _added;
            offset = any ? _offsets[_taken++] : 0;
            return any;
        }
    }
}
