using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers that move, extend, exchange and convert values without arithmetic (Intel SDM vol. 1, 7.3.1).</summary>
internal static unsafe class Moves
{
    private const ulong SahfFlags = RFlags.Carry | RFlags.Parity | RFlags.Adjust | RFlags.Zero | RFlags.Sign;

    public static DecodedInstruction* Nothing(CpuState* cpu, DecodedInstruction* u) => Execution.Next(cpu, u + 1);

    /// <summary>MOVZX, MOVSX, MOVSXD from a register.</summary>
    public static DecodedInstruction* ExtendRegister<T, TNarrow>(CpuState* cpu, DecodedInstruction* u)
    {
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(Integer.Extend(Operands.Register<TNarrow>(cpu, u->Op1))));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>MOVZX, MOVSX, MOVSXD from memory.</summary>
    public static DecodedInstruction* ExtendMemory<T, TNarrow>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.QuickRead(cpu, u, sizeof(TNarrow));
        if (host == null)
            return ExtendMemorySlowly<T, TNarrow>(cpu, u);
        // SAFETY: QuickRead gave the address of sizeof(TNarrow) readable bytes.
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(Integer.Extend(Unsafe.ReadUnaligned<TNarrow>(host))));
        return Execution.Next(cpu, u + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* ExtendMemorySlowly<T, TNarrow>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(TNarrow), write: false), sizeof(TNarrow));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(TNarrow) readable bytes.
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(Integer.Extend(Unsafe.ReadUnaligned<TNarrow>(host))));
        return u + 1;
    }

    public static DecodedInstruction* Lea<T>(CpuState* cpu, DecodedInstruction* u)
    {
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(Operands.Effective(cpu, u)));
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* SetRegister<TCondition>(CpuState* cpu, DecodedInstruction* u)
        where TCondition : ICondition
    {
        Operands.SetRegister(cpu, u->Op0, (byte)(TCondition.Holds(cpu->RFlags) ? 1 : 0));
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* SetMemory<TCondition>(CpuState* cpu, DecodedInstruction* u)
        where TCondition : ICondition =>
        Operands.Write(cpu, u, Operands.Linear(cpu, u, 1, write: true), (byte)(TCondition.Holds(cpu->RFlags) ? 1 : 0));

    /// <summary>CMOVcc: a 32-bit one clears the upper half even when the condition is false.</summary>
    public static DecodedInstruction* ConditionalRegister<TCondition, T>(CpuState* cpu, DecodedInstruction* u)
        where TCondition : ICondition
    {
        T value = Operands.Register<T>(cpu, TCondition.Holds(cpu->RFlags) ? u->Op1 : u->Op0);
        Operands.SetRegister(cpu, u->Op0, value);
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>CMOVcc from memory: the memory is read whatever the condition.</summary>
    public static DecodedInstruction* ConditionalMemory<TCondition, T>(CpuState* cpu, DecodedInstruction* u)
        where TCondition : ICondition
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        T value = TCondition.Holds(cpu->RFlags) ? Unsafe.ReadUnaligned<T>(host) : Operands.Register<T>(cpu, u->Op0);
        Operands.SetRegister(cpu, u->Op0, value);
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* ExchangeRegisters<T>(CpuState* cpu, DecodedInstruction* u)
    {
        T a = Operands.Register<T>(cpu, u->Op0);
        T b = Operands.Register<T>(cpu, u->Op1);
        Operands.SetRegister(cpu, u->Op0, b);
        Operands.SetRegister(cpu, u->Op1, a);
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>XCHG with memory is atomic with or without LOCK.</summary>
    public static DecodedInstruction* ExchangeMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
        T old = Interlocked.Exchange(ref *(T*)host, Operands.Register<T>(cpu, u->Op1));
        Operands.SetRegister(cpu, u->Op1, old);
        return slow ? Operands.Finish(cpu, u) : Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* ExchangeAddRegisters<T>(CpuState* cpu, DecodedInstruction* u)
    {
        T a = Operands.Register<T>(cpu, u->Op0);
        T sum = Arithmetic.Add(a, Operands.Register<T>(cpu, u->Op1), ref cpu->RFlags);
        Operands.SetRegister(cpu, u->Op1, a);
        Operands.SetRegister(cpu, u->Op0, sum);
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* ExchangeAddMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        T addend = Operands.Register<T>(cpu, u->Op1);
        T seen;
        T sum;
        do
        {
            // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
            seen = Unsafe.ReadUnaligned<T>(host);
            sum = Arithmetic.Add(seen, addend, ref cpu->RFlags);
        }
        while (Interlocked.CompareExchange(ref *(T*)host, sum, seen) != seen);
        Operands.SetRegister(cpu, u->Op1, seen);
        return slow ? Operands.Finish(cpu, u) : Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* CompareExchangeRegisters<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ushort accumulator = RegisterPlaces.General(cpu, 0);
        T expected = Operands.Register<T>(cpu, accumulator);
        T found = Operands.Register<T>(cpu, u->Op0);
        Arithmetic.Subtract(expected, found, ref cpu->RFlags);
        if (found == expected)
            Operands.SetRegister(cpu, u->Op0, Operands.Register<T>(cpu, u->Op1));
        else
            Operands.SetRegister(cpu, accumulator, found);
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* CompareExchangeMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), sizeof(T), out bool slow);
        if (host == null)
            return null;
        ushort accumulator = RegisterPlaces.General(cpu, 0);
        T expected = Operands.Register<T>(cpu, accumulator);
        // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
        T found = Interlocked.CompareExchange(ref *(T*)host, Operands.Register<T>(cpu, u->Op1), expected);
        Arithmetic.Subtract(expected, found, ref cpu->RFlags);
        if (found != expected)
            Operands.SetRegister(cpu, accumulator, found);
        return slow ? Operands.Finish(cpu, u) : Execution.Next(cpu, u + 1);
    }

    /// <summary>CMPXCHG8B: EDX:EAX against memory, ECX:EBX goes in.</summary>
    public static DecodedInstruction* CompareExchange8(CpuState* cpu, DecodedInstruction* u)
    {
        byte* host = Operands.Modify(cpu, u, Operands.Linear(cpu, u, 8, write: true), 8, out bool slow);
        if (host == null)
            return null;
        ulong expected = ((ulong)(uint)cpu->Rdx << 32) | (uint)cpu->Rax;
        ulong wanted = ((ulong)(uint)cpu->Rcx << 32) | (uint)cpu->Rbx;
        // SAFETY: Modify gave the address of 8 bytes that may be changed.
        ulong found = Interlocked.CompareExchange(ref *(ulong*)host, wanted, expected);
        SetZero(cpu, found == expected);
        if (found != expected)
        {
            cpu->Rax = (uint)found;
            cpu->Rdx = found >> 32;
        }

        return slow ? Operands.Finish(cpu, u) : Execution.Next(cpu, u + 1);
    }

    /// <summary>CMPXCHG16B: RDX:RAX against aligned memory, RCX:RBX goes in.</summary>
    public static DecodedInstruction* CompareExchange16(CpuState* cpu, DecodedInstruction* u)
    {
        ulong linear = Operands.Linear(cpu, u, 16, write: true);
        if ((linear & 15) != 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        byte* host = Operands.Modify(cpu, u, linear, 16, out bool slow);
        if (host == null)
            return null;
        var expected = new UInt128(cpu->Rdx, cpu->Rax);
        var wanted = new UInt128(cpu->Rcx, cpu->Rbx);
        // .NET has no atomic access of 16 bytes. The CPUs of one memory take turns, so none of them sees the halves apart.
        // SAFETY: Modify gave the address of 16 bytes that may be changed.
        var place = (ulong*)host;
        var found = new UInt128(place[1], place[0]);
        SetZero(cpu, found == expected);
        if (found == expected)
        {
            place[0] = (ulong)wanted;
            place[1] = (ulong)(wanted >> 64);
        }
        else
        {
            cpu->Rax = (ulong)found;
            cpu->Rdx = (ulong)(found >> 64);
        }

        return slow ? Operands.Finish(cpu, u) : Execution.Next(cpu, u + 1);
    }

    /// <summary>CBW, CWDE, CDQE.</summary>
    public static DecodedInstruction* ExtendAccumulator<T, TNarrow>(CpuState* cpu, DecodedInstruction* u)
    {
        ushort accumulator = RegisterPlaces.General(cpu, 0);
        Operands.SetRegister(cpu, accumulator, Integer.Truncate<T>(Integer.Extend(Operands.Register<TNarrow>(cpu, accumulator))));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>CWD, CDQ, CQO: the sign of the accumulator fills the data register.</summary>
    public static DecodedInstruction* SignIntoData<T>(CpuState* cpu, DecodedInstruction* u)
    {
        bool negative = StatusFlags.Top(Operands.Register<T>(cpu, RegisterPlaces.General(cpu, 0))) != 0;
        Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 2), negative ? ~Integer.Zero<T>() : Integer.Zero<T>());
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>XLATB: AL is the byte at the memory operand, whose index is AL.</summary>
    public static DecodedInstruction* Translate(CpuState* cpu, DecodedInstruction* u)
    {
        ulong offset = cpu->Rbx + (byte)cpu->Rax;
        if ((u->Addressing & Addressing.Cut32) != Addressing.Flat)
            offset = (uint)offset;
        if ((u->Addressing & Addressing.Cut16) != Addressing.Flat)
            offset = (ushort)offset;
        ulong linear = u->Addressing == Addressing.Flat ? offset : Operands.InSegment(cpu, u, offset, 1, write: false);
        byte* host = Operands.Read(cpu, u, linear, 1);
        if (host == null)
            return null;
        Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 0), *host);
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Lahf(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->Rax = (cpu->Rax & ~0xff00ul) | (((cpu->RFlags & SahfFlags) | RFlags.Fixed) << 8);
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Sahf(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->RFlags = (cpu->RFlags & ~SahfFlags) | ((cpu->Rax >> 8) & SahfFlags);
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>SALC: AL is all ones or zero, as CF says.</summary>
    public static DecodedInstruction* Salc(CpuState* cpu, DecodedInstruction* u)
    {
        Operands.SetRegister(cpu, RegisterPlaces.General(cpu, 0), (byte)((cpu->RFlags & RFlags.Carry) != 0 ? 0xff : 0));
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Clc(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->RFlags &= ~RFlags.Carry;
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Stc(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->RFlags |= RFlags.Carry;
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Cmc(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->RFlags ^= RFlags.Carry;
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Cld(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->RFlags &= ~RFlags.Direction;
        return Execution.Next(cpu, u + 1);
    }

    public static DecodedInstruction* Std(CpuState* cpu, DecodedInstruction* u)
    {
        cpu->RFlags |= RFlags.Direction;
        return Execution.Next(cpu, u + 1);
    }

    private static void SetZero(CpuState* cpu, bool set) => cpu->RFlags = (cpu->RFlags & ~RFlags.Zero) | (set ? RFlags.Zero : 0);
}
