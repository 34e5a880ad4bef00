using System.Reflection.Emit;
using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>Operands of one instruction after the other. Memory is reached first, before anything is changed.</summary>
/// <param name="il">Where to.</param>
/// <param name="exits">The ways out of the region.</param>
/// <param name="addresses">What finds operands in memory.</param>
internal sealed class OperandEmitter(RegionIl il, SideExits exits, HostAddresses addresses)
{
    private readonly LocalBuilder _wide = il.Local();
    private readonly LocalBuilder _narrow = il.NarrowLocal();

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
        addresses.Locate(instruction, size, writes: true);
        if (!reads)
            return;
        addresses.Keep();
        addresses.Push();
        il.Read(size);
        il.Store(Value(size));
    }

    /// <summary>Finds the host address of the memory operand, or leaves the region.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="writes">Whether it is written.</param>
    /// <param name="aligned">Whether it must lie on a multiple of its size.</param>
    public void Reach(in Instruction instruction, bool writes, bool aligned)
    {
        if (aligned && !addresses.IsKnownAligned(instruction.MemorySize.GetSize()))
        {
            addresses.Effective(instruction);
            il.Constant(instruction.MemorySize.GetSize() - 1);
            il.Op(OpCodes.And);
            il.Branch(OpCodes.Brtrue, exits.Before(ExitReason.Instruction));
        }

        addresses.Locate(instruction, instruction.MemorySize.GetSize(), writes);
    }

    /// <summary>Writes the value on the stack to the host address that was found.</summary>
    public void Write(int size)
    {
        LocalBuilder value = Value(size);
        il.Store(value);
        addresses.Push();
        il.Load(value);
        il.Write(size);
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
            Write(instruction.MemorySize.GetSize());
        else
            il.PopRegister(instruction.Op0Register);
    }

    private void ReadMemory(in Instruction instruction)
    {
        int size = instruction.MemorySize.GetSize();
        addresses.Locate(instruction, size, writes: false);
        addresses.Push();
        il.Read(size);
        il.Store(Value(size));
    }

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
}
