using Iced.Intel;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>A basic block of a region; all its instructions start in one page.</summary>
/// <param name="instructions">Its instructions, at least one; the last one may be one that the interpreter executes.</param>
internal sealed class RegionBlock(Instruction[] instructions)
{
    /// <summary>RIP of its first instruction.</summary>
    public ulong Start => instructions[0].IP;

    /// <summary>Its instructions; the last one may be one that the interpreter executes.</summary>
    public Instruction[] Instructions => instructions;

    /// <summary>RIP behind its last instruction.</summary>
    public ulong End => instructions[^1].NextIP;

    /// <summary>Blocks of the region that may follow it, but for those that its return may go to.</summary>
    public List<RegionBlock> Followers { get; } = [];

    /// <summary>Blocks behind calls of the region that its return may go to.</summary>
    public List<RegionBlock> ReturnSites { get; } = [];

    /// <summary>How often control may come here: 1 for falling through, 2 for each other way.</summary>
    public int Arrivals { get; set; }

    /// <summary>Control comes here only from the block before it, falling through; it can't be entered otherwise.</summary>
    public bool Inherits { get; set; }

    /// <summary>The region can be entered here: a decoded instruction stands for its start, which one that lies in two pages has not.</summary>
    public bool IsEntry => !Inherits && !PageCode.Straddles(instructions[0]);

    /// <summary>Flags that instructions read before they are overwritten: RFLAGS must be right when the block starts.</summary>
    public ulong ReadFlags { get; set; }

    /// <summary>Flags that are wanted when the block starts: they are read, or the region may be left before they are overwritten.</summary>
    public ulong WantedFlags { get; set; }

    /// <summary>A loop comes back here, so the instructions left are looked at.</summary>
    public bool IsLoopHead { get; set; }

    /// <summary>The most instructions from here to the end of the region or to the next loop head: as many must be left when the block is entered.</summary>
    public int Needed { get; set; }

    /// <summary>An indirect branch of the region may lead here.</summary>
    public bool IsSought { get; set; }

    /// <summary>In how many loops it is, as far as backward branches of the region show.</summary>
    public int LoopDepth { get; set; }

    /// <summary>For each instruction, the group that its memory operand is in, if it is in one.</summary>
    public GroupedAccess?[] Own { get; } = new GroupedAccess?[instructions.Length];

    /// <summary>For each instruction, the group that what it pushes or pops is in, if that is in one.</summary>
    public GroupedAccess?[] Implied { get; } = new GroupedAccess?[instructions.Length];

    /// <summary>Whether an instruction may leave the region before it did anything. One whose accesses an earlier one asked for does not, for their sake.</summary>
    public bool MayExit(int place)
    {
        ref readonly Instruction instruction = ref instructions[place];
        bool isAskedFor = (Own[place] ?? Implied[place]) is { IsFirst: false } && TranslatedForms.ExitsForOneAccessAlone(instruction);
        return !isAskedFor && TranslatedForms.MayExit(instruction);
    }

    /// <summary>An access that is alone in its group is in none.</summary>
    public void DropSingleAccesses()
    {
        foreach (GroupedAccess?[] accesses in (GroupedAccess?[][])[Own, Implied])
        {
            foreach (ref GroupedAccess? access in accesses.AsSpan())
            {
                if (access is { Group.Count: 1 })
                    access = null;
            }
        }
    }

    /// <summary>Where its code starts.</summary>
    public Label Label { get; set; }
}

/// <summary>What is translated at once: blocks that reach each other.</summary>
/// <param name="blocks">The blocks by address.</param>
internal sealed class Region(IReadOnlyList<RegionBlock> blocks)
{
    /// <summary>The blocks by address.</summary>
    public IReadOnlyList<RegionBlock> Blocks => blocks;

    /// <summary>The block that starts at an address, null if none does.</summary>
    public RegionBlock? At(ulong rip)
    {
        int first = 0;
        int behind = blocks.Count;
        while (first < behind)
        {
            int middle = (first + behind) / 2;
            if (blocks[middle].Start < rip)
                first = middle + 1;
            else
                behind = middle;
        }

        return first < blocks.Count && blocks[first].Start == rip ? blocks[first] : null;
    }
}
