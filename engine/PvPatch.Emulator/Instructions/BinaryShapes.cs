using System.Runtime.CompilerServices;
using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Where the second operand of a binary instruction comes from, when not from memory.</summary>
internal unsafe interface ISource
{
    static abstract T Read<T>(CpuState* cpu, DecodedInstruction* u);
}

/// <summary>The second operand is a register.</summary>
internal unsafe struct FromRegister : ISource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Read<T>(CpuState* cpu, DecodedInstruction* u) =>
        Operands.Register<T>(cpu, u->Op1);
}

/// <summary>The second operand is an immediate.</summary>
internal unsafe struct FromImmediate : ISource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Read<T>(CpuState* cpu, DecodedInstruction* u) =>
        Integer.Truncate<T>(u->Immediate);
}

/// <summary>Handlers of instructions with two operands, by where the operands are.</summary>
internal static unsafe class BinaryShapes
{
    /// <summary>Register, register or immediate.</summary>
    public static DecodedInstruction* ToRegister<TMeaning, T, TSource>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
        where TSource : ISource
    {
        T a = TMeaning.First != OpAccess.Write ? Operands.Register<T>(cpu, u->Op0) : Integer.Zero<T>();
        T result = TMeaning.Do(cpu, a, TSource.Read<T>(cpu, u));
        if (TMeaning.First != OpAccess.Read)
            Operands.SetRegister(cpu, u->Op0, result);
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>Register, memory.</summary>
    public static DecodedInstruction* FromMemory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        byte* host = Operands.QuickRead(cpu, u, sizeof(T));
        if (host == null)
            return FromMemorySlowly<TMeaning, T>(cpu, u);
        T a = TMeaning.First != OpAccess.Write ? Operands.Register<T>(cpu, u->Op0) : Integer.Zero<T>();
        // SAFETY: QuickRead gave the address of sizeof(T) readable bytes.
        T result = TMeaning.Do(cpu, a, Unsafe.ReadUnaligned<T>(host));
        if (TMeaning.First != OpAccess.Read)
            Operands.SetRegister(cpu, u->Op0, result);
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>Memory, register or immediate.</summary>
    public static DecodedInstruction* ToMemory<TMeaning, T, TSource>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
        where TSource : ISource
    {
        byte* host = TMeaning.First != OpAccess.Read ? Operands.QuickWrite(cpu, u, sizeof(T)) : Operands.QuickRead(cpu, u, sizeof(T));
        if (host == null)
            return ToMemorySlowly<TMeaning, T, TSource>(cpu, u);
        // SAFETY: QuickWrite or QuickRead gave the address of sizeof(T) bytes that may be so accessed.
        T result = TMeaning.Do(cpu, TMeaning.First != OpAccess.Write ? Unsafe.ReadUnaligned<T>(host) : Integer.Zero<T>(), TSource.Read<T>(cpu, u));
        if (TMeaning.First != OpAccess.Read)
            Unsafe.WriteUnaligned(host, result);
        return Execution.Next(cpu, u + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* FromMemorySlowly<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        T a = TMeaning.First != OpAccess.Write ? Operands.Register<T>(cpu, u->Op0) : Integer.Zero<T>();
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        T result = TMeaning.Do(cpu, a, Unsafe.ReadUnaligned<T>(host));
        if (TMeaning.First != OpAccess.Read)
            Operands.SetRegister(cpu, u->Op0, result);
        return u + 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* ToMemorySlowly<TMeaning, T, TSource>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
        where TSource : ISource
    {
        ulong linear = Operands.Linear(cpu, u, sizeof(T), TMeaning.First != OpAccess.Read);
        if (TMeaning.First == OpAccess.Write)
            return Operands.Write(cpu, u, linear, TMeaning.Do(cpu, Integer.Zero<T>(), TSource.Read<T>(cpu, u)));

        if (TMeaning.First == OpAccess.Read)
        {
            byte* source = Operands.Read(cpu, u, linear, sizeof(T));
            if (source == null)
                return null;
            // SAFETY: Read gave the address of sizeof(T) readable bytes.
            TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(source), TSource.Read<T>(cpu, u));
            return u + 1;
        }

        byte* host = Operands.Modify(cpu, u, linear, sizeof(T), out bool slow);
        if (host == null)
            return null;
        // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
        Unsafe.WriteUnaligned(host, TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(host), TSource.Read<T>(cpu, u)));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>Memory, register or immediate, under LOCK: one atomic step.</summary>
    public static DecodedInstruction* ToLockedMemory<TMeaning, T, TSource>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
        where TSource : ISource
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        T b = TSource.Read<T>(cpu, u);
        ulong flags = cpu->RFlags;
        T seen;
        T result;
        do
        {
            cpu->RFlags = flags;
            // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
            seen = Unsafe.ReadUnaligned<T>(host);
            result = TMeaning.Do(cpu, seen, b);
        }
        while (Interlocked.CompareExchange(ref *(T*)host, result, seen) != seen);
        return slow ? Operands.Finish(cpu, u) : Execution.Next(cpu, u + 1);
    }

    /// <summary>Register, register, register or immediate: first operand is only written.</summary>
    public static DecodedInstruction* ThreeRegisters<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        Operands.SetRegister(cpu, u->Op0, TMeaning.Do(cpu, Operands.Register<T>(cpu, u->Op1), Operands.Register<T>(cpu, u->Op2)));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>Register, register, memory.</summary>
    public static DecodedInstruction* SecondFromMemory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        T b = Unsafe.ReadUnaligned<T>(host);
        Operands.SetRegister(cpu, u->Op0, TMeaning.Do(cpu, Operands.Register<T>(cpu, u->Op1), b));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>Register, memory, register: the memory operand is the first value.</summary>
    public static DecodedInstruction* FirstFromMemory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        T a = Unsafe.ReadUnaligned<T>(host);
        Operands.SetRegister(cpu, u->Op0, TMeaning.Do(cpu, a, Operands.Register<T>(cpu, u->Op2)));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>Register, register, immediate: IMUL and RORX.</summary>
    public static DecodedInstruction* RegisterAndImmediate<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        Operands.SetRegister(cpu, u->Op0, TMeaning.Do(cpu, Operands.Register<T>(cpu, u->Op1), Integer.Truncate<T>(u->Immediate)));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>Register, memory, immediate: IMUL and RORX.</summary>
    public static DecodedInstruction* MemoryAndImmediate<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        Operands.SetRegister(cpu, u->Op0, TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(host), Integer.Truncate<T>(u->Immediate)));
        return Execution.Next(cpu, u + 1);
    }
}

/// <summary>Handlers of instructions that change one operand.</summary>
internal static unsafe class UnaryShapes
{
    /// <summary>A register.</summary>
    public static DecodedInstruction* Register<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IUnary
    {
        Operands.SetRegister(cpu, u->Op0, TMeaning.Do(cpu, Operands.Register<T>(cpu, u->Op0)));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>Memory.</summary>
    public static DecodedInstruction* Memory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IUnary
    {
        byte* host = Operands.QuickWrite(cpu, u, sizeof(T));
        if (host == null)
            return MemorySlowly<TMeaning, T>(cpu, u);
        // SAFETY: QuickWrite gave the address of sizeof(T) bytes that may be changed.
        Unsafe.WriteUnaligned(host, TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(host)));
        return Execution.Next(cpu, u + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* MemorySlowly<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IUnary
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
        Unsafe.WriteUnaligned(host, TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(host)));
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>Memory under LOCK.</summary>
    public static DecodedInstruction* LockedMemory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IUnary
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        ulong flags = cpu->RFlags;
        T seen;
        T result;
        do
        {
            cpu->RFlags = flags;
            // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
            seen = Unsafe.ReadUnaligned<T>(host);
            result = TMeaning.Do(cpu, seen);
        }
        while (Interlocked.CompareExchange(ref *(T*)host, result, seen) != seen);
        return slow ? Operands.Finish(cpu, u) : Execution.Next(cpu, u + 1);
    }
}
