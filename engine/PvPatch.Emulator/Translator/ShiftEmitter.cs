using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using static PvPatch.Emulator.Translator.OperandEmitter;

namespace PvPatch.Emulator.Translator;

/// <summary>Shifts and rotations. The flags of a shift by a constant wait; of all else they are computed, if somebody may want them.</summary>
internal sealed class ShiftEmitter(RegionIl il, FlagEmitter flags, OperandEmitter operands, MeaningEmitter meanings)
{
    /// <summary>SHL, SHR and SAR.</summary>
    public void Shift(in Instruction instruction, OpCode operation, LazyOperation lazy, string meaning, ulong wanted)
    {
        int size = Size(instruction, 0);
        int? count = FlagUse.ShiftCount(instruction);
        if (count is null)
        {
            ShiftByMeaning(instruction, meaning, wanted);
            return;
        }

        operands.Change(instruction);
        operands.Push(instruction, 0, size);
        if (count > 0 && wanted != 0)
        {
            flags.TakeFirst(size);
            il.Constant(count.Value);
            flags.TakeSecond(8);
            flags.Wait(lazy, size);
            flags.PushFirst(size);
        }

        if (operation == OpCodes.Shr)
            il.Signed(size);
        il.Small(count.Value);
        il.Op(operation);
        operands.Pop(instruction);
    }

    /// <summary>ROL and ROR.</summary>
    public void Rotate(in Instruction instruction, string meaning, string withoutFlags, ulong wanted)
    {
        if (wanted != 0 && FlagUse.ShiftCount(instruction) != 0)
        {
            ShiftByMeaning(instruction, meaning, wanted);
            return;
        }

        int size = Size(instruction, 0);
        operands.Change(instruction);
        operands.Push(instruction, 0, size);
        PushCount(instruction, size);
        il.Call(MeaningEmitter.MethodOf(typeof(Shifts), withoutFlags, size));
        operands.Pop(instruction);
    }

    private void ShiftByMeaning(in Instruction instruction, string meaning, ulong wanted)
    {
        int size = Size(instruction, 0);
        operands.Change(instruction);
        meanings.Keep(wanted, instruction);
        operands.Push(instruction, 0, size);
        PushCount(instruction, size);
        meanings.Call(typeof(Shifts), meaning, size);
        operands.Pop(instruction);
    }

    /// <summary>The count of a shift in the width of its operand.</summary>
    private void PushCount(in Instruction instruction, int size)
    {
        if (FlagUse.ShiftCount(instruction) is { } count)
            il.Small(count);
        else
            il.PushRegister(Register.CL);
        if (size == 8)
            il.Op(OpCodes.Conv_U8);
    }
}
