using System.Numerics;
using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Memory;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Finds where memory operands lie on the host, through the TLB, before anything is changed: what the TLB does not have leaves the region, and the
/// interpreter executes the instruction.
/// </summary>
internal sealed class HostAddresses(RegionIl il, SideExits exits)
{
    /// <summary>What the start of a page is not.</summary>
    private const long NoPage = PageCode.Size / 2;

    private static readonly MethodInfo RotateRight = typeof(BitOperations).GetMethod(nameof(BitOperations.RotateRight), [typeof(ulong), typeof(int)])!;

    private readonly LocalBuilder _entry = il.Local();
    private readonly LocalBuilder _stackPage = il.Local();
    private readonly LocalBuilder _stackHost = il.Local();
    private readonly LocalBuilder _chainOffset = il.Local();
    private readonly List<StackMiss> _stackMisses = [];
    private readonly List<ChainMiss> _chainMisses = [];
    private readonly List<CrossingMiss> _crossingMisses = [];
    private GroupedAccess? _own;
    private GroupedAccess? _implied;
    private HostWay _way;

    /// <summary>From now on operands are those of this instruction of a block.</summary>
    public void At(RegionBlock block, int place)
    {
        _own = block.Own[place];
        _implied = block.Implied[place];
    }

    /// <summary>Has the address that was found computed once, for it is used twice.</summary>
    public void Keep()
    {
        Push();
        il.Store(il.Host);
        _way = new HostWay(il.Host, null);
    }

    /// <summary>Pushes the host address that was found.</summary>
    public void Push()
    {
        il.Load(_way.Base);
        if (_way.Base == il.Linear)
        {
            if (_way.Offset is { } offset)
                il.Load(offset);
            else
                PushOfEntry(StateOffsets.HostOffsets);
            il.Op(OpCodes.Add);
        }
        else if (_way.Behind != 0)
        {
            il.Constant(_way.Behind);
            il.Op(OpCodes.Add);
        }
    }

    /// <summary>Pushes the effective address of the memory operand with its segment's base.</summary>
    public void Effective(in Instruction instruction, bool inSegment = true)
    {
        bool cut = instruction.MemoryBase.GetSize() == 4 || instruction.MemoryIndex.GetSize() == 4;
        bool any = false;
        if (instruction.MemoryBase is not (Register.None or Register.RIP or Register.EIP))
        {
            il.LoadGeneral(instruction.MemoryBase);
            any = true;
        }

        if (instruction.MemoryIndex != Register.None)
        {
            il.LoadGeneral(instruction.MemoryIndex);
            if (instruction.MemoryIndexScale > 1)
            {
                il.Small(BitOperations.Log2((uint)instruction.MemoryIndexScale));
                il.Op(OpCodes.Shl);
            }

            if (any)
                il.Op(OpCodes.Add);
            any = true;
        }

        long displacement = (long)instruction.MemoryDisplacement64;
        if (!any)
        {
            il.Constant(displacement);
        }
        else if (displacement != 0)
        {
            il.Constant(displacement);
            il.Op(OpCodes.Add);
        }

        if (cut || (!any && instruction.MemoryDisplSize == 4 && instruction.MemoryBase == Register.None))
            Cut();
        if (inSegment && instruction.MemorySegment is Register.FS or Register.GS)
        {
            il.LoadState(instruction.MemorySegment == Register.FS ? StateOffsets.FsBase : StateOffsets.GsBase);
            il.Op(OpCodes.Add);
        }
    }

    /// <summary>When the region is entered, the stack's page is not known, and no host offset is likely.</summary>
    public void Enter()
    {
        il.Constant(NoPage);
        il.Store(_stackPage);
        il.Constant(0);
        il.Store(_chainOffset);
    }

    /// <summary>Finds the host address of what an instruction pushes, at an offset from a register that points into the stack, or leaves the region.</summary>
    public void LocateOnStack(Register pointer, int offset, bool writes)
    {
        if (_implied is { } access)
        {
            if (!Begins(access, writes))
                return;
            PushOffset(pointer, offset);
            LocateGroup(access);
            return;
        }

        PushOffset(pointer, offset);
        il.Store(il.Linear);
        FindOnStack(sizeof(ulong));
    }

    /// <summary>Pushes the linear address that <see cref="LocateOnStack"/> was asked for.</summary>
    public void PushLinear(Register pointer, int offset)
    {
        if (_way.Base == il.Linear)
            il.Load(il.Linear);
        else
            PushOffset(pointer, offset);
    }

    /// <summary>
    /// Writes what finds the stack's page in the TLB, which must be writable, what asks whether bytes of two pages lie side by side, and what takes another
    /// host offset for the likely one.
    /// </summary>
    public void WriteMisses()
    {
        foreach (ChainMiss miss in _chainMisses)
        {
            il.Mark(miss.Label);
            PushOfEntry(StateOffsets.HostOffsets);
            il.Store(_chainOffset);
            il.Branch(OpCodes.Br, miss.Back);
        }

        foreach (CrossingMiss miss in _crossingMisses)
        {
            il.Mark(miss.Label);
            LeaveUnlessTag(Tags(miss.Writes), miss.Exit);
            LeaveUnlessTag(StateOffsets.JoinTags, miss.Exit);
            il.Branch(OpCodes.Br, miss.Back);
        }

        foreach (StackMiss miss in _stackMisses)
        {
            Label inPage = il.Label();
            il.Mark(miss.Label);
            FindEntry();
            LeaveUnlessTag(StateOffsets.WriteTags, miss.Exit);
            PushTag();
            il.Constant(-1);
            il.Branch(OpCodes.Beq, miss.Exit);
            PushLastByte(miss.Size);
            PushTag();
            il.Branch(OpCodes.Ble_Un, inPage);
            LeaveUnlessTag(StateOffsets.JoinTags, miss.Exit);
            il.Mark(inPage);
            PushTag();
            il.Constant((long)Tlb.LastByte);
            il.Op(OpCodes.Xor);
            il.Store(_stackPage);
            PushOfEntry(StateOffsets.HostOffsets);
            il.Store(_stackHost);
            il.Branch(OpCodes.Br, miss.Back);
        }
    }

    /// <summary>Whether a load gives the address of itself or of another next time: a step along a list or a tree.</summary>
    public static bool IsOfChain(in Instruction instruction) =>
        instruction is { Mnemonic: Mnemonic.Mov or Mnemonic.Movzx or Mnemonic.Movsx or Mnemonic.Movsxd, Op0Kind: OpKind.Register, MemorySegment: not (Register.FS or Register.GS) }
        && instruction.Op0Register.GetFullRegister() is var target
        && (target == instruction.MemoryBase.GetFullRegister() || target == instruction.MemoryIndex.GetFullRegister());

    /// <summary>Whether an operand is likely near the top of the stack.</summary>
    public static bool IsOnStack(in Instruction instruction) => instruction.MemoryBase == Register.RSP && instruction.MemoryIndex == Register.None;

    /// <summary>Finds the host address of the memory operand, or leaves the region; flags and registers are as they were.</summary>
    public void Locate(in Instruction instruction, int size, bool writes)
    {
        if (_own is { } access)
        {
            if (Begins(access, writes))
            {
                Effective(instruction);
                LocateGroup(access);
            }

            return;
        }

        Effective(instruction);
        il.Store(il.Linear);
        if (IsOnStack(instruction))
            FindOnStack(size);
        else
            FindByTlb(size, writes, IsOfChain(instruction));
    }

    /// <summary>Notes where an access of a group is, from what is known of the group; true if it is the first one, and that must be found.</summary>
    private bool Begins(GroupedAccess access, bool writes)
    {
        AccessGroup group = access.Group;
        if ((writes && !group.Writes) || (group.Host == null) != access.IsFirst)
            throw new InvalidOperationException("Code is written for other accesses than were grouped.");
        group.Host ??= il.Local();
        _way = new HostWay(group.Host, null, access.Offset - group.Low);
        return access.IsFirst;
    }

    /// <summary>Finds all accesses of a group, of which the first one's linear address is on the stack.</summary>
    private void LocateGroup(GroupedAccess first)
    {
        HostWay way = _way;
        AccessGroup group = first.Group;
        il.Constant(group.Low - first.Offset);
        il.Op(OpCodes.Add);
        il.Store(il.Linear);
        if (group.IsOnStack)
            FindOnStack(group.Size);
        else
            FindByTlb(group.Size, group.Writes, group.IsOfChain);
        Push();
        il.Store(way.Base);
        _way = way;
    }

    /// <summary>Whether an access before this one, of the same group, found its address to be a multiple of 16; from now on it is.</summary>
    /// <param name="size">The bytes that it is to be a multiple of: nothing is known of more.</param>
    public bool IsKnownAligned(int size)
    {
        if (size != 16 || _own is not { } access)
            return false;
        int bit = 1 << (int)(access.Offset & 15);
        bool known = (access.Group.Aligned & bit) != 0;
        access.Group.Aligned |= bit;
        return known;
    }

    private void PushOffset(Register pointer, int offset)
    {
        il.LoadGeneral(pointer);
        il.Constant(offset);
        il.Op(OpCodes.Add);
    }

    /// <summary>
    /// Finds the host address of a number of bytes at the linear address by the TLB. Loads of a chain wait for each other, so the host's processor must not wait
    /// for the TLB's offset too: it goes on with the last one, and the comparison is a branch that it predicts. Of many bytes, which more often lie in two pages,
    /// it is looked whether those are side by side.
    /// </summary>
    /// <param name="size">The bytes.</param>
    /// <param name="writes">Whether they are written.</param>
    /// <param name="isOfChain">Whether a load of a chain is among the accesses.</param>
    private void FindByTlb(int size, bool writes, bool isOfChain)
    {
        Label exit = exits.Before(ExitReason.Memory);
        CrossingMiss? crossing = size > sizeof(ulong) ? new CrossingMiss(il.Label(), il.Label(), writes, exit) : null;
        FindEntry();
        PushOfEntry(Tags(writes));
        PushTagOfLastByte(size);
        il.Branch(OpCodes.Bne_Un, crossing?.Label ?? exit);
        if (crossing != null)
        {
            _crossingMisses.Add(crossing);
            il.Mark(crossing.Back);
        }

        _way = new HostWay(il.Linear, null);
        if (!isOfChain)
            return;
        var miss = new ChainMiss(il.Label(), il.Label());
        _chainMisses.Add(miss);
        PushOfEntry(StateOffsets.HostOffsets);
        il.Load(_chainOffset);
        il.Branch(OpCodes.Bne_Un, miss.Label);
        il.Mark(miss.Back);
        _way = new HostWay(il.Linear, _chainOffset);
    }

    /// <summary>
    /// Finds the host address of a number of bytes of the stack at the linear address, or leaves the region. The page where the stack was last
    /// used is kept, so that most accesses do not ask the TLB; nothing in a region takes a translation away. That a few bytes lie in it is one comparison if they
    /// are aligned; if not, the TLB is asked, in other words, so that the runtime's compiler keeps no values for that.
    /// </summary>
    private void FindOnStack(int size)
    {
        var miss = new StackMiss(il.Label(), il.Label(), size, exits.Before(ExitReason.Memory));
        _stackMisses.Add(miss);
        bool isSimple = BitOperations.IsPow2(size) && size <= 16;
        il.Load(il.Linear);
        il.Constant(-PageCode.Size | (isSimple ? size - 1L : 0));
        il.Op(OpCodes.And);
        il.Load(_stackPage);
        il.Branch(OpCodes.Bne_Un, miss.Label);
        if (!isSimple)
        {
            il.Load(il.Linear);
            il.Constant(size - PageCode.Size);
            il.Op(OpCodes.Add);
            il.Load(_stackPage);
            il.Branch(OpCodes.Bgt_Un, miss.Label);
        }

        il.Mark(miss.Back);
        _way = new HostWay(il.Linear, _stackHost);
    }

    private static int Tags(bool writes) => writes ? StateOffsets.WriteTags : StateOffsets.ReadTags;

    private void Cut()
    {
        il.Op(OpCodes.Conv_U4);
        il.Op(OpCodes.Conv_U8);
    }

    private void FindEntry()
    {
        // A rotation, of which 16 bits are taken: the host has one that leaves its source, unlike a shift.
        il.Load(il.Linear);
        il.Small(12);
        il.Call(RotateRight);
        il.Op(OpCodes.Conv_U2);
        il.Op(OpCodes.Conv_U8);
        il.Store(_entry);
    }

    /// <summary>Pushes what a list of the TLB has for the entry that was found.</summary>
    private void PushOfEntry(int list)
    {
        il.Load(il.Tlb);
        il.Load(_entry);
        il.Constant(sizeof(ulong));
        il.Op(OpCodes.Mul);
        il.Op(OpCodes.Add);
        il.Field(list);
    }

    /// <summary>Leaves the region unless a list of the TLB has the page of the linear address.</summary>
    private void LeaveUnlessTag(int list, Label exit)
    {
        PushOfEntry(list);
        PushTag();
        il.Branch(OpCodes.Bne_Un, exit);
    }

    /// <summary>Pushes the tag of the linear address's page.</summary>
    private void PushTag() => PushTagOfLastByte(1);

    /// <summary>Pushes the tag of the page that holds the last of some bytes.</summary>
    private void PushTagOfLastByte(int size)
    {
        PushLastByte(size);
        il.Constant((long)Tlb.LastByte);
        il.Op(OpCodes.Or);
    }

    private void PushLastByte(int size)
    {
        il.Load(il.Linear);
        if (size > 1)
        {
            il.Constant(size - 1);
            il.Op(OpCodes.Add);
        }
    }

    /// <summary>How the host address of an access comes about: a local and a constant, or the linear address and an offset, which is the TLB entry's if there is no local of it.</summary>
    private readonly record struct HostWay(LocalBuilder Base, LocalBuilder? Offset, long Behind = 0);

    private sealed record ChainMiss(Label Label, Label Back);

    private sealed record CrossingMiss(Label Label, Label Back, bool Writes, Label Exit);

    private sealed record StackMiss(Label Label, Label Back, int Size, Label Exit);
}
