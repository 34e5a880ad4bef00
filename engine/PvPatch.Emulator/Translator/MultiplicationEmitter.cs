using System.Reflection.Emit;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using static PvPatch.Emulator.Translator.OperandEmitter;

namespace PvPatch.Emulator.Translator;

/// <summary>MUL, IMUL, DIV and IDIV. Divisions that IL could not do exactly, and #DE, are the interpreter's.</summary>
internal sealed class MultiplicationEmitter(RegionIl il, FlagEmitter flags, OperandEmitter operands, SideExits exits)
{
    private readonly LocalBuilder _first = il.Local();
    private readonly LocalBuilder _second = il.Local();
    private readonly LocalBuilder _high = il.NarrowLocal();
    private readonly LocalBuilder _wideHigh = il.Local();

    /// <summary>IMUL with two or three operands.</summary>
    public void Multiply(in Instruction instruction, bool setsFlags)
    {
        int size = Size(instruction, 0);
        int first = instruction.OpCount == 3 ? 1 : 0;
        operands.Read(instruction);
        if (setsFlags)
        {
            operands.Push(instruction, first, size);
            flags.TakeFirst(size);
            operands.Push(instruction, first + 1, size);
            flags.TakeSecond(size);
            flags.Wait(LazyOperation.SignedProduct, size);
            flags.PushFirst(size);
            flags.PushSecond(size);
        }
        else
        {
            operands.PushBoth(instruction, first, size);
        }

        il.Op(OpCodes.Mul);
        operands.Pop(instruction);
    }

    /// <summary>MUL and IMUL of the accumulator.</summary>
    public void MultiplyAccumulator(in Instruction instruction, LazyOperation operation, bool setsFlags)
    {
        int size = Size(instruction, 0);
        operands.Read(instruction);
        il.PushRegister(Accumulator(size));
        il.Widen(size);
        il.Store(_first);
        operands.Push(instruction, 0, size);
        il.Widen(size);
        il.Store(_second);
        if (setsFlags)
        {
            il.Load(_first);
            flags.TakeFirst(sizeof(ulong));
            il.Load(_second);
            flags.TakeSecond(sizeof(ulong));
            flags.Wait(operation, size);
        }

        LocalBuilder high = size == sizeof(ulong) ? _wideHigh : _high;
        il.Load(_first);
        il.Narrowed(size);
        il.Load(_second);
        il.Narrowed(size);
        il.Address(high);
        il.Call(MeaningEmitter.MethodOf(typeof(Multiplication), operation == LazyOperation.SignedProduct ? nameof(Multiplication.WideSigned) : nameof(Multiplication.Wide), size));
        il.PopRegister(Accumulator(size));
        il.Load(high);
        il.PopRegister(Data(size));
    }

    /// <summary>DIV; #DE is the interpreter's, and so are 32-bit dividends whose upper half is not 0.</summary>
    public void Divide(in Instruction instruction)
    {
        int size = Size(instruction, 0);
        operands.Read(instruction);
        TakeWide(instruction, size);
        if (size == 8)
        {
            il.PushRegister(Register.RDX);
            il.Load(_second);
            il.Branch(OpCodes.Bge_Un, exits.Before(ExitReason.Instruction));
            il.PushRegister(Register.RDX);
            il.PushRegister(Register.RAX);
            il.Load(_second);
            il.Address(_first);
            il.Call(MeaningEmitter.MethodOf(typeof(Multiplication), nameof(Multiplication.Quotient), size));
            il.PopRegister(Register.RAX);
            il.Load(_first);
            il.PopRegister(Register.RDX);
            return;
        }

        il.Load(_second);
        il.Constant(0);
        il.Branch(OpCodes.Beq, exits.Before(ExitReason.Instruction));
        il.PushRegister(Data(size));
        il.Branch(OpCodes.Brtrue, exits.Before(ExitReason.Instruction));
        PushQuotient(size, OpCodes.Div_Un, OpCodes.Rem_Un);
    }

    /// <summary>IDIV of a dividend whose upper half is the sign of the lower one, by neither 0 nor -1; others are the interpreter's.</summary>
    public void DivideSigned(in Instruction instruction)
    {
        int size = Size(instruction, 0);
        operands.Read(instruction);
        TakeWide(instruction, size);
        il.Load(_second);
        il.Narrowed(size);
        Number(1);
        il.Op(OpCodes.Add);
        Number(1);
        il.Branch(OpCodes.Ble_Un, exits.Before(ExitReason.Instruction));
        il.PushRegister(Data(size));
        il.PushRegister(Accumulator(size));
        il.Small((size * 8) - 1);
        il.Op(OpCodes.Shr);
        il.Branch(OpCodes.Bne_Un, exits.Before(ExitReason.Instruction));
        PushQuotient(size, OpCodes.Div, OpCodes.Rem);

        void Number(int value)
        {
            if (size == 8)
                il.Constant(value);
            else
                il.Small(value);
        }
    }

    /// <summary>The divisor, kept since the side exits need an empty stack.</summary>
    private void TakeWide(in Instruction instruction, int size)
    {
        operands.Push(instruction, 0, size);
        il.Widen(size);
        il.Store(_second);
    }

    private void PushQuotient(int size, OpCode divide, OpCode remainder)
    {
        il.PushRegister(Accumulator(size));
        il.Widen(size);
        il.Store(_first);
        One(divide);
        il.PopRegister(Accumulator(size));
        One(remainder);
        il.PopRegister(Data(size));

        void One(OpCode operation)
        {
            il.Load(_first);
            il.Narrowed(size);
            il.Load(_second);
            il.Narrowed(size);
            il.Op(operation);
        }
    }

    private static Register Accumulator(int size) => size == 8 ? Register.RAX : Register.EAX;

    private static Register Data(int size) => size == 8 ? Register.RDX : Register.EDX;
}
