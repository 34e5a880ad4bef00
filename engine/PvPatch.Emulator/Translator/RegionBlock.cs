using Iced.Intel;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>A basic block of a region.</summary>
/// <param name="start">RIP of its first instruction.</param>
internal sealed class RegionBlock(ulong start)
{
    /// <summary>RIP of its first instruction.</summary>
    public ulong Start { get; } = start;

    /// <summary>Its instructions; the last one may be one that the interpreter executes.</summary>
    public List<Instruction> Instructions { get; } = [];

    /// <summary>RIP behind its last instruction.</summary>
    public ulong End => Instructions[^1].NextIP;

    /// <summary>Blocks of the region that may follow it, but for those that its return may go to.</summary>
    public List<RegionBlock> Followers { get; } = [];

    /// <summary>Blocks behind calls of the region that its return may go to.</summary>
    public List<RegionBlock> ReturnSites { get; } = [];

    /// <summary>Control comes here only from the block before it, falling through; it can't be entered otherwise.</summary>
    public bool Inherits { get; set; }

    /// <summary>Flags that instructions read before they are overwritten: RFLAGS must be right when the block starts.</summary>
    public ulong ReadFlags { get; set; }

    /// <summary>The most instructions from here along blocks that inherit: as many must be left when the first of them is entered.</summary>
    public int Needed { get; set; }

    /// <summary>Where its code starts.</summary>
    public Label Label { get; set; }
}

/// <summary>What is translated at once: blocks of one page that reach each other.</summary>
/// <param name="Blocks">The blocks by address.</param>
internal sealed record Region(IReadOnlyList<RegionBlock> Blocks)
{
    private readonly Dictionary<ulong, RegionBlock> _byStart = Blocks.ToDictionary(block => block.Start);

    /// <summary>The block that starts at an address, null if none does.</summary>
    public RegionBlock? At(ulong rip) => _byStart.GetValueOrDefault(rip);

    /// <summary>Guest instructions in it.</summary>
    public int Size => Blocks.Sum(block => block.Instructions.Count);
}
