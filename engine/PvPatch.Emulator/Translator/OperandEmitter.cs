using System.Numerics;
using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using Label = System.Reflection.Emit.Label;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Operands of one instruction after the other. Memory is reached first, through the TLB, before anything is changed: what the
/// TLB does not have leaves the region, and the interpreter executes the instruction.
/// </summary>
internal sealed class OperandEmitter(RegionIl il, SideExits exits)
{
    private static readonly MethodInfo RotateRight = typeof(BitOperations).GetMethod(nameof(BitOperations.RotateRight), [typeof(ulong), typeof(int)])!;

    private readonly LocalBuilder _entry = il.Local();
    private readonly LocalBuilder _wide = il.Local();
    private readonly LocalBuilder _narrow = il.NarrowLocal();
    private readonly LocalBuilder _stackPage = il.Local();
    private readonly LocalBuilder _stackHost = il.Local();
    private readonly LocalBuilder _chainOffset = il.Local();
    private readonly List<StackMiss> _stackMisses = [];
    private readonly List<ChainMiss> _chainMisses = [];

    /// <summary>The size of an operand in bytes, 0 of an immediate.</summary>
    public static int Size(in Instruction instruction, int operand) => instruction.GetOpKind(operand) switch
    {
        OpKind.Register => instruction.GetOpRegister(operand).GetSize(),
        OpKind.Memory => instruction.MemorySize.GetSize(),
        _ => 0,
    };

    /// <summary>Reads the memory operand, if the instruction has one, so that <see cref="Push"/> may be called.</summary>
    public void Read(in Instruction instruction)
    {
        if (TranslatedForms.HasMemory(instruction))
            ReadMemory(instruction);
    }

    /// <summary>Prepares the first operand to be changed, or the second one to be read, whichever is in memory.</summary>
    public void ReadOrChange(in Instruction instruction)
    {
        if (instruction.Op0Kind == OpKind.Memory)
            Change(instruction);
        else
            Read(instruction);
    }

    /// <summary>Finds where the first operand is written, if it is in memory; what it held is read if it is wanted.</summary>
    public void Change(in Instruction instruction, bool reads = true)
    {
        if (instruction.Op0Kind != OpKind.Memory)
            return;
        int size = instruction.MemorySize.GetSize();
        Effective(instruction);
        il.Store(il.Linear);
        if (IsOnStack(instruction))
            HostOnStack(size);
        else
            HostForWrite(size);
        if (!reads)
            return;
        il.Load(il.Host);
        il.Read(size);
        il.Store(Value(size));
    }

    /// <summary>Puts the host address of the memory operand into its local, or leaves the region.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="writes">Whether it is written.</param>
    /// <param name="aligned">Whether it must lie on a multiple of 16.</param>
    public void Reach(in Instruction instruction, bool writes, bool aligned)
    {
        int size = instruction.MemorySize.GetSize();
        Effective(instruction);
        il.Store(il.Linear);
        if (aligned)
        {
            il.Load(il.Linear);
            il.Constant(15);
            il.Op(OpCodes.And);
            il.Branch(OpCodes.Brtrue, exits.Before(ExitReason.Instruction));
        }

        if (IsOnStack(instruction))
            HostOnStack(size);
        else
            HostFor(size, writes ? StateOffsets.WriteTags : StateOffsets.ReadTags);
    }

    /// <summary>Pushes an operand that was prepared, in a size.</summary>
    public void Push(in Instruction instruction, int operand, int size)
    {
        switch (instruction.GetOpKind(operand))
        {
            case OpKind.Register:
                il.PushRegister(instruction.GetOpRegister(operand));
                break;
            case OpKind.Memory:
                il.Load(Value(instruction.MemorySize.GetSize()));
                break;
            default:
                PushImmediate((long)instruction.GetImmediate(operand), size);
                break;
        }
    }

    /// <summary>Pushes an operand that was prepared and the one behind it.</summary>
    public void PushBoth(in Instruction instruction, int first, int size)
    {
        Push(instruction, first, size);
        Push(instruction, first + 1, size);
    }

    /// <summary>Takes the value on the stack into the first operand.</summary>
    public void Pop(in Instruction instruction)
    {
        if (instruction.Op0Kind == OpKind.Memory)
            il.WriteToHost(instruction.MemorySize.GetSize());
        else
            il.PopRegister(instruction.Op0Register);
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
        il.Constant((long)TlbTable.Invalid);
        il.Store(_stackPage);
        il.Constant(0);
        il.Store(_chainOffset);
    }

    /// <summary>
    /// Puts the host address of a number of bytes of the stack at the linear address into its local. The page where the stack was last
    /// used is kept, so that most accesses do not ask the TLB; nothing in a region takes a translation away.
    /// </summary>
    public void HostOnStack(int size)
    {
        var miss = new StackMiss(il.Label(), il.Label(), size, exits.Before(ExitReason.Memory));
        _stackMisses.Add(miss);
        PushTagOfLastByte(size);
        il.Load(_stackPage);
        il.Branch(OpCodes.Bne_Un, miss.Label);
        il.Mark(miss.Back);
        il.Load(il.Linear);
        il.Load(_stackHost);
        il.Op(OpCodes.Add);
        il.Store(il.Host);
    }

    /// <summary>
    /// Writes what finds the stack's page in the TLB, which must be readable and writable, and what takes another host offset for the
    /// likely one.
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

        foreach (StackMiss miss in _stackMisses)
        {
            il.Mark(miss.Label);
            FindEntry();
            Compare(miss, StateOffsets.ReadTags);
            Compare(miss, StateOffsets.WriteTags);
            PushTagOfLastByte(miss.Size);
            il.Store(_stackPage);
            PushOfEntry(StateOffsets.HostOffsets);
            il.Store(_stackHost);
            il.Branch(OpCodes.Br, miss.Back);
        }
    }

    /// <summary>Puts the host address where a number of bytes at the linear address may be written into its local, or leaves the region.</summary>
    public void HostForWrite(int size) => HostFor(size, StateOffsets.WriteTags);

    /// <summary>Pushes a value of a size at the linear address, or leaves the region.</summary>
    public void ReadLinear(int size)
    {
        Entry(size, StateOffsets.ReadTags);
        HostAddress();
        il.Read(size);
    }

    /// <summary>Pushes a value of a size at the linear address, which is on the stack.</summary>
    public void ReadStack(int size)
    {
        HostOnStack(size);
        il.Load(il.Host);
        il.Read(size);
    }

    private void ReadMemory(in Instruction instruction)
    {
        int size = instruction.MemorySize.GetSize();
        Effective(instruction);
        il.Store(il.Linear);
        if (IsOnStack(instruction))
            ReadStack(size);
        else if (IsOfChain(instruction))
            ReadOfChain(size);
        else
            ReadLinear(size);
        il.Store(Value(size));
    }

    /// <summary>Whether a load gives the address of itself or of another next time: a step along a list or a tree.</summary>
    private static bool IsOfChain(in Instruction instruction) =>
        instruction is { Mnemonic: Mnemonic.Mov or Mnemonic.Movzx or Mnemonic.Movsx or Mnemonic.Movsxd, Op0Kind: OpKind.Register, MemorySegment: not (Register.FS or Register.GS) }
        && instruction.Op0Register.GetFullRegister() is var target
        && (target == instruction.MemoryBase.GetFullRegister() || target == instruction.MemoryIndex.GetFullRegister());

    /// <summary>
    /// Pushes a value at the linear address. Loads of a chain wait for each other, so the host's processor must not wait for the TLB's
    /// offset too: it goes on with the last one, and the comparison is a branch that it predicts.
    /// </summary>
    private void ReadOfChain(int size)
    {
        var miss = new ChainMiss(il.Label(), il.Label());
        _chainMisses.Add(miss);
        Entry(size, StateOffsets.ReadTags);
        PushOfEntry(StateOffsets.HostOffsets);
        il.Load(_chainOffset);
        il.Branch(OpCodes.Bne_Un, miss.Label);
        il.Mark(miss.Back);
        il.Load(il.Linear);
        il.Load(_chainOffset);
        il.Op(OpCodes.Add);
        il.Read(size);
    }

    /// <summary>Whether an operand is likely near the top of the stack.</summary>
    private static bool IsOnStack(in Instruction instruction) => instruction.MemoryBase == Register.RSP && instruction.MemoryIndex == Register.None;

    /// <summary>Where the value of the memory operand is kept.</summary>
    private LocalBuilder Value(int size) => size == 8 ? _wide : _narrow;

    private void PushImmediate(long value, int size)
    {
        switch (size)
        {
            case 8:
                il.Constant(value);
                break;
            case 4:
                il.Small((int)value);
                break;
            case 2:
                il.Small((ushort)value);
                break;
            default:
                il.Small((byte)value);
                break;
        }
    }

    private void Cut()
    {
        il.Op(OpCodes.Conv_U4);
        il.Op(OpCodes.Conv_U8);
    }

    private void HostFor(int size, int tag)
    {
        Entry(size, tag);
        HostAddress();
        il.Store(il.Host);
    }

    /// <summary>Finds the TLB entry and compares its tag with the page of the access's last byte, as <see cref="Tlb.ForRead"/> does.</summary>
    private void Entry(int size, int tag)
    {
        FindEntry();
        PushOfEntry(tag);
        PushTagOfLastByte(size);
        il.Branch(OpCodes.Bne_Un, exits.Before(ExitReason.Memory));
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

    private void PushTagOfLastByte(int size)
    {
        il.Load(il.Linear);
        if (size > 1)
        {
            il.Constant(size - 1);
            il.Op(OpCodes.Add);
        }

        il.Constant((long)Tlb.LastByte);
        il.Op(OpCodes.Or);
    }

    private void Compare(StackMiss miss, int tag)
    {
        PushOfEntry(tag);
        PushTagOfLastByte(miss.Size);
        il.Branch(OpCodes.Bne_Un, miss.Exit);
    }

    private void HostAddress()
    {
        il.Load(il.Linear);
        PushOfEntry(StateOffsets.HostOffsets);
        il.Op(OpCodes.Add);
    }

    private sealed record ChainMiss(Label Label, Label Back);

    private sealed record StackMiss(Label Label, Label Back, int Size, Label Exit);
}
