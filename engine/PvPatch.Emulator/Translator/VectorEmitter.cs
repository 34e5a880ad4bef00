using System.Reflection;
using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using FlowControl = Iced.Intel.FlowControl;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Instructions on XMM registers: the meaning that the interpreter's handler calls through a pointer is called by name, so that the
/// runtime's compiler inlines it, most often to the one instruction of the host that it is made of.
/// </summary>
internal sealed class VectorEmitter(RegionIl il, VectorOperands operands, FloatEmitter floats, MeaningEmitter meanings, FlagEmitter flags, SideExits exits)
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
    /// <param name="block">The block it is in.</param>
    /// <param name="place">Its place there.</param>
    public void Write(RegionBlock block, int place)
    {
        Instruction instruction = block.Instructions[place];
        VectorForm form = VectorForms.Of(instruction);
        bool isFloat = VectorForms.IsFloat(form);
        if (isFloat)
            il.Control.Check(exits);
        switch (form)
        {
            case VectorForm.Arithmetic:
                floats.Arithmetic(instruction);
                break;
            case VectorForm.Compare:
                floats.Compare(instruction);
                break;
            case VectorForm.Order:
                floats.Order(instruction);
                break;
            case VectorForm.FromInteger:
                floats.FromInteger(instruction);
                break;
            case VectorForm.ToInteger:
                floats.ToInteger(instruction);
                break;
            case VectorForm.ToOther:
                floats.ToOther(instruction);
                break;
            case VectorForm.Packed:
                Packed(instruction);
                break;
            case VectorForm.Store:
                operands.ReachFirst(instruction);
                operands.PushHost();
                il.Vectors.Push(instruction.Op1Register);
                if (instruction.MemorySize.GetSize() == 16)
                    il.WriteVector();
                else
                    il.Call(VectorOperands.Method(nameof(VectorElements.Store), IntegerTypes.OfSize(instruction.MemorySize.GetSize())));
                break;
            case VectorForm.StoreHigh:
                operands.ReachFirst(instruction);
                operands.PushHost();
                il.Vectors.Push(instruction.Op1Register);
                il.Call(VectorOperands.Method(nameof(VectorElements.StoreHigh)));
                break;
            case VectorForm.FromGeneral:
                il.PushRegister(instruction.Op1Register);
                il.Widen(instruction.Op1Register.GetSize());
                il.Call(VectorOperands.Method(nameof(VectorElements.FromGeneral)));
                il.Vectors.Pop(instruction.Op0Register);
                break;
            case VectorForm.ToGeneral:
                il.Vectors.Push(instruction.Op1Register);
                il.Call(VectorOperands.Method(nameof(VectorElements.ToGeneral), IntegerTypes.OfSize(instruction.Op0Register.GetSize())));
                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.Insert:
                il.Vectors.Push(instruction.Op0Register);
                il.PushRegister(instruction.Op1Register);
                il.Widen(instruction.Op1Register.GetSize());
                il.Small(instruction.Immediate8);
                il.Call(VectorOperands.Method(nameof(VectorElements.Insert), ElementType(instruction)));
                il.Vectors.Pop(instruction.Op0Register);
                break;
            case VectorForm.Extract:
                il.Vectors.Push(instruction.Op1Register);
                il.Small(instruction.Immediate8);
                il.Call(VectorOperands.Method(nameof(VectorElements.Extract), ElementType(instruction)));
                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.SignMask:
                il.Vectors.Push(instruction.Op1Register);
                il.Call(VectorOperands.Method(nameof(VectorElements.SignMask), ElementType(instruction)));
                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.Test:
                operands.ReachSecond(instruction);
                il.Vectors.Push(instruction.Op0Register);
                operands.PushSecond(instruction);
                meanings.PushFlags();
                il.Call(VectorOperands.Method(nameof(VectorElements.Test)));
                meanings.TakeFlags();
                break;
            case VectorForm.Blend:
                operands.ReachSecond(instruction);
                il.Vectors.Push(instruction.Op0Register);
                operands.PushSecond(instruction);
                il.Vectors.Push(Register.XMM0);
                il.Call(typeof(PackedShuffles).GetMethod(nameof(PackedShuffles.BlendBySigns))!.MakeGenericMethod(ElementType(instruction)));
                il.Vectors.Pop(instruction.Op0Register);
                break;
        }

        // The runtime's compiler leaves out what nobody asks for, and with it the exceptions that would be raised.
        if (form == VectorForm.Order && !AreFlagsAskedFor(block, place))
            flags.Keep();
        else if (isFloat && form != VectorForm.Order && !IsAskedFor(block, place))
            il.Keep(instruction);
    }

    /// <summary>Whether an instruction behind it in its block surely asks for the XMM register it writes: by computing with it, or by a store.</summary>
    private static bool IsAskedFor(RegionBlock block, int place)
    {
        Register result = block.Instructions[place].Op0Register;
        if (!result.IsXMM())
            return false;
        foreach (ref readonly Instruction next in block.Instructions.AsSpan(place + 1))
        {
            if (!TranslatedForms.IsWritten(next))
                return false;
            VectorForm form = VectorForms.Of(next);
            bool readsFirst = form is VectorForm.Arithmetic or VectorForm.Compare or VectorForm.Order && next.Op0Register == result;
            bool readsSecond = form is VectorForm.Store or >= VectorForm.Arithmetic && next.Op1Kind == OpKind.Register && next.Op1Register == result;
            if (readsFirst || readsSecond)
                return true;
            if (next.Op0Kind == OpKind.Register && next.Op0Register == result)
                return false;
        }

        return false;
    }

    /// <summary>Whether a branch behind it in its block asks for the flags, before they are overwritten.</summary>
    private static bool AreFlagsAskedFor(RegionBlock block, int place)
    {
        foreach (ref readonly Instruction next in block.Instructions.AsSpan(place + 1))
        {
            if (!TranslatedForms.IsWritten(next))
                return false;
            if (next.FlowControl == FlowControl.ConditionalBranch)
                return next.NearBranchTarget != next.NextIP;
            if (next.RflagsModified != RflagsBits.None)
                return false;
        }

        return false;
    }

    private void Packed(in Instruction instruction)
    {
        ref readonly InstructionRow row = ref InstructionTable.Row(instruction.Code);
        bool ofMemory = instruction.Op1Kind == OpKind.Memory;
        operands.ReachSecond(instruction);
        MethodInfo meaning = (ofMemory ? row.MemoryMeaning : row.RegisterMeaning)!.Method;
        if (meaning.Name == nameof(PackedShuffles.Second))
        {
            operands.PushSecond(instruction);
            il.Vectors.Pop(instruction.Op0Register);
            return;
        }

        bool takesImmediate = instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Immediate8;
        il.Vectors.Push(instruction.Op0Register);
        if (instruction.Op1Kind == OpKind.Immediate8)
            il.Vectors.Push(instruction.Op0Register);
        else
            operands.PushSecond(instruction);
        il.Small(takesImmediate ? instruction.Immediate8 : 0);
        il.Call(meaning);
        il.Vectors.Pop(instruction.Op0Register);
    }

    private static Type ElementType(in Instruction instruction) => IntegerTypes.OfSize(VectorForms.ElementSize(instruction));
}
