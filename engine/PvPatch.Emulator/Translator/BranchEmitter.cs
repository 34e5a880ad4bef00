using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using FlowControl = Iced.Intel.FlowControl;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// The stack of 64-bit code, and what ends blocks: branches to blocks of the region, and ways out of it, which look like the end of
/// an interpreter's handler.
/// </summary>
internal sealed unsafe class BranchEmitter(RegionIl il, FlagEmitter flags, OperandEmitter operands, HostAddresses addresses, SideExits exits, Region region, RegionCode code, IReadOnlyList<RegionBlock> entries, RegionMemory memory)
{
    private const int PushedSize = sizeof(ulong);

    private readonly List<Edge> _edges = [];
    private readonly Label _leave = il.Label();
    private readonly Label _dispatch = il.Label();
    private readonly Label?[] _settling = new Label?[entries.Count];
    private readonly LocalBuilder _value = il.Local();
    private ulong _from;

    /// <summary>The value that is pushed, or was read from the stack.</summary>
    public LocalBuilder Value => _value;

    /// <summary>PUSH, POP and LEAVE; false for others.</summary>
    public bool TryWriteStack(in Instruction instruction)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Push:
                operands.Read(instruction);
                operands.Push(instruction, 0, PushedSize);
                il.Store(_value);
                PreparePush();
                Push();
                return true;
            case Mnemonic.Pop:
                Peek(Register.RSP);
                Release(PushedSize);
                il.Load(_value);
                operands.Pop(instruction);
                return true;
            case Mnemonic.Leave:
                Peek(Register.RBP);
                il.LoadGeneral(Register.RBP);
                il.Constant(PushedSize);
                il.Op(OpCodes.Add);
                il.StoreGeneral(Register.RSP);
                il.Load(_value);
                il.StoreGeneral(Register.RBP);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The end of a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="next">The block whose code comes next, null behind the last one.</param>
    public void End(RegionBlock block, RegionBlock? next)
    {
        Instruction last = block.Instructions[^1];
        _from = PageCode.LastByte(last);
        if (!TranslatedForms.Has(last))
        {
            il.Branch(OpCodes.Br, exits.Before(ExitReason.Instruction));
            return;
        }

        switch (last.FlowControl)
        {
            case FlowControl.ConditionalBranch:
                Branch(last, next);
                break;
            case FlowControl.UnconditionalBranch:
                GoTo(last.NearBranchTarget, next);
                break;
            case FlowControl.IndirectBranch:
                operands.Read(last);
                operands.Push(last, 0, PushedSize);
                il.Store(_value);
                FindNext();
                GoToNext();
                break;
            case FlowControl.Call:
                PreparePush();
                PushConstant(last.NextIP);
                GoTo(last.NearBranchTarget, next);
                break;
            case FlowControl.IndirectCall:
                operands.Read(last);
                operands.Push(last, 0, PushedSize);
                il.Store(_value);
                PreparePush();
                FindNext();
                PushConstant(last.NextIP);
                GoToNext();
                break;
            case FlowControl.Return:
                Return(last, block);
                break;
            default:
                GoTo(last.NextIP, next);
                break;
        }
    }

    /// <summary>Writes what stands apart from the blocks: edges with work to do, and the ways out.</summary>
    public void WriteEdges()
    {
        // Going to an address may need another piece.
        for (int i = 0; i < _edges.Count; i++)
        {
            Edge edge = _edges[i];
            il.Mark(edge.Label);
            flags.State = edge.Flags;
            _from = edge.From;
            if (edge.IsStale)
                LeaveFor(edge.Target);
            else
                GoTo(edge.Target, null);
        }

        for (int i = 0; i < _settling.Length; i++)
        {
            if (_settling[i] is not { } settling)
                continue;
            il.Mark(settling);
            flags.SettleAny();
            il.Branch(OpCodes.Br, entries[i].Label);
        }

        Leave();
    }

    /// <summary>
    /// Leaves for the next instruction, if its handler takes flags that wait: another region's code. All else is for a handler that computes them. If the
    /// next instruction is one of this region, control goes there as when the region is entered, but the registers stay where they are.
    /// </summary>
    private void Leave()
    {
        Label away = il.Label();
        Label slowly = il.Label();
        il.Mark(_leave);
        il.Load(il.Next);
        il.Field(StateOffsets.Handler);
        il.Constant((long)&memory.Self->Handler);
        il.Op(OpCodes.Ldind_I8);
        il.Branch(OpCodes.Bne_Un, away);
        il.Load(il.Left);
        il.Constant(0);
        il.Branch(OpCodes.Bge, _dispatch);
        il.Mark(away);
        il.PushLeft(0);
        il.Store(il.Left);
        exits.Spill();
        il.LoadState(StateOffsets.BranchesLeft);
        il.Constant(1);
        il.Op(OpCodes.Sub);
        il.Store(_value);
        il.Load(_value);
        il.Branch(OpCodes.Brfalse, slowly);
        il.Load(il.Left);
        il.Branch(OpCodes.Brfalse, slowly);
        il.Load(il.Next);
        il.Constant(StateOffsets.Marks);
        il.Op(OpCodes.Add);
        il.Op(OpCodes.Ldind_U1);
        il.Small((int)Marks.TakesWaitingFlags);
        il.Op(OpCodes.And);
        il.Branch(OpCodes.Brfalse, slowly);
        il.StoreState(StateOffsets.BranchesLeft, _value);
        il.Load(il.Left);
        il.Constant(1);
        il.Op(OpCodes.Sub);
        il.Store(il.Left);
        il.StoreState(StateOffsets.Left, il.Left);
        il.JumpToNext();
        il.Mark(slowly);
        il.StoreState(StateOffsets.Left, il.Left);
        exits.GoTo(&RegionExits.Branched);
    }

    /// <summary>
    /// Leaves the region, which was just entered at a decoded instruction, if fewer instructions are left than any path needs up to the head of a loop.
    /// </summary>
    public void CheckLeft()
    {
        Label enough = il.Label();
        il.Load(il.Left);
        il.Constant(0);
        il.Branch(OpCodes.Bge, enough);
        ExitRecord* records = memory.EntryExits(entries);
        il.Op(OpCodes.Ldarg_1);
        il.Constant(StateOffsets.RegionEntry);
        il.Op(OpCodes.Add);
        il.Op(OpCodes.Ldind_U2);
        il.Op(OpCodes.Conv_U8);
        il.Constant(sizeof(ExitRecord));
        il.Op(OpCodes.Mul);
        il.Constant((long)records);
        il.Op(OpCodes.Add);
        il.Store(il.Next);
        il.Branch(OpCodes.Br, exits.ForBudget);
        il.Mark(enough);
    }

    /// <summary>
    /// Goes to the block that is entered at the decoded instruction that the region was entered for, with the flags as the block wants them. What leads out of the
    /// region for one of its own blocks comes here too: so all that is executed is one loop to the runtime's compiler, which puts what is outside, the side
    /// exits, behind it.
    /// </summary>
    public void Enter()
    {
        il.Op(OpCodes.Ldarg_1);
        il.Store(il.Next);
        il.Mark(_dispatch);
        il.Load(il.Next);
        il.Constant(StateOffsets.RegionEntry);
        il.Op(OpCodes.Add);
        il.Op(OpCodes.Ldind_U2);
        var labels = new Label[entries.Count];
        for (int i = 0; i < labels.Length; i++)
            labels[i] = entries[i].ReadFlags == 0 ? entries[i].Label : _settling[i] ??= il.Label();
        il.Switch(labels);
        il.Branch(OpCodes.Br, entries[0].Label);
    }

    private void Branch(in Instruction last, RegionBlock? next)
    {
        flags.PrepareCondition(last.ConditionCode);
        RegionBlock? taken = region.At(last.NearBranchTarget);
        bool direct = taken != null && PageCode.AreTogether(taken.Start, _from) && (taken.ReadFlags == 0 || flags.State == FlagState.Settled);
        if (direct && taken!.WantedFlags != 0)
            flags.Tell();
        Label label = direct ? taken!.Label : Apart(last.NearBranchTarget);
        flags.BranchIf(last.ConditionCode, label);
        GoTo(last.NextIP, next);
    }

    /// <summary>A piece of code behind all blocks that leads to an address with the flags as they are here.</summary>
    /// <param name="target">The address.</param>
    /// <param name="isStale">Not in the region: where the address leads must be looked up.</param>
    private Label Apart(ulong target, bool isStale = false)
    {
        var edge = new Edge(il.Label(), target, _from, isStale, flags.State);
        _edges.Add(edge);
        return edge.Label;
    }

    /// <summary>Goes to an address, with the flags as its block expects them or all computed outside of the region.</summary>
    private void GoTo(ulong target, RegionBlock? next)
    {
        if (region.At(target) is { } block)
        {
            if (!PageCode.AreTogether(target, _from))
            {
                CompareEpochs(target);
                il.Branch(OpCodes.Bne_Un, Apart(target, isStale: true));
            }

            if (block.Inherits && block == next)
                return;
            if (block.ReadFlags != 0)
                flags.Settle();
            if (block.WantedFlags != 0)
                flags.Tell();
            if (block != next)
                il.Branch(OpCodes.Br, block.Label);
            return;
        }

        LeaveFor(target);
    }

    /// <summary>Leaves for an address that is not in the region, or that a block of it may no longer stand for.</summary>
    private void LeaveFor(ulong target)
    {
        flags.Tell();
        DecodedInstruction* way = memory.Way(target, _from);
        il.Constant((long)way);
        if (way->Target != null)
            il.Field(StateOffsets.Target);
        il.Store(il.Next);
        il.Branch(OpCodes.Br, _leave);
    }

    /// <summary>
    /// Leaves the region before an instruction that lies in two pages, if it is not sure that the second one is still there: then its bytes are
    /// fetched.
    /// </summary>
    public void CheckSecondPage(in Instruction instruction)
    {
        CompareEpochs(PageCode.LastByte(instruction));
        il.Branch(OpCodes.Bne_Un, exits.Before(ExitReason.Target));
    }

    /// <summary>Pushes the epoch in which a fetch led to the page of an address, and the present one.</summary>
    private void CompareEpochs(ulong rip)
    {
        il.Constant((long)code.PageOf(rip).FetchedIn);
        il.Op(OpCodes.Ldind_I8);
        il.LoadState(StateOffsets.FetchEpoch);
    }

    /// <summary>Goes on at the decoded instruction that was found.</summary>
    private void GoToNext()
    {
        flags.Tell();
        il.Branch(OpCodes.Br, _leave);
    }

    /// <summary>RET: compared with the places behind calls of the region, then looked up.</summary>
    private void Return(in Instruction last, RegionBlock block)
    {
        Peek(Register.RSP);
        int released = PushedSize + (last.OpCount == 1 ? last.Immediate16 : 0);
        var labels = new Label[block.ReturnSites.Count];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = il.Label();
            il.Load(_value);
            il.Constant((long)block.ReturnSites[i].Start);
            il.Branch(OpCodes.Beq, labels[i]);
        }

        FindNext();
        Release(released);
        FlagState state = flags.State;
        GoToNext();
        for (int i = 0; i < labels.Length; i++)
        {
            il.Mark(labels[i]);
            flags.State = state;
            Release(released);
            GoTo(block.ReturnSites[i].Start, null);
        }
    }

    /// <summary>Finds the decoded instruction at the address in the value by the jump cache, or leaves before the instruction.</summary>
    private void FindNext()
    {
        // entry = cache + 16 * ((rip ^ (rip >> 12)) & mask), as ControlFlow.Known has it
        il.LoadState(StateOffsets.JumpCache);
        il.Load(_value);
        il.Load(_value);
        il.Small(12);
        il.Op(OpCodes.Shr_Un);
        il.Op(OpCodes.Xor);
        il.Constant(ControlFlow.JumpCacheEntries - 1);
        il.Op(OpCodes.And);
        il.Small(4);
        il.Op(OpCodes.Shl);
        il.Op(OpCodes.Add);
        il.Store(il.Next);
        il.Load(il.Next);
        il.Op(OpCodes.Ldind_I8);
        il.Load(_value);
        il.Branch(OpCodes.Bne_Un, exits.Before(ExitReason.Target));
        il.Load(il.Next);
        il.Field(sizeof(ulong));
        il.Store(il.Next);
    }

    /// <summary>Finds room for a value on the stack.</summary>
    public void PreparePush() => addresses.LocateOnStack(Register.RSP, -PushedSize, writes: true);

    /// <summary>Pushes the value where <see cref="PreparePush"/> found room.</summary>
    public void Push()
    {
        addresses.Push();
        il.Load(_value);
        EndPush();
    }

    private void PushConstant(ulong value)
    {
        addresses.Push();
        il.Constant((long)value);
        EndPush();
    }

    /// <summary>Writes the value on the stack to the host address below it, and moves the stack pointer there.</summary>
    private void EndPush()
    {
        il.Write(PushedSize);
        addresses.PushLinear(Register.RSP, -PushedSize);
        il.StoreGeneral(Register.RSP);
    }

    /// <summary>Reads the value at a stack address.</summary>
    public void Peek(Register pointer)
    {
        addresses.LocateOnStack(pointer, 0, writes: false);
        addresses.Push();
        il.Read(PushedSize);
        il.Store(_value);
    }

    /// <summary>Takes bytes from the stack.</summary>
    public void Release(int bytes)
    {
        il.LoadGeneral(Register.RSP);
        il.Constant(bytes);
        il.Op(OpCodes.Add);
        il.StoreGeneral(Register.RSP);
    }

    private sealed record Edge(Label Label, ulong Target, ulong From, bool IsStale, FlagState Flags);
}
