using Iced.Intel;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>A basic block of a region.</summary>
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

    /// <summary>Flags that instructions read before they are overwritten: RFLAGS must be right when the block starts.</summary>
    public ulong ReadFlags { get; set; }

    /// <summary>The most instructions from here along blocks that inherit: as many must be left when the first of them is entered.</summary>
    public int Needed { get; set; }

    /// <summary>An indirect branch of the region may lead here.</summary>
    public bool IsSought { get; set; }

    /// <summary>Where its code starts.</summary>
    public Label Label { get; set; }
}

/// <summary>What is translated at once: blocks of one page that reach each other.</summary>
internal sealed class Region
{
    private readonly RegionBlock?[] _byOffset = new RegionBlock?[PageCode.Size];

    /// <summary>Makes a region.</summary>
    /// <param name="blocks">The blocks by address.</param>
    public Region(IReadOnlyList<RegionBlock> blocks)
    {
        Blocks = blocks;
        foreach (RegionBlock block in blocks)
            _byOffset[PageCode.OffsetOf(block.Start)] = block;
    }

    /// <summary>The blocks by address.</summary>
    public IReadOnlyList<RegionBlock> Blocks { get; }

    /// <summary>The block that starts at an address, null if none does.</summary>
    public RegionBlock? At(ulong rip) => _byOffset[PageCode.OffsetOf(rip)] is { } block && block.Start == rip ? block : null;
}
