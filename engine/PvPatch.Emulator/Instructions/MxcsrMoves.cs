using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>LDMXCSR and STMXCSR.</summary>
internal static unsafe class MxcsrMoves
{
    /// <summary>LDMXCSR: reserved bits are #GP.</summary>
    public static DecodedInstruction* Load(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, 4, write: false), 4);
        if (host == null)
            return null;
        // SAFETY: Read gave the address of 4 readable bytes.
        uint value = Unsafe.ReadUnaligned<uint>(host);
        if (value >> 16 != 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        cpu->Mxcsr = value;
        return u + 1;
    }

    public static DecodedInstruction* Store(CpuState* cpu, DecodedInstruction* u) =>
        VectorShapes.IsReady(cpu, u) ? Operands.Write(cpu, u, Operands.Linear(cpu, u, 4, write: true), cpu->Mxcsr) : null;
}
