using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>BOUND, which 64-bit code does not have (Intel SDM vol. 2, BOUND).</summary>
internal static unsafe class Bounds
{
    /// <summary>#BR unless the signed index lies between the two bounds in memory, both included.</summary>
    public static DecodedInstruction* Check<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ulong linear = Operands.Linear(cpu, u, 2 * sizeof(T), write: false);
        byte* host = Operands.Read(cpu, u, linear, sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes, here and below.
        long lower = Shifts.Signed(Unsafe.ReadUnaligned<T>(host));
        host = Operands.Read(cpu, u, linear + (uint)sizeof(T), sizeof(T));
        if (host == null)
            return null;
        long upper = Shifts.Signed(Unsafe.ReadUnaligned<T>(host));
        long index = Shifts.Signed(Operands.Register<T>(cpu, u->Op0));
        return index < lower || index > upper ? Execution.Raise(cpu, u, Vectors.BoundRange) : u + 1;
    }
}
