using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>INT3, INT n, INT1, INTO and the instructions that are defined to be undefined.</summary>
internal static unsafe class Traps
{
    public static DecodedInstruction* Breakpoint(CpuState* cpu, DecodedInstruction* u) => Trap(cpu, u, Vectors.Breakpoint);

    public static DecodedInstruction* Int1(CpuState* cpu, DecodedInstruction* u) => Trap(cpu, u, Vectors.Debug, anyPrivilege: true);

    public static DecodedInstruction* Software(CpuState* cpu, DecodedInstruction* u) =>
        ProcessorMode.IsVirtual8086(cpu) && FlagsRegister.IoPrivilegeLevel(cpu) < 3
            ? Execution.Raise(cpu, u, Vectors.GeneralProtection)
            : Trap(cpu, u, (byte)u->Immediate);

    public static DecodedInstruction* IfOverflow(CpuState* cpu, DecodedInstruction* u) =>
        (cpu->RFlags & RFlags.Overflow) != 0 ? Trap(cpu, u, Vectors.Overflow) : u + 1;

    private static DecodedInstruction* Trap(CpuState* cpu, DecodedInstruction* u, uint vector, bool anyPrivilege = false)
    {
        Execution* execution = Execution.Of(cpu);
        execution->Vector = vector;
        execution->ErrorCode = 0;
        execution->TrapRip = u->Rip;
        execution->AnyPrivilege = anyPrivilege;
        return Execution.Leave(cpu, ControlFlow.Next(u), LeaveCause.Trap);
    }
}
