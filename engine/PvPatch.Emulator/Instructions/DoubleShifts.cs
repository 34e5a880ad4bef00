using System.Numerics;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>SHLD or SHRD.</summary>
internal unsafe interface IDoubleShift
{
    static abstract T Do<T>(CpuState* cpu, T a, T b, int count)
        where T : unmanaged, IBinaryInteger<T>;
}

/// <summary>SHLD.</summary>
internal unsafe struct DoubleLeft : IDoubleShift
{
    public static T Do<T>(CpuState* cpu, T a, T b, int count)
        where T : unmanaged, IBinaryInteger<T> => Shifts.DoubleLeft(a, b, count, ref cpu->RFlags);
}

/// <summary>SHRD.</summary>
internal unsafe struct DoubleRight : IDoubleShift
{
    public static T Do<T>(CpuState* cpu, T a, T b, int count)
        where T : unmanaged, IBinaryInteger<T> => Shifts.DoubleRight(a, b, count, ref cpu->RFlags);
}

/// <summary>Handlers of SHLD and SHRD.</summary>
internal static unsafe class DoubleShifts
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static DecodedInstruction* ByImmediate<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift
        where T : unmanaged, IBinaryInteger<T> => Register<TMeaning, T>(cpu, u, (int)u->Immediate);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static DecodedInstruction* ByCl<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift
        where T : unmanaged, IBinaryInteger<T> => Register<TMeaning, T>(cpu, u, (byte)cpu->Rcx);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static DecodedInstruction* MemoryByImmediate<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift
        where T : unmanaged, IBinaryInteger<T> => Memory<TMeaning, T>(cpu, u, (int)u->Immediate);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static DecodedInstruction* MemoryByCl<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IDoubleShift
        where T : unmanaged, IBinaryInteger<T> => Memory<TMeaning, T>(cpu, u, (byte)cpu->Rcx);

    private static DecodedInstruction* Register<TMeaning, T>(CpuState* cpu, DecodedInstruction* u, int count)
        where TMeaning : IDoubleShift
        where T : unmanaged, IBinaryInteger<T>
    {
        T result = TMeaning.Do(cpu, Operands.Register<T>(cpu, u->Op0), Operands.Register<T>(cpu, u->Op1), count);
        Operands.SetRegister(cpu, u->Op0, result);
        return u + 1;
    }

    private static DecodedInstruction* Memory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u, int count)
        where TMeaning : IDoubleShift
        where T : unmanaged, IBinaryInteger<T>
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
        Unsafe.WriteUnaligned(host, TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(host), Operands.Register<T>(cpu, u->Op1), count));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }
}
