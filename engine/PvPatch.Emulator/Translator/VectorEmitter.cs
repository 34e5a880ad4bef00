using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using static PvPatch.Emulator.Translator.OperandEmitter;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Instructions on XMM registers: the meaning that the interpreter's handler calls through a pointer is called by name, so that the
/// runtime's compiler inlines it, most often to the one instruction of the host that it is made of.
/// </summary>
internal sealed class VectorEmitter(RegionIl il, OperandEmitter operands, MeaningEmitter meanings, SideExits exits)
{
    private readonly LocalBuilder _refusal = il.NarrowLocal();

    /// <summary>When the region is entered: finds whether SSE may be used. Nothing in a region changes that.</summary>
    public void Enter()
    {
        il.Op(OpCodes.Ldarg_0);
        il.Call(typeof(VectorShapes).GetMethod(nameof(VectorShapes.Refuses))!);
        il.Store(_refusal);
    }

    /// <summary>Before the first of these instructions in a block: leaves the region if SSE may not be used.</summary>
    public void Check()
    {
        il.Load(_refusal);
        il.Branch(OpCodes.Brtrue, exits.Before(ExitReason.Instruction));
    }

    /// <summary>Writes an instruction.</summary>
    public void Write(in Instruction instruction)
    {
        switch (VectorForms.Of(instruction))
        {
            case VectorForm.Packed:
                Packed(instruction);
                break;
            case VectorForm.Store:
                ReachStored(instruction);
                il.Load(il.Host);
                il.Vectors.Push(instruction.Op1Register);
                il.Call(OfElements(nameof(VectorElements.Store), VectorOfSize(instruction.MemorySize.GetSize())));
                break;
            case VectorForm.StoreHigh:
                ReachStored(instruction);
                il.Load(il.Host);
                il.Vectors.Push(instruction.Op1Register);
                il.Call(OfElements(nameof(VectorElements.StoreHigh)));
                break;
            case VectorForm.FromGeneral:
                il.PushRegister(instruction.Op1Register);
                il.Widen(instruction.Op1Register.GetSize());
                il.Call(OfElements(nameof(VectorElements.FromGeneral)));
                il.Vectors.Pop(instruction.Op0Register);
                break;
            case VectorForm.ToGeneral:
                il.Vectors.Push(instruction.Op1Register);
                il.Call(OfElements(nameof(VectorElements.ToGeneral), IntegerTypes.OfSize(instruction.Op0Register.GetSize())));
                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.Insert:
                il.Vectors.Push(instruction.Op0Register);
                il.PushRegister(instruction.Op1Register);
                il.Widen(instruction.Op1Register.GetSize());
                il.Small(instruction.Immediate8);
                il.Call(OfElements(nameof(VectorElements.Insert), ElementType(instruction)));
                il.Vectors.Pop(instruction.Op0Register);
                break;
            case VectorForm.Extract:
                il.Vectors.Push(instruction.Op1Register);
                il.Small(instruction.Immediate8);
                il.Call(OfElements(nameof(VectorElements.Extract), ElementType(instruction)));
                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.SignMask:
                il.Vectors.Push(instruction.Op1Register);
                il.Call(OfElements(nameof(VectorElements.SignMask), ElementType(instruction)));
                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.Test:
                ReachSecond(instruction);
                il.Vectors.Push(instruction.Op0Register);
                PushSecond(instruction);
                meanings.PushFlags();
                il.Call(OfElements(nameof(VectorElements.Test)));
                meanings.TakeFlags();
                break;
            case VectorForm.Blend:
                ReachSecond(instruction);
                il.Vectors.Push(instruction.Op0Register);
                PushSecond(instruction);
                il.Vectors.Push(Register.XMM0);
                il.Call(typeof(PackedShuffles).GetMethod(nameof(PackedShuffles.BlendBySigns))!.MakeGenericMethod(ElementType(instruction)));
                il.Vectors.Pop(instruction.Op0Register);
                break;
        }
    }

    /// <summary>Finds the second operand, if it is in memory, before anything is changed.</summary>
    public void ReachSecond(in Instruction instruction)
    {
        if (instruction.Op1Kind == OpKind.Memory)
            operands.Reach(instruction, writes: false, InstructionTable.Row(instruction.Code).IsAligned);
    }

    /// <summary>Pushes the second operand as a vector, zero above what is read.</summary>
    public void PushSecond(in Instruction instruction)
    {
        if (instruction.Op1Kind != OpKind.Memory)
        {
            il.Vectors.Push(instruction.Op1Register);
            return;
        }

        il.Load(il.Host);
        il.Call(OfElements(nameof(VectorElements.Load), VectorOfSize(instruction.MemorySize.GetSize())));
    }

    private void Packed(in Instruction instruction)
    {
        ref readonly InstructionRow row = ref InstructionTable.Row(instruction.Code);
        bool ofMemory = instruction.Op1Kind == OpKind.Memory;
        ReachSecond(instruction);
        MethodInfo meaning = (ofMemory ? row.MemoryMeaning : row.RegisterMeaning)!.Method;
        bool takesImmediate = instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Immediate8;
        il.Vectors.Push(instruction.Op0Register);
        if (instruction.Op1Kind == OpKind.Immediate8)
            il.Vectors.Push(instruction.Op0Register);
        else
            PushSecond(instruction);
        il.Small(takesImmediate ? instruction.Immediate8 : 0);
        il.Call(meaning);
        il.Vectors.Pop(instruction.Op0Register);
    }

    private void ReachStored(in Instruction instruction) =>
        operands.Reach(instruction, writes: true, InstructionTable.Row(instruction.Code).IsAligned);

    private static MethodInfo OfElements(string name, Type? type = null)
    {
        MethodInfo method = typeof(VectorElements).GetMethod(name)!;
        return type == null ? method : method.MakeGenericMethod(type);
    }

    private static Type ElementType(in Instruction instruction) => IntegerTypes.OfSize(VectorForms.ElementSize(instruction));

    private static Type VectorOfSize(int size) => size == 16 ? typeof(Vector128<byte>) : IntegerTypes.OfSize(size);
}
