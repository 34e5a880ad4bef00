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
/// it. Their code stands behind all blocks, and only names an <see cref="ExitRecord"/>.
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

    /// <summary>Leaves by the record in <see cref="RegionIl.Next"/>, as there are too few instructions left.</summary>
    public Label ForBudget => _shared[(int)ExitReason.Budget];

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
        Label way = InShadow ? _inShadow : _shared[(int)reason];
        if (_exits.Count > 0 && _exits[^1] is var last && last.Block == _block && last.Place == _place && last.Way == way && last.Flags == Flags.State)
            return last.Label;
        var exit = new SideExit(il.Label(), _block, _place, Flags.State, way);
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
            Instruction instruction = exit.Block.Instructions[exit.Place];

            // The bytes of an instruction in two pages are fetched anew: the second page may be another one now.
            DecodedInstruction* next = PageCode.Straddles(instruction)
                ? memory.Way(instruction.IP, PageCode.LastByte(instruction))
                : memory.Alone(instruction);
            il.Mark(exit.Label);
            il.Constant((long)memory.Exit(next, exit.Block.Instructions.Length - exit.Place, exit.Flags));
            il.Store(il.Next);
            il.Branch(OpCodes.Br, exit.Way);
        }

        foreach (Stop stop in _stops)
        {
            il.Mark(stop.Label);
            il.PushLeft(stop.NotExecuted);
            il.Store(il.Left);
            Flags.State = stop.Flags;
            Flags.Tell();
            il.Branch(OpCodes.Br, _stopped);
        }

        il.Mark(_stopped);
        Spill();
        il.StoreState(StateOffsets.Left, il.Left);
        GoTo(&RegionExits.Stopped);
        il.Mark(_inShadow);
        LeaveBefore(&RegionExits.InShadow);
        for (int reason = 0; reason < _shared.Length; reason++)
        {
            il.Mark(_shared[reason]);
            LeaveBefore(RegionExits.Of((ExitReason)reason));
        }
    }

    /// <summary>Puts registers, flags and MXCSR where the interpreter has them.</summary>
    public void Spill()
    {
        Flags.Spill();
        il.Spill();
        il.StoreState(StateOffsets.RFlags, il.Flags);
        il.Control.Leave();
    }

    /// <summary>Goes on at a handler.</summary>
    public void GoTo(delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> handler)
    {
        il.Op(OpCodes.Ldarg_0);
        il.Load(il.Next);
        il.Constant((long)handler);
        il.JumpTo();
    }

    private void LeaveBefore(delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> handler)
    {
        Spill();
        il.StateAddress(StateOffsets.Left);
        il.PushLeft(0);
        il.Op(OpCodes.Stind_I8);
        GoTo(handler);
    }

    // Classes: the runtime would have to compile lists of structs when the first region is made.
    private sealed record Stop(Label Label, int NotExecuted, FlagState Flags);

    private sealed record SideExit(Label Label, RegionBlock Block, int Place, FlagState Flags, Label Way);
}
