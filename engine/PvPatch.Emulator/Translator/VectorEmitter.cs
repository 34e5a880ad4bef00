using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;
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
    private readonly LocalBuilder _wide = il.Local(typeof(Vector256<byte>));

    /// <summary>When the region is entered: finds whether SSE, and AVX if the region has any, may be used. Only a sensitive instruction changes that.</summary>
    public void Enter()
    {
        il.Op(OpCodes.Ldarg_0);
        il.Call(typeof(VectorShapes).GetMethod(il.UsesVex ? nameof(VectorShapes.RefusesAny) : nameof(VectorShapes.Refuses))!);
        il.Store(_refusal);
    }

    /// <summary>Before the first of these instructions in a block: leaves the region if they may not be used.</summary>
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
            case VectorForm.Fused:
                floats.Fused(instruction);
                break;
            case VectorForm.Packed:
                Packed(instruction);
                break;
            case VectorForm.Store:
                operands.ReachFirst(instruction);
                for (int lane = LanesOf(instruction.Op1Register) - 1; lane > 0; lane--)
                {
                    operands.PushHost(lane);
                    il.Vectors.Push(instruction.Op1Register, lane);
                    il.WriteVector();
                }

                operands.PushHost();
                il.Vectors.Push(instruction.Op1Register);
                if (instruction.MemorySize.GetSize() >= 16)
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
                operands.Pop(instruction);
                break;
            case VectorForm.ToGeneral:
                il.Vectors.Push(instruction.Op1Register);
                il.Call(VectorOperands.Method(nameof(VectorElements.ToGeneral), IntegerTypes.OfSize(instruction.Op0Register.GetSize())));
                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.Insert:
                Register value = instruction.GetOpRegister(VectorOperands.Second(instruction));
                il.Vectors.Push(VectorOperands.First(instruction));
                il.PushRegister(value);
                il.Widen(value.GetSize());
                il.Small(instruction.Immediate8);
                il.Call(VectorOperands.Method(nameof(VectorElements.Insert), ElementType(instruction)));
                operands.Pop(instruction);
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
                if (instruction.Op1Register.IsYMM())
                {
                    il.Vectors.Push(instruction.Op1Register, 1);
                    il.Call(VectorOperands.Method(nameof(VectorElements.SignMask), ElementType(instruction)));
                    il.Small(16 / VectorForms.ElementSize(instruction));
                    il.Op(OpCodes.Shl);
                    il.Op(OpCodes.Or);
                }

                il.PopRegister(instruction.Op0Register);
                break;
            case VectorForm.Test:
                Test(instruction);
                break;
            case VectorForm.Blend:
                Blend(instruction);
                break;
            case VectorForm.ExtractLane:
                ExtractLane(instruction);
                break;
            case VectorForm.ZeroUpper:
                il.Vectors.ClearHigh();
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
        if (!result.IsXMM() && !result.IsYMM())
            return false;
        foreach (ref readonly Instruction next in block.Instructions.AsSpan(place + 1))
        {
            if (!TranslatedForms.IsWritten(next))
                return false;
            VectorForm form = VectorForms.Of(next);
            bool readsFirst = form is VectorForm.Arithmetic or VectorForm.Compare or VectorForm.Order or VectorForm.Fused && VectorOperands.First(next) == result;
            int second = VectorOperands.Second(next);
            bool readsSecond = form is VectorForm.Store or >= VectorForm.Arithmetic && next.GetOpKind(second) == OpKind.Register && next.GetOpRegister(second) == result;
            if (readsFirst || readsSecond || (form == VectorForm.Fused && next.Op0Register == result))
                return true;
            if (next.Op0Kind == OpKind.Register && next.Op0Register.GetFullRegister() == result.GetFullRegister())
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
        operands.ReachSecond(instruction);
        if (row.WideMeaning is { } wide)
        {
            AcrossLanes(instruction, wide.Method);
            return;
        }

        bool ofMemory = instruction.GetOpKind(VectorOperands.Second(instruction)) == OpKind.Memory;
        MethodInfo meaning = (ofMemory ? row.MemoryMeaning : row.RegisterMeaning)!.Method;
        bool takesImmediate = instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Immediate8;

        // The high lane first: the low one may be what both are made of.
        for (int lane = LanesOf(instruction.Op0Register) - 1; lane >= 0; lane--)
        {
            if (meaning.Name == nameof(PackedShuffles.Second))
            {
                PushSecond(instruction, row, lane);
            }
            else
            {
                il.Vectors.Push(VectorOperands.First(instruction), lane);
                PushSecond(instruction, row, lane);
                il.Small(takesImmediate ? (byte)(instruction.Immediate8 >> (lane * row.HighShift)) : 0);
                il.Call(meaning);
            }

            operands.Pop(instruction, lane);
        }
    }

    /// <summary>Pushes what a lane of the result is made of beside the first operand.</summary>
    private void PushSecond(in Instruction instruction, in InstructionRow row, int lane)
    {
        if (instruction.Op1Kind == OpKind.Immediate8)
        {
            il.Vectors.Push(instruction.Op0Register);
            return;
        }

        operands.PushSecond(instruction, row.Spread is VexSpread.SameSecond or VexSpread.Widening ? 0 : lane);
        if (lane == 0 || row.Spread != VexSpread.Widening)
            return;
        il.Small(instruction.MemorySize.GetSize());
        il.Call(typeof(VexShapes).GetMethod(nameof(VexShapes.UpperPart))!);
    }

    private void AcrossLanes(in Instruction instruction, MethodInfo meaning)
    {
        il.Vectors.Push(VectorOperands.First(instruction), 0);
        il.Vectors.Push(VectorOperands.First(instruction), 1);
        il.Call(VectorOperands.Method(nameof(VectorElements.Join)));
        operands.PushSecond(instruction, 0);
        operands.PushUpperSecond(instruction);
        il.Call(VectorOperands.Method(nameof(VectorElements.Join)));
        il.Small(instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Immediate8 ? instruction.Immediate8 : 0);
        il.Call(meaning);
        il.Store(_wide);
        il.Load(_wide);
        il.Call(VectorOperands.Method(nameof(VectorElements.Lower)));
        operands.Pop(instruction, 0);
        il.Load(_wide);
        il.Call(VectorOperands.Method(nameof(VectorElements.Upper)));
        operands.Pop(instruction, 1);
    }

    private void Test(in Instruction instruction)
    {
        operands.ReachSecond(instruction);
        bool isWide = instruction.Op0Register.IsYMM();
        il.Vectors.Push(instruction.Op0Register);
        if (isWide)
            il.Vectors.Push(instruction.Op0Register, 1);
        else
            il.Vectors.PushZero();
        operands.PushSecond(instruction, 0);
        if (isWide)
            operands.PushSecond(instruction, 1);
        else
            il.Vectors.PushZero();
        meanings.PushFlags();
        il.Call(VectorOperands.Method(nameof(VectorElements.Test), ElementType(instruction)));
        meanings.TakeFlags();
    }

    private void Blend(in Instruction instruction)
    {
        Register signs = instruction.Encoding == EncodingKind.VEX ? instruction.Op3Register : Register.XMM0;
        operands.ReachSecond(instruction);
        for (int lane = LanesOf(instruction.Op0Register) - 1; lane >= 0; lane--)
        {
            il.Vectors.Push(VectorOperands.First(instruction), lane);
            operands.PushSecond(instruction, lane);
            il.Vectors.Push(signs, lane);
            il.Call(typeof(PackedShuffles).GetMethod(nameof(PackedShuffles.BlendBySigns))!.MakeGenericMethod(ElementType(instruction)));
            operands.Pop(instruction, lane);
        }
    }

    private void ExtractLane(in Instruction instruction)
    {
        if (instruction.Op0Kind == OpKind.Memory)
        {
            operands.ReachFirst(instruction);
            operands.PushHost();
            il.Vectors.Push(instruction.Op1Register, instruction.Immediate8 & 1);
            il.WriteVector();
            return;
        }

        il.Vectors.Push(instruction.Op1Register, instruction.Immediate8 & 1);
        operands.Pop(instruction);
    }

    private static int LanesOf(Register register) => register.IsYMM() ? 2 : 1;

    private static Type ElementType(in Instruction instruction) => IntegerTypes.OfSize(VectorForms.ElementSize(instruction));
}
