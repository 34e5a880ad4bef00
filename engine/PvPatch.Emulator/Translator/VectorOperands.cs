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

    /// <summary>Finds the second operand, if it is in memory, before anything is changed.</summary>
    public void ReachSecond(in Instruction instruction)
    {
        if (instruction.Op1Kind == OpKind.Memory)
            operands.Reach(instruction, writes: false, InstructionTable.Row(instruction.Code).IsAligned);
    }

    /// <summary>Finds where the first operand is written, in memory.</summary>
    public void ReachFirst(in Instruction instruction) =>
        operands.Reach(instruction, writes: true, InstructionTable.Row(instruction.Code).IsAligned);

    /// <summary>Pushes the host address of the operand in memory.</summary>
    public void PushHost() => addresses.Push();

    /// <summary>Pushes the second operand as a vector, zero above what is read.</summary>
    public void PushSecond(in Instruction instruction)
    {
        if (instruction.Op1Kind != OpKind.Memory)
        {
            il.Vectors.Push(instruction.Op1Register);
            return;
        }

        int size = instruction.MemorySize.GetSize();
        PushHost();
        if (size == 16)
            il.ReadVector();
        else
            il.Call(Method(nameof(VectorElements.Load), IntegerTypes.OfSize(size)));

        // An argument that is a local needs no temporary where the call is inlined, and of those the runtime's compiler allows 512.
        il.Store(_loaded);
        il.Load(_loaded);
    }

    /// <summary>Reads and pushes the second operand, an integer of 4 or 8 bytes; returns its size.</summary>
    public int PushInteger(in Instruction instruction)
    {
        int size = OperandEmitter.Size(instruction, 1);
        operands.Read(instruction);
        operands.Push(instruction, 1, size);
        return size;
    }
}
