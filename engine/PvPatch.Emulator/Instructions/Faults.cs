using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of what can't be executed.</summary>
internal static unsafe class Faults
{
    /// <summary>#UD.</summary>
    public static DecodedInstruction* InvalidOpcode(CpuState* cpu, DecodedInstruction* u) =>
        Execution.Raise(cpu, u, Vectors.InvalidOpcode);

    /// <summary>#GP: the instruction has more than 15 bytes.</summary>
    public static DecodedInstruction* TooLong(CpuState* cpu, DecodedInstruction* u) =>
        Execution.Raise(cpu, u, Vectors.GeneralProtection);

    /// <summary>An instruction in two pages: its bytes are fetched and compared each time.</summary>
    public static DecodedInstruction* Straddling(CpuState* cpu, DecodedInstruction* u) =>
        Execution.Leave(cpu, u->Rip, LeaveCause.NotYetDecoded);
}
