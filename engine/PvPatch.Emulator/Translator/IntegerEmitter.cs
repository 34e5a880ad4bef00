using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using static PvPatch.Emulator.Translator.OperandEmitter;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Instructions on general registers and memory that go on behind themselves. What IL has an operation for is written as
/// that, with its flags left to <see cref="FlagEmitter"/>; for all else the meaning that the interpreter uses is called, and inlined.
/// </summary>
internal sealed class IntegerEmitter(RegionIl il, FlagEmitter flags, OperandEmitter operands, HostAddresses addresses, MeaningEmitter meanings, ShiftEmitter shifts, MultiplicationEmitter multiplication, BitFieldEmitter bitFields)
{
    private readonly LocalBuilder _first = il.Local();
    private readonly LocalBuilder _second = il.Local();
    private readonly LocalBuilder _high = il.NarrowLocal();
    private readonly LocalBuilder _mask = il.NarrowLocal();
    private readonly LocalBuilder _wideMask = il.Local();

    /// <summary>Writes an instruction.</summary>
    /// <param name="instruction">The instruction, of a translated form.</param>
    /// <param name="wanted">The status flags that somebody may want behind it.</param>
    public void Write(in Instruction instruction, ulong wanted)
    {
        bool setsFlags = (wanted & FlagUse.Overwritten(instruction)) != 0;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Nop or Mnemonic.Endbr64:
            case Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1 or Mnemonic.Prefetcht2 or Mnemonic.Prefetchnta or Mnemonic.Prefetchw or Mnemonic.Sfence:
                break;
            case Mnemonic.Mov:
                Move(instruction);
                break;
            case Mnemonic.Movzx:
                Extend(instruction, signed: false);
                break;
            case Mnemonic.Movsx or Mnemonic.Movsxd:
                Extend(instruction, signed: true);
                break;
            case Mnemonic.Lea:
                addresses.Effective(instruction, inSegment: false);
                il.Narrowed(Size(instruction, 0));
                operands.Pop(instruction);
                break;
            case Mnemonic.Add:
                Binary(instruction, OpCodes.Add, LazyOperation.Add, setsFlags, writes: true);
                break;
            case Mnemonic.Sub:
                Binary(instruction, OpCodes.Sub, LazyOperation.Subtract, setsFlags, writes: true);
                break;
            case Mnemonic.Cmp:
                Binary(instruction, OpCodes.Sub, LazyOperation.Subtract, setsFlags, writes: false);
                break;
            case Mnemonic.And:
                Logic(instruction, OpCodes.And, setsFlags, writes: true);
                break;
            case Mnemonic.Test:
                Logic(instruction, OpCodes.And, setsFlags, writes: false);
                break;
            case Mnemonic.Or:
                Logic(instruction, OpCodes.Or, setsFlags, writes: true);
                break;
            case Mnemonic.Xor:
                Logic(instruction, OpCodes.Xor, setsFlags, writes: true);
                break;
            case Mnemonic.Inc:
                Step(instruction, OpCodes.Add, LazyOperation.Increment, setsFlags, wanted);
                break;
            case Mnemonic.Dec:
                Step(instruction, OpCodes.Sub, LazyOperation.Decrement, setsFlags, wanted);
                break;
            case Mnemonic.Neg:
                Negate(instruction, setsFlags);
                break;
            case Mnemonic.Not:
                operands.Change(instruction);
                operands.Push(instruction, 0, Size(instruction, 0));
                il.Op(OpCodes.Not);
                operands.Pop(instruction);
                break;
            case Mnemonic.Shl or Mnemonic.Sal:
                shifts.Shift(instruction, OpCodes.Shl, LazyOperation.ShiftLeft, nameof(Shifts.Left), wanted);
                break;
            case Mnemonic.Shr:
                shifts.Shift(instruction, OpCodes.Shr_Un, LazyOperation.ShiftRight, nameof(Shifts.Right), wanted);
                break;
            case Mnemonic.Sar:
                shifts.Shift(instruction, OpCodes.Shr, LazyOperation.ShiftArithmeticRight, nameof(Shifts.ArithmeticRight), wanted);
                break;
            case Mnemonic.Rol:
                shifts.Rotate(instruction, nameof(Shifts.RotateLeft), nameof(Shifts.RotateLeftOnly), wanted);
                break;
            case Mnemonic.Ror:
                shifts.Rotate(instruction, nameof(Shifts.RotateRight), nameof(Shifts.RotateRightOnly), wanted);
                break;
            case Mnemonic.Adc:
                WithCarry(instruction, OpCodes.Add, LazyOperation.AddWithCarry, setsFlags);
                break;
            case Mnemonic.Sbb:
                WithCarry(instruction, OpCodes.Sub, LazyOperation.SubtractWithBorrow, setsFlags);
                break;
            case Mnemonic.Imul when instruction.OpCount > 1:
                multiplication.Multiply(instruction, setsFlags);
                break;
            case Mnemonic.Imul:
                multiplication.MultiplyAccumulator(instruction, LazyOperation.SignedProduct, setsFlags);
                break;
            case Mnemonic.Mul:
                multiplication.MultiplyAccumulator(instruction, LazyOperation.UnsignedProduct, setsFlags);
                break;
            case Mnemonic.Div:
                multiplication.Divide(instruction);
                break;
            case Mnemonic.Idiv:
                multiplication.DivideSigned(instruction);
                break;
            case Mnemonic.Bt:
                meanings.Keep(wanted, instruction);
                PushOperands(instruction, 0);
                meanings.Call(typeof(BitScans), nameof(BitScans.Test), Size(instruction, 0));
                il.Op(OpCodes.Pop);
                break;
            case Mnemonic.Tzcnt:
                Count(instruction, nameof(BitScans.CountTrailing), wanted);
                break;
            case Mnemonic.Lzcnt:
                Count(instruction, nameof(BitScans.CountLeading), wanted);
                break;
            case Mnemonic.Popcnt:
                Count(instruction, nameof(BitScans.CountOnes), wanted);
                break;
            case Mnemonic.Bsf:
                Scan(instruction, nameof(BitScans.ScanForward), wanted);
                break;
            case Mnemonic.Bsr:
                Scan(instruction, nameof(BitScans.ScanReverse), wanted);
                break;
            case Mnemonic.Bswap:
                il.PushRegister(instruction.Op0Register);
                il.Call(MeaningEmitter.MethodOf(typeof(BitScans), nameof(BitScans.Reverse), Size(instruction, 0)));
                operands.Pop(instruction);
                break;
            case var mnemonic when BitFieldEmitter.Has(mnemonic):
                bitFields.Write(instruction, setsFlags);
                break;
            case Mnemonic.Xchg:
                Exchange(instruction);
                break;
            case Mnemonic.Cbw:
                ExtendAccumulator(Register.AL, Register.AX);
                break;
            case Mnemonic.Cwde:
                ExtendAccumulator(Register.AX, Register.EAX);
                break;
            case Mnemonic.Cdqe:
                ExtendAccumulator(Register.EAX, Register.RAX);
                break;
            case Mnemonic.Cwd:
                SignIntoData(Register.AX, Register.DX);
                break;
            case Mnemonic.Cdq:
                SignIntoData(Register.EAX, Register.EDX);
                break;
            case Mnemonic.Cqo:
                SignIntoData(Register.RAX, Register.RDX);
                break;
            default:
                Conditional(instruction);
                break;
        }
    }

    private void Move(in Instruction instruction)
    {
        int size = Size(instruction, 0);
        if (instruction.Op0Kind == OpKind.Memory)
            operands.Change(instruction, reads: false);
        else
            operands.Read(instruction);
        operands.Push(instruction, 1, size);
        operands.Pop(instruction);
    }

    private void Extend(in Instruction instruction, bool signed)
    {
        int from = Size(instruction, 1);
        operands.Read(instruction);
        operands.Push(instruction, 1, from);
        if (signed)
            il.Signed(from);
        if (Size(instruction, 0) == 8)
        {
            // A sign goes on into the upper half; what is zero above stays so.
            il.Op(signed ? OpCodes.Conv_I4 : OpCodes.Conv_U4);
            il.Op(signed ? OpCodes.Conv_I8 : OpCodes.Conv_U8);
        }

        operands.Pop(instruction);
    }

    private void Binary(in Instruction instruction, OpCode operation, LazyOperation lazy, bool setsFlags, bool writes)
    {
        int size = Size(instruction, 0);
        if (writes)
            operands.ReadOrChange(instruction);
        else
            operands.Read(instruction);
        if (setsFlags)
        {
            operands.Push(instruction, 0, size);
            flags.TakeFirst(size);
            operands.Push(instruction, 1, size);
            flags.TakeSecond(size);
            flags.Wait(lazy, size);
        }

        if (!writes)
            return;
        if (setsFlags)
        {
            flags.PushFirst(size);
            flags.PushSecond(size);
        }
        else
        {
            operands.Push(instruction, 0, size);
            operands.Push(instruction, 1, size);
        }

        il.Op(operation);
        operands.Pop(instruction);
    }

    private void Logic(in Instruction instruction, OpCode operation, bool setsFlags, bool writes)
    {
        int size = Size(instruction, 0);
        if (writes)
            operands.ReadOrChange(instruction);
        else
            operands.Read(instruction);
        if (!setsFlags && !writes)
            return;
        if (writes && size < 4 && instruction.Op0Kind == OpKind.Register && !RegionIl.IsHigh(instruction.Op0Register))
        {
            LogicOfLowBytes(instruction, operation, setsFlags);
            return;
        }

        operands.Push(instruction, 0, size);
        if (writes || !IsOneRegister(instruction))
        {
            operands.Push(instruction, 1, size);
            il.Op(operation);
        }

        if (setsFlags)
        {
            flags.TakeFirst(size);
            flags.Wait(LazyOperation.Logic, size, IsOfBit(instruction, operation));
            if (!writes)
                return;
            flags.PushFirst(size);
        }

        operands.Pop(instruction);
    }

    /// <summary>On the whole register, whose upper bytes the second value leaves as they are.</summary>
    private void LogicOfLowBytes(in Instruction instruction, OpCode operation, bool setsFlags)
    {
        int size = Size(instruction, 0);
        il.LoadGeneral(instruction.Op0Register);
        operands.Push(instruction, 1, size);
        il.Widen(size);
        if (operation == OpCodes.And)
        {
            il.Constant(size == 1 ? ~0xffL : ~0xffffL);
            il.Op(OpCodes.Or);
        }

        il.Op(operation);
        il.StoreGeneral(instruction.Op0Register);
        if (!setsFlags)
            return;
        il.PushRegister(instruction.Op0Register);
        flags.TakeFirst(size);
        flags.Wait(LazyOperation.Logic, size);
    }

    private static bool IsOfBit(in Instruction instruction, OpCode operation) =>
        operation == OpCodes.And && instruction.GetOpKind(1) is >= OpKind.Immediate8 and <= OpKind.Immediate32to64 && instruction.GetImmediate(1) == 1;

    private static bool IsOneRegister(in Instruction instruction) =>
        instruction.Op0Kind == OpKind.Register && instruction.Op1Kind == OpKind.Register && instruction.Op0Register == instruction.Op1Register;

    private void Step(in Instruction instruction, OpCode operation, LazyOperation lazy, bool setsFlags, ulong wanted)
    {
        int size = Size(instruction, 0);
        operands.Change(instruction);
        flags.KeepCarry(wanted);
        operands.Push(instruction, 0, size);
        if (setsFlags)
        {
            flags.TakeFirst(size);
            flags.Wait(lazy, size);
            flags.PushFirst(size);
        }

        if (size == 8)
            il.Constant(1);
        else
            il.Small(1);
        il.Op(operation);
        operands.Pop(instruction);
    }

    private void Negate(in Instruction instruction, bool setsFlags)
    {
        int size = Size(instruction, 0);
        operands.Change(instruction);
        operands.Push(instruction, 0, size);
        if (setsFlags)
        {
            flags.TakeSecond(size);
            il.Constant(0);
            flags.TakeFirst(8);
            flags.Wait(LazyOperation.Subtract, size);
            flags.PushSecond(size);
        }

        il.Op(OpCodes.Neg);
        operands.Pop(instruction);
    }

    /// <summary>ADC and SBB: the carry in comes from what waits; then it waits as CF with the two values.</summary>
    private void WithCarry(in Instruction instruction, OpCode operation, LazyOperation lazy, bool setsFlags)
    {
        int size = Size(instruction, 0);
        operands.ReadOrChange(instruction);
        flags.PrepareCondition(ConditionCode.b);
        flags.PushCondition(ConditionCode.b);
        il.Store(_high);
        operands.Push(instruction, 0, size);
        il.Widen(size);
        il.Store(_first);
        operands.Push(instruction, 1, size);
        il.Widen(size);
        il.Store(_second);
        if (setsFlags)
        {
            flags.SetCarry(_high);
            il.Load(_first);
            flags.TakeFirst(8);
            il.Load(_second);
            flags.TakeSecond(8);
            flags.Wait(lazy, size);
        }

        il.Load(_first);
        il.Narrowed(size);
        il.Load(_second);
        il.Narrowed(size);
        il.Op(operation);
        il.Load(_high);
        if (size == 8)
            il.Op(OpCodes.Conv_U8);
        il.Op(operation);
        operands.Pop(instruction);
    }

    private void Count(in Instruction instruction, string meaning, ulong wanted)
    {
        int size = Size(instruction, 0);
        operands.Read(instruction);
        meanings.Keep(wanted, instruction);
        operands.Push(instruction, 1, size);
        meanings.Call(typeof(BitScans), meaning, size);
        operands.Pop(instruction);
    }

    /// <summary>BSF and BSR: of 0 they set ZF and leave the destination.</summary>
    private void Scan(in Instruction instruction, string meaning, ulong wanted)
    {
        int size = Size(instruction, 0);
        operands.Read(instruction);
        meanings.Keep(wanted, instruction);
        operands.Push(instruction, 1, size);
        il.Widen(size);
        il.Store(_second);
        il.Load(_second);
        il.Narrowed(size);
        meanings.Call(typeof(BitScans), nameof(BitScans.SetZero), size);
        System.Reflection.Emit.Label empty = il.Label();
        il.Load(_second);
        il.Branch(OpCodes.Brfalse, empty);
        il.Load(_second);
        il.Narrowed(size);
        il.Call(MeaningEmitter.MethodOf(typeof(BitScans), meaning, size));
        operands.Pop(instruction);
        il.Mark(empty);
    }

    private void Exchange(in Instruction instruction)
    {
        int size = Size(instruction, 0);
        il.PushRegister(instruction.Op0Register);
        il.Widen(size);
        il.Store(_first);
        il.PushRegister(instruction.Op1Register);
        il.Widen(size);
        il.Store(_second);
        il.Load(_second);
        il.Narrowed(size);
        il.PopRegister(instruction.Op0Register);
        il.Load(_first);
        il.Narrowed(size);
        il.PopRegister(instruction.Op1Register);
    }

    private void ExtendAccumulator(Register from, Register to)
    {
        il.PushRegister(from);
        il.Signed(from.GetSize());
        if (to == Register.RAX)
        {
            il.Op(OpCodes.Conv_I4);
            il.Op(OpCodes.Conv_I8);
        }

        il.PopRegister(to);
    }

    private void SignIntoData(Register accumulator, Register data)
    {
        int size = accumulator.GetSize();
        il.PushRegister(accumulator);
        il.Signed(size);
        il.Small(size == 8 ? 63 : 31);
        il.Op(OpCodes.Shr);
        il.PopRegister(data);
    }

    /// <summary>SETcc and CMOVcc; a 32-bit CMOVcc clears the upper half even if the condition is false.</summary>
    private void Conditional(in Instruction instruction)
    {
        ConditionCode condition = instruction.ConditionCode;
        if (instruction.OpCount == 1)
        {
            operands.Change(instruction, reads: false);
            flags.PrepareCondition(condition);
            flags.PushCondition(condition);
            operands.Pop(instruction);
            return;
        }

        int size = Size(instruction, 0);
        operands.Read(instruction);
        flags.PrepareCondition(condition);

        // No branch: programs use CMOVcc where nothing predicts. (One side & mask) | (other side & ~mask).
        int chosen = flags.IsMaskInverted(condition) ? 0 : 1;
        LocalBuilder mask = size == 8 ? _wideMask : _mask;
        flags.PushMask(condition);
        if (size == 8)
            il.Op(OpCodes.Conv_I8);
        il.Store(mask);
        operands.Push(instruction, chosen, size);
        il.Load(mask);
        il.Op(OpCodes.And);
        operands.Push(instruction, 1 - chosen, size);
        il.Load(mask);
        il.Op(OpCodes.Not);
        il.Op(OpCodes.And);
        il.Op(OpCodes.Or);
        il.PopRegister(instruction.Op0Register);
    }

    private void PushOperands(in Instruction instruction, int first)
    {
        operands.Read(instruction);
        operands.PushBoth(instruction, first, Size(instruction, 0));
    }
}
