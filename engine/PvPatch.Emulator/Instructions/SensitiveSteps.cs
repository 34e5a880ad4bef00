using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// What comes before and after the op of a sensitive instruction; handlers and translated regions do the same, between the two lies the
/// call that the region binds. <c>Begin</c> is false where the instruction raises an exception instead; it is then told already. An
/// <c>End</c> says how it goes on, as a handler does.
/// </summary>
internal static unsafe class SensitiveSteps
{
    /// <summary>Whether a machine answers; else #UD. The clock is then exact, RIP is the instruction's, and the machine may do anything.</summary>
    public static bool Begin(CpuState* cpu, DecodedInstruction* u)
    {
        if (cpu->Sensitive == null)
        {
            Execution.Raise(cpu, u, Vectors.InvalidOpcode);
            return false;
        }

        cpu->Rip = u->Rip;
        if (cpu->RunsMany != 0)
            Execution.Of(cpu)->CatchUp(cpu);
        return true;
    }

    /// <summary>For what only CPL 0 may do.</summary>
    public static bool BeginSupervisor(CpuState* cpu, DecodedInstruction* u) => Privileged.IsSupervisor(cpu, u) && Begin(cpu, u);

    /// <summary>For RDTSC.</summary>
    public static bool BeginTime(CpuState* cpu, DecodedInstruction* u) =>
        ((cpu->Cr4 & Cr4Bits.TimeStampDisable) == 0 || Privileged.IsSupervisor(cpu, u)) && Begin(cpu, u);

    /// <summary>For IN and OUT.</summary>
    public static bool BeginPort(CpuState* cpu, DecodedInstruction* u, ushort port, int size) =>
        Ports.IsAllowed(cpu, u, port, size) && Begin(cpu, u);

    /// <summary>Goes on behind the instruction; not if something is due, or not as it was.</summary>
    public static DecodedInstruction* End(CpuState* cpu, DecodedInstruction* u)
    {
        Execution* execution = Execution.Of(cpu);
        if (!execution->CaughtUp || execution->MustLeave(cpu))
            return Privileged.Done(cpu, u);
        execution->CaughtUp = false;
        cpu->RunsMany = 1;
        return u + 1;
    }

    /// <summary>After what may return a vector.</summary>
    public static DecodedInstruction* EndChecked(CpuState* cpu, DecodedInstruction* u, uint vector) =>
        vector != 0 ? Execution.Raise(cpu, u, vector) : End(cpu, u);

    /// <summary>After what may return a vector, and else changes mode or translations.</summary>
    public static DecodedInstruction* EndChanged(CpuState* cpu, DecodedInstruction* u, uint vector) =>
        vector != 0 ? Execution.Raise(cpu, u, vector) : Privileged.Done(cpu, u);

    /// <summary>After CPUID.</summary>
    public static DecodedInstruction* EndCpuid(CpuState* cpu, DecodedInstruction* u, CpuidRegisters* answer)
    {
        cpu->Rax = answer->Eax;
        cpu->Rbx = answer->Ebx;
        cpu->Rcx = answer->Ecx;
        cpu->Rdx = answer->Edx;
        return End(cpu, u);
    }

    /// <summary>After RDMSR.</summary>
    public static DecodedInstruction* EndRdmsr(CpuState* cpu, DecodedInstruction* u, uint vector, ulong value) =>
        vector != 0 ? Execution.Raise(cpu, u, vector) : EndRdtsc(cpu, u, value);

    /// <summary>After RDTSC: EDX:EAX.</summary>
    public static DecodedInstruction* EndRdtsc(CpuState* cpu, DecodedInstruction* u, ulong value)
    {
        cpu->Rax = (uint)value;
        cpu->Rdx = value >> 32;
        return End(cpu, u);
    }

    /// <summary>After IN.</summary>
    public static DecodedInstruction* EndIn(CpuState* cpu, DecodedInstruction* u, uint value, ushort port, int size)
    {
        Breakpoints.NotePort(cpu, port, size);
        cpu->Rax = size switch
        {
            1 => (cpu->Rax & ~0xfful) | (byte)value,
            2 => (cpu->Rax & ~0xfffful) | (ushort)value,
            _ => value,
        };
        return End(cpu, u);
    }

    /// <summary>After OUT.</summary>
    public static DecodedInstruction* EndOut(CpuState* cpu, DecodedInstruction* u, ushort port, int size)
    {
        Breakpoints.NotePort(cpu, port, size);
        return End(cpu, u);
    }

    /// <summary>Whether CLI and STI are allowed (Intel SDM vol. 2, CLI).</summary>
    public static bool MayChangeInterrupts(CpuState* cpu) => PrivilegeLevel.Of(cpu) <= FlagsRegister.IoPrivilegeLevel(cpu);

    /// <summary>Whether CPL is 0, in 64-bit code.</summary>
    public static bool IsSupervisor64(CpuState* cpu) => (cpu->Cs.Selector & 3) == 0;

    /// <summary>As <see cref="MayChangeInterrupts"/>, in 64-bit code.</summary>
    public static bool MayChangeInterrupts64(CpuState* cpu) => (cpu->Cs.Selector & 3) <= FlagsRegister.IoPrivilegeLevel(cpu);

    /// <summary>Whether STI is allowed, in 64-bit code, and nothing waits that might be delivered behind its shadow.</summary>
    public static bool MayOpenWindow64(CpuState* cpu) => MayChangeInterrupts64(cpu) && cpu->EventPending == 0;

    /// <summary>The instruction behind STI is done.</summary>
    public static void EndShadow(CpuState* cpu) => cpu->Interruptibility &= ~Interruptibility.BlockedBySti;

    /// <summary>After POPF of 64 bits: clears what it clears, and says whether the loop must look before the next instruction.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="before">RFLAGS before.</param>
    public static bool EndPopFlags(CpuState* cpu, ulong before)
    {
        cpu->RFlags &= ~FlagsRegister.ClearedByPop;
        return ((before ^ cpu->RFlags) & (RFlags.Trap | RFlags.AlignmentCheck)) != 0 || (before & RFlags.Trap) != 0 ||
            ((cpu->RFlags & RFlags.InterruptEnable) != 0 && cpu->EventPending != 0);
    }
}
