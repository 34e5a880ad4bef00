using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Engine.Reports;
using FlowControl = Iced.Intel.FlowControl;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Writes the method of a region: <c>(cpu, u) =&gt; next</c>, like the interpreter's handlers. It is entered at any of its blocks, keeps guest
/// registers in locals, and counts a block's instructions when it enters the block.
/// </summary>
internal sealed class RegionEmitter
{
    private readonly Region _region;
    private readonly RegionIl _il;
    private readonly RegionMemory _memory;
    private readonly FlagEmitter _flags;
    private readonly SideExits _exits;
    private readonly HostAddresses _addresses;
    private readonly IntegerEmitter _integers;
    private readonly VectorEmitter _vectors;
    private readonly BranchEmitter _branches;
    private readonly SensitiveEmitter _sensitive;

    private RegionEmitter(Region region, RegionCode code, ILGenerator generator, RegionMemory memory, IReadOnlyList<RegionBlock> entries, SensitiveCalls? sensitive)
    {
        _region = region;
        _il = new RegionIl(generator);
        _memory = memory;
        _flags = new FlagEmitter(_il);
        _exits = new SideExits(_il, memory) { Flags = _flags };
        _addresses = new HostAddresses(_il, _exits);
        var operands = new OperandEmitter(_il, _exits, _addresses);
        var meanings = new MeaningEmitter(_il, _flags);
        var shifts = new ShiftEmitter(_il, _flags, operands, meanings);
        var multiplication = new MultiplicationEmitter(_il, _flags, operands, _exits);
        _integers = new IntegerEmitter(_il, _flags, operands, _addresses, meanings, shifts, multiplication, new BitFieldEmitter(_il, operands, meanings));
        var vectorOperands = new VectorOperands(_il, operands, _addresses);
        _vectors = new VectorEmitter(_il, vectorOperands, new FloatEmitter(_il, vectorOperands, _flags, _exits), meanings, _flags, _exits);
        _branches = new BranchEmitter(_il, _flags, operands, _addresses, _exits, region, code, entries, memory);
        _sensitive = new SensitiveEmitter(_il, _flags, _addresses, _branches, _exits, memory, sensitive);
    }

    /// <summary>Writes the method.</summary>
    /// <param name="region">The region, with the use of its flags found.</param>
    /// <param name="code">What it was found in.</param>
    /// <param name="generator">Where to.</param>
    /// <param name="memory">What the method leads out to.</param>
    /// <param name="entries">The blocks that can be entered, in the order of <c>RegionEntry</c>.</param>
    /// <param name="sensitive">How sensitive ops are called; null where the interpreter executes their instructions.</param>
    /// <returns>Where sensitive ops are called.</returns>
    public static IReadOnlyList<PatchedSite> Write(
        Region region, RegionCode code, ILGenerator generator, RegionMemory memory, IReadOnlyList<RegionBlock> entries, SensitiveCalls? sensitive)
    {
        var emitter = new RegionEmitter(region, code, generator, memory, entries, sensitive);
        emitter.Enter(entries);
        emitter.WriteBlocks();
        emitter._branches.WriteEdges();
        emitter._addresses.WriteMisses();
        emitter._exits.Write();
        return emitter._sensitive.Sites;
    }

    private void Enter(IReadOnlyList<RegionBlock> entries)
    {
        bool computes = false;
        foreach (RegionBlock block in _region.Blocks)
        {
            block.Label = _il.Label();
            _il.Reserve = Math.Max(_il.Reserve, block.IsLoopHead ? block.Needed - block.Instructions.Length : block.IsEntry ? block.Needed : 0);
            foreach (ref readonly Instruction instruction in block.Instructions.AsSpan())
            {
                if (TranslatedForms.Has(instruction))
                    _il.Use.Add(instruction, block.LoopDepth);
                computes |= VectorForms.IsFloat(instruction);
            }
        }

        _il.Use.Choose();
        _il.Control.Begin(computes);

        // The instruction that is entered was counted already by whoever came here.
        _il.LoadState(StateOffsets.Left);
        _il.Constant(1 - _il.Reserve);
        _il.Op(OpCodes.Add);
        _il.Store(_il.Left);

        // Handlers that are called shall not go on with the next instruction.
        _il.StateAddress(StateOffsets.Left);
        _il.Constant(0);
        _il.Op(OpCodes.Stind_I8);
        _il.LoadState(StateOffsets.DataTlb);
        _il.Store(_il.Tlb);
        _il.LoadState(StateOffsets.RFlags);
        _il.Store(_il.Flags);
        _il.Fill();
        _flags.Fill();
        _branches.CheckLeft();
        _addresses.Enter();
        if (_il.UsesVectors)
            _vectors.Enter();
        _branches.Enter();
    }

    private void WriteBlocks()
    {
        for (int i = 0; i < _region.Blocks.Count; i++)
            WriteBlock(_region.Blocks[i], i + 1 < _region.Blocks.Count ? _region.Blocks[i + 1] : null);
    }

    private void WriteBlock(RegionBlock block, RegionBlock? next)
    {
        _il.Mark(block.Label);
        if (!block.Inherits)
            _flags.State = block.ReadFlags != 0 ? FlagState.Settled : FlagState.InLocal;

        _exits.At(block, 0);
        Count(block);
        ulong[] wanted = FlagUse.WantedBehind(_region, block);
        bool vectorsChecked = false;
        _il.Control.Forget();
        for (int place = 0; place < block.Instructions.Length; place++)
        {
            Instruction instruction = block.Instructions[place];
            _il.Note(instruction.IP);
            _exits.At(block, place);
            _addresses.At(block, place);
            bool inShadow = _exits.InShadow;
            if (PageCode.Straddles(instruction))
                _branches.CheckSecondPage(instruction);
            bool ends = place == block.Instructions.Length - 1 && (instruction.FlowControl != FlowControl.Next || !TranslatedForms.Has(instruction));
            if (ends)
                continue;
            if (SensitiveForms.Has(instruction))
            {
                _il.Control.Suspend();
                _sensitive.Write(block, place);
                _il.Control.Resume();

                // It may have changed whether SSE may be used.
                if (_il.UsesVectors)
                    _vectors.Enter();
                vectorsChecked = false;
            }
            else if (VectorForms.IsWritten(instruction))
            {
                if (!vectorsChecked)
                    _vectors.Check();
                vectorsChecked = true;
                _vectors.Write(block, place);
            }
            else if (TranslatedForms.IsCalled(instruction))
            {
                Call(instruction);
            }
            else if (!_branches.TryWriteStack(instruction))
            {
                _integers.Write(instruction, wanted[place]);
            }

            if (inShadow)
                _sensitive.EndShadow();
        }

        _branches.End(block, next);
        _il.Note(null);
    }

    /// <summary>Calls the interpreter's handler of an instruction, with the state that it touches in place.</summary>
    private unsafe void Call(in Instruction instruction)
    {
        bool touchesFlags = TranslatedForms.TouchesFlags(instruction);
        DecodedInstruction* alone = _memory.Alone(instruction);
        _il.Control.Suspend();
        _il.Spill(instruction);
        if (touchesFlags)
        {
            _flags.Settle();
            _il.StoreState(StateOffsets.RFlags, _il.Flags);
        }

        _il.Op(OpCodes.Ldarg_0);
        _il.Constant((long)alone);
        _il.Constant((long)alone->Handler);
        _il.CallHandler();
        _il.Store(_il.Next);
        _il.Fill(instruction);
        if (touchesFlags)
        {
            _il.LoadState(StateOffsets.RFlags);
            _il.Store(_il.Flags);
        }

        // It goes on behind itself, or stops: by a fault, in the middle of a repetition, after a write to code.
        _il.Load(_il.Next);
        _il.Constant((long)(alone + 1));
        _il.Branch(OpCodes.Bne_Un, _exits.After());
        _il.Control.Resume();
    }

    /// <summary>
    /// Takes the block's instructions from those left. At the head of a loop, if they are too few for it and what comes before the next head, the
    /// interpreter executes what there is.
    /// </summary>
    private void Count(RegionBlock block)
    {
        _il.Load(_il.Left);
        _il.Constant(block.Instructions.Length);
        _il.Op(OpCodes.Sub);
        _il.Store(_il.Left);
        if (!block.IsLoopHead)
            return;
        _il.Load(_il.Left);
        _il.Constant(0);
        _il.Branch(OpCodes.Blt, _exits.Before(ExitReason.Budget));
    }
}
