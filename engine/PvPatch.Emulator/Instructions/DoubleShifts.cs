using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>SHLD or SHRD.</summary>
internal unsafe interface IDoubleShift
{
    static abstract T Do<T>(CpuState* cpu, T a, T b, int count);
}

/// <summary>SHLD.</summary>
internal unsafe struct DoubleLeft : IDoubleShift
{
    public static T Do<T>(CpuState* cpu, T a, T b, int count) =>
        Shifts.DoubleLeft(a, b, count, ref cpu->RFlags);
}

/// <summary>SHRD.</summary>
internal unsafe struct DoubleRight : IDoubleShift
{
    public static T Do<T>(CpuState* cpu, T a, T b, int count) =>
        Shifts.DoubleRight(a, b, count, ref cpu->RFlags);
}

/// <summary>Handlers of SHLD and SHRD.</summary>
internal static unsafe class DoubleShifts
{
    public static DecodedInstruction* ByImmediate<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift =>
        Register<TMeaning, T>(cpu, u, (int)u->Immediate);

    public static DecodedInstruction* ByCl<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift =>
        Register<TMeaning, T>(cpu, u, (byte)cpu->Rcx);

    public static DecodedInstruction* MemoryByImmediate<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift =>
        Memory<TMeaning, T>(cpu, u, (int)u->Immediate);

    public static DecodedInstruction* MemoryByCl<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift =>
        Memory<TMeaning, T>(cpu, u, (byte)cpu->Rcx);

    private static DecodedInstruction* Register<TMeaning, T>(CpuState* cpu, DecodedInstruction* u, int count)
        where TMeaning : IDoubleShift
    {
        T result = TMeaning.Do(cpu, Operands.Register<T>(cpu, u->Op0), Operands.Register<T>(cpu, u->Op1), count);
        Operands.SetRegister(cpu, u->Op0, result);
        return u + 1;
    }

    private static DecodedInstruction* Memory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u, int count)
        where TMeaning : IDoubleShift
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
        Unsafe.WriteUnaligned(host, TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(host), Operands.Register<T>(cpu, u->Op1), count));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }
}
