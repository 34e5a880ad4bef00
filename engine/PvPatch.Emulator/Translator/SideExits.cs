using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>Why a region is left before an instruction.</summary>
internal enum ExitReason
{
    /// <summary>The TLB does not serve the access: a miss, a fault, a device, a watched page, a write to code.</summary>
    Memory,

    /// <summary>The translator has no form for the instruction, or not for these values of its operands.</summary>
    Instruction,

    /// <summary>The instructions left are fewer than the block has.</summary>
    Budget,

    /// <summary>Where a return or an indirect branch leads is not in the jump cache, or where the second half of an instruction lies is not sure.</summary>
    Target,
}

/// <summary>
/// The places where a region is left before an instruction, with exact registers, flags and count, so that the interpreter executes
/// it. Their code stands behind all blocks.
/// </summary>
internal sealed unsafe class SideExits(RegionIl il, RegionMemory memory)
{
    private readonly List<SideExit> _exits = [];
    private readonly List<Stop> _stops = [];
    private readonly Label[] _shared = [il.Label(), il.Label(), il.Label(), il.Label()];
    private readonly Label _stopped = il.Label();
    private readonly Label _inShadow = il.Label();

    /// <summary>The flags as they are known.</summary>
    public required FlagEmitter Flags { get; init; }

    /// <summary>Whether the instruction that is written is the one behind STI: an exit before it must not let an interrupt in.</summary>
    public bool InShadow { get; set; }

    private RegionBlock _block = null!;
    private int _place;

    /// <summary>From now on exits lie before this instruction of a block.</summary>
    public void At(RegionBlock block, int place)
    {
        _block = block;
        _place = place;
    }

    /// <summary>A label that leaves before the instruction.</summary>
    public Label Before(ExitReason reason)
    {
        var exit = new SideExit(il.Label(), _block.Instructions[_place], _block.Instructions.Length - _place, Flags.State, InShadow ? _inShadow : _shared[(int)reason]);
        _exits.Add(exit);
        return exit.Label;
    }

    /// <summary>A label that leaves since the handler of the instruction, which was called, stopped.</summary>
    public Label After()
    {
        var stop = new Stop(il.Label(), _block.Instructions.Length - _place - 1, Flags.State);
        _stops.Add(stop);
        return stop.Label;
    }

    /// <summary>Writes the code of all exits.</summary>
    public void Write()
    {
        foreach (SideExit exit in _exits)
        {
            Begin(exit.Label, exit.NotExecuted, exit.Flags);

            // The bytes of an instruction in two pages are fetched anew: the second page may be another one now.
            il.Constant((long)(PageCode.Straddles(exit.Instruction) ? memory.Way(exit.Instruction.IP, PageCode.LastByte(exit.Instruction)) : memory.Alone(exit.Instruction)));
            il.Store(il.Next);
            il.Branch(OpCodes.Br, exit.Way);
        }

        foreach (Stop stop in _stops)
        {
            Begin(stop.Label, stop.NotExecuted, stop.Flags);
            il.Branch(OpCodes.Br, _stopped);
        }

        il.Mark(_stopped);
        LeaveThrough(&RegionExits.Stopped);
        il.Mark(_inShadow);
        LeaveThrough(&RegionExits.InShadow);
        for (int reason = 0; reason < _shared.Length; reason++)
        {
            il.Mark(_shared[reason]);
            LeaveThrough(RegionExits.Of((ExitReason)reason));
        }
    }

    /// <summary>Spills all and goes on at a handler that computes the flags and leads to the next instruction.</summary>
    public void LeaveThrough(delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> handler)
    {
        Flags.Spill();
        il.Spill();
        il.StoreState(StateOffsets.RFlags, il.Flags);
        il.StoreState(StateOffsets.Left, il.Left);
        il.Op(OpCodes.Ldarg_0);
        il.Load(il.Next);
        il.Constant((long)handler);
        il.JumpTo();
    }

    /// <summary>Gives back the count of what was not executed, and tells which flags wait.</summary>
    private void Begin(Label label, int notExecuted, FlagState state)
    {
        il.Mark(label);
        il.PushLeft(notExecuted);
        il.Store(il.Left);
        Flags.State = state;
        Flags.Tell();
    }

    // Classes: the runtime would have to compile lists of structs when the first region is made.
    private sealed record Stop(Label Label, int NotExecuted, FlagState Flags);

    private sealed record SideExit(Label Label, Instruction Instruction, int NotExecuted, FlagState Flags, Label Way);
}
