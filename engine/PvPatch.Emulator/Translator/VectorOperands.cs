using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>Operands of instructions on XMM registers.</summary>
internal sealed class VectorOperands(RegionIl il, OperandEmitter operands, HostAddresses addresses)
{
    private readonly LocalBuilder _loaded = il.VectorLocal();

    /// <summary>A method of <see cref="VectorElements"/>.</summary>
    public static MethodInfo Method(string name, Type? type = null)
    {
        MethodInfo method = typeof(VectorElements).GetMethod(name)!;
        return type == null ? method : method.MakeGenericMethod(type);
    }

    /// <summary>Which operand is the second one of a meaning: the last one but for an immediate and, of four, the last register. VEX instructions may have a destination apart.</summary>
    public static int Second(in Instruction instruction) =>
        instruction.OpCount > 2 && instruction.GetOpKind(2) is OpKind.Register or OpKind.Memory && instruction.Encoding == EncodingKind.VEX ? 2 : 1;

    /// <summary>The register that is the first operand of a meaning.</summary>
    public static Register First(in Instruction instruction) =>
        instruction.Encoding == EncodingKind.VEX && instruction.OpCount > 1 && instruction.Op1Kind == OpKind.Register ? instruction.Op1Register : instruction.Op0Register;

    /// <summary>Finds the second operand, if it is in memory, before anything is changed.</summary>
    public void ReachSecond(in Instruction instruction)
    {
        if (instruction.GetOpKind(Second(instruction)) == OpKind.Memory)
            operands.Reach(instruction, writes: false, InstructionTable.Row(instruction.Code).IsAligned);
    }

    /// <summary>Finds where the first operand is written, in memory.</summary>
    public void ReachFirst(in Instruction instruction) =>
        operands.Reach(instruction, writes: true, InstructionTable.Row(instruction.Code).IsAligned);

    /// <summary>Pushes the host address of the operand in memory.</summary>
    public void PushHost() => addresses.Push();

    /// <summary>Pushes the host address of a lane of it.</summary>
    public void PushHost(int lane)
    {
        addresses.Push();
        if (lane == 0)
            return;
        il.Constant(lane * 16);
        il.Op(OpCodes.Add);
    }

    /// <summary>Pushes the second operand as a vector, zero above what is read.</summary>
    public void PushSecond(in Instruction instruction) => PushSecond(instruction, 0);

    /// <summary>Pushes a lane of the second operand.</summary>
    public void PushSecond(in Instruction instruction, int lane)
    {
        int second = Second(instruction);
        if (instruction.GetOpKind(second) != OpKind.Memory)
        {
            il.Vectors.Push(instruction.GetOpRegister(second), lane);
            return;
        }

        int size = instruction.MemorySize.GetSize();
        PushHost(lane);
        if (size >= 16)
            il.ReadVector();
        else
            il.Call(Method(nameof(VectorElements.Load), IntegerTypes.OfSize(size)));

        // An argument that is a local needs no temporary where the call is inlined, and of those the runtime's compiler allows 512.
        il.Store(_loaded);
        il.Load(_loaded);
    }

    /// <summary>Pushes the high lane of the second operand; zero where it has only 16 bytes.</summary>
    public void PushUpperSecond(in Instruction instruction)
    {
        int second = Second(instruction);
        bool isWide = instruction.GetOpKind(second) == OpKind.Memory ? instruction.MemorySize.GetSize() == 32 : instruction.GetOpRegister(second).IsYMM();
        if (isWide)
            PushSecond(instruction, 1);
        else
            il.Vectors.PushZero();
    }

    /// <summary>Takes a lane of the result from the stack into the destination. After the low one of a VEX instruction on XMM registers, the upper half is zero.</summary>
    public void Pop(in Instruction instruction, int lane = 0)
    {
        il.Vectors.Pop(instruction.Op0Register, lane);
        if (lane == 0 && instruction.Encoding == EncodingKind.VEX && instruction.Op0Register.IsXMM())
            il.Vectors.ClearHigh(instruction.Op0Register);
    }

    /// <summary>Reads and pushes the second operand, an integer of 4 or 8 bytes; returns its size.</summary>
    public int PushInteger(in Instruction instruction)
    {
        int second = Second(instruction);
        int size = OperandEmitter.Size(instruction, second);
        operands.Read(instruction);
        operands.Push(instruction, second, size);
        return size;
    }
}
