using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Finds what is translated together: from an address, along jumps and falls, then into called functions, until a number of
/// instructions is reached. Nearer code comes first.
/// </summary>
internal sealed class RegionFinder(RegionCode code, int mostInstructions)
{
    private readonly Instruction[] _found = new Instruction[mostInstructions];
    private readonly short[] _numbers = new short[RegionCode.Places];
    private readonly bool[] _heads = new bool[RegionCode.Places];
    private readonly bool[] _isOwn = new bool[RegionCode.MostPages];
    private readonly Addresses _near = new();
    private readonly Addresses _called = new();
    private bool _branchesIndirectly;
    private int _count;

    /// <summary>The region around an address, which it can be entered at; it has no blocks if nothing there is worth it.</summary>
    public static Region Find(RegionCode code, ulong rip, int mostInstructions) => new RegionFinder(code, mostInstructions).From(rip);

    private bool IsFull => _count == _found.Length;

    private Region From(ulong rip)
    {
        Near(rip);
        FollowNear();
        for (int page = 0; page < code.PageCount; page++)
            _isOwn[page] = HasCode(page);
        FollowCalled();
        if (_branchesIndirectly)
        {
            // Where indirect branches lead is likely among where some led in the pages of the function.
            for (int page = 0; page < code.PageCount; page++)
            {
                for (int offset = 0; offset < PageCode.Size && _isOwn[page]; offset++)
                {
                    if (code.Page(page).IsSought(offset))
                        _called.Add(code.Page(page).FirstRip + (uint)offset);
                }
            }

            FollowCalled();
        }

        if (NumberAt(rip) == 0 || !TranslatedForms.Has(At(rip)))
            return new Region([]);
        var region = new Region(Blocks());
        RegionGraph.Connect(region, rip);
        return NeededBlocks.Of(region, code, rip);
    }

    private void FollowNear()
    {
        while (!IsFull && _near.TryTake(out ulong rip))
            Follow(rip);
    }

    private void FollowCalled()
    {
        while (_called.TryTake(out ulong rip))
        {
            if (!IsFull || NumberAt(rip) != 0)
                Near(rip);
            FollowNear();
        }
    }

    private void Follow(ulong rip)
    {
        while (!IsFull && code.PlaceOf(rip) >= 0 && NumberAt(rip) == 0 && code.TryDecode(rip, out Instruction instruction))
        {
            _found[_count++] = instruction;
            _numbers[code.PlaceOf(rip)] = (short)_count;
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
                case FlowControl.Next when PageCode.AreTogether(instruction.IP, rip):
                    continue;
                case FlowControl.Next:
                    Near(rip);
                    return;
                case FlowControl.ConditionalBranch:
                    Near(rip);
                    Near(instruction.NearBranchTarget);
                    return;
                case FlowControl.UnconditionalBranch:
                    Near(instruction.NearBranchTarget);
                    return;
                case FlowControl.Call:
                    Near(rip);
                    _called.Add(instruction.NearBranchTarget);
                    return;
                case FlowControl.IndirectCall:
                    _branchesIndirectly |= TranslatedForms.LeadsAnywhere(instruction);
                    Near(rip);
                    return;
                case FlowControl.IndirectBranch:
                    _branchesIndirectly |= TranslatedForms.LeadsAnywhere(instruction);
                    return;
                default:
                    return;
            }
        }
    }

    /// <summary>A block starts at an address, if that is in the code; it is followed later.</summary>
    private void Near(ulong rip)
    {
        int place = code.PlaceOf(rip);
        if (place < 0 || _heads[place])
            return;
        _heads[place] = true;
        _near.Add(rip);
    }

    private bool HasCode(int page) => _numbers.AsSpan(page * PageCode.Size, PageCode.Size).ContainsAnyExcept((short)0);

    /// <summary>The number of the instruction that was found at an address, from 1 on; 0 if none was.</summary>
    private int NumberAt(ulong rip) => code.PlaceOf(rip) is var place and >= 0 ? _numbers[place] : 0;

    private ref Instruction At(ulong rip) => ref _found[NumberAt(rip) - 1];

    private List<RegionBlock> Blocks()
    {
        var blocks = new List<RegionBlock>();
        foreach (int page in code.PagesByAddress())
        {
            for (int offset = 0; offset < PageCode.Size; offset++)
            {
                int place = (page * PageCode.Size) + offset;
                if (_heads[place] && _numbers[place] != 0)
                    blocks.Add(Block(code.Page(page).FirstRip + (uint)offset));
            }
        }

        return blocks;
    }

    /// <summary>The block that starts at an address: all its instructions start in one page.</summary>
    private RegionBlock Block(ulong start)
    {
        int count = 0;
        ulong rip = start;
        bool goesOn = true;
        while (goesOn)
        {
            ref Instruction instruction = ref At(rip);
            count++;
            rip = instruction.NextIP;
            goesOn = NumberAt(rip) != 0 && !_heads[code.PlaceOf(rip)] && TranslatedForms.Has(instruction) && instruction.FlowControl == FlowControl.Next;
        }

        var instructions = new Instruction[count];
        rip = start;
        for (int i = 0; i < count; i++)
        {
            instructions[i] = At(rip);
            rip = instructions[i].NextIP;
        }

        return new RegionBlock(instructions) { IsSought = _branchesIndirectly && code.PageOf(start).IsSought(PageCode.OffsetOf(start)) };
    }

    /// <summary>Addresses that wait, first in, first out.</summary>
    private sealed class Addresses
    {
        private ulong[] _addresses = new ulong[64];
        private int _taken;
        private int _added;

        public void Add(ulong address)
        {
            if (_added == _addresses.Length)
                Array.Resize(ref _addresses, 2 * _added);
            _addresses[_added++] = address;
        }

        public bool TryTake(out ulong address)
        {
            bool any = _taken < _added;
            address = any ? _addresses[_taken++] : 0;
            return any;
        }
    }
}
