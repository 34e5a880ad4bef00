using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>An instruction that reads one operand and works on the accumulator; false is #DE.</summary>
internal unsafe interface IOnAccumulator
{
    static abstract bool TryDo<T>(CpuState* cpu, T operand);
}

/// <summary>Handlers of MUL, IMUL, DIV and IDIV with one operand, MULX and CRC32.</summary>
internal static unsafe class MultiplicationShapes
{
    public static DecodedInstruction* ByRegister<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IOnAccumulator =>
        TMeaning.TryDo(cpu, Operands.Register<T>(cpu, u->Op0)) ? u + 1 : Execution.Raise(cpu, u, Vectors.DivideError);

    public static DecodedInstruction* ByMemory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IOnAccumulator
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        return TMeaning.TryDo(cpu, Unsafe.ReadUnaligned<T>(host)) ? u + 1 : Execution.Raise(cpu, u, Vectors.DivideError);
    }

    /// <summary>MULX: the high half is written last, so that it wins when both go to one register.</summary>
    public static DecodedInstruction* MulxRegister<T>(CpuState* cpu, DecodedInstruction* u) =>
        Mulx(cpu, u, Operands.Register<T>(cpu, u->Op2));

    public static DecodedInstruction* MulxMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        return host == null ? null : Mulx(cpu, u, Unsafe.ReadUnaligned<T>(host));
    }

    public static DecodedInstruction* Crc32Register<T>(CpuState* cpu, DecodedInstruction* u)
    {
        Operands.SetRegister(cpu, u->Op0, BitScans.Crc32(Operands.Register<uint>(cpu, u->Op0), Operands.Register<T>(cpu, u->Op1)));
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Crc32Memory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        Operands.SetRegister(cpu, u->Op0, BitScans.Crc32(Operands.Register<uint>(cpu, u->Op0), Unsafe.ReadUnaligned<T>(host)));
        return Execution.Next(cpu, u + 1);
    }

    private static DecodedInstruction* Mulx<T>(CpuState* cpu, DecodedInstruction* u, T operand)
    {
        T low = Multiplication.Wide(Operands.Register<T>(cpu, RegisterPlaces.General(cpu, 2)), operand, out T high);
        Operands.SetRegister(cpu, u->Op1, low);
        Operands.SetRegister(cpu, u->Op0, high);
        return Execution.Next(cpu, u + 1);
    }
}

/// <summary>RDX:RAX and its narrower forms; for bytes the pair is AX.</summary>
internal static unsafe class AccumulatorPair
{
    public static T Low<T>(CpuState* cpu) =>
        Operands.Register<T>(cpu, RegisterPlaces.General(cpu, 0));

    public static T High<T>(CpuState* cpu) =>
        Operands.Register<T>(cpu, HighPlace<T>(cpu));

    public static void Set<T>(CpuState* cpu, T low, T high)
    {
        Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 0), low);
        Operands.SetRegister(cpu, HighPlace<T>(cpu), high);
    }

    private static ushort HighPlace<T>(CpuState* cpu) =>
        sizeof(T) == 1 ? (ushort)(RegisterPlaces.General(cpu, 0) + 1) : RegisterPlaces.General(cpu, 2);
}

/// <summary>MUL.</summary>
internal unsafe struct MulAccumulator : IOnAccumulator
{
    public static bool TryDo<T>(CpuState* cpu, T operand)
    {
        T low = Multiplication.Unsigned(AccumulatorPair.Low<T>(cpu), operand, out T high, ref cpu->RFlags);
        AccumulatorPair.Set(cpu, low, high);
        return true;
    }
}

/// <summary>IMUL with one operand.</summary>
internal unsafe struct ImulAccumulator : IOnAccumulator
{
    public static bool TryDo<T>(CpuState* cpu, T operand)
    {
        T low = Multiplication.Signed(AccumulatorPair.Low<T>(cpu), operand, out T high, ref cpu->RFlags);
        AccumulatorPair.Set(cpu, low, high);
        return true;
    }
}

/// <summary>DIV.</summary>
internal unsafe struct DivAccumulator : IOnAccumulator
{
    public static bool TryDo<T>(CpuState* cpu, T operand)
    {
        if (!Multiplication.TryDivide(AccumulatorPair.High<T>(cpu), AccumulatorPair.Low<T>(cpu), operand, out T quotient, out T remainder))
            return false;
        AccumulatorPair.Set(cpu, quotient, remainder);
        return true;
    }
}

/// <summary>IDIV.</summary>
internal unsafe struct IdivAccumulator : IOnAccumulator
{
    public static bool TryDo<T>(CpuState* cpu, T operand)
    {
        if (!Multiplication.TryDivideSigned(AccumulatorPair.High<T>(cpu), AccumulatorPair.Low<T>(cpu), operand, out T quotient, out T remainder))
            return false;
        AccumulatorPair.Set(cpu, quotient, remainder);
        return true;
    }
}
