using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// CLFLUSH, CLFLUSHOPT and CLWB. There is no cache, but the address is checked as a load of its byte is (Intel SDM vol. 2,
/// CLFLUSH).
/// </summary>
internal static unsafe class CacheLines
{
    public static DecodedInstruction* Flush(CpuState* cpu, DecodedInstruction* u) =>
        Operands.Read(cpu, u, Operands.Linear(cpu, u, 1, write: false), 1) != null ? u + 1 : null;
}
