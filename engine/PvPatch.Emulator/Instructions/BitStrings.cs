using System.Runtime.CompilerServices;
using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// BT, BTS, BTR and BTC of memory with the bit in a register: the register is signed and reaches beyond the operand
/// (Intel SDM vol. 2, 3.1.1.9, "bit string").
/// </summary>
internal static unsafe class BitStrings
{
    public static DecodedInstruction* Memory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBinary
    {
        T bit = Operands.Register<T>(cpu, u->Op1);
        long bytes = (Shifts.Signed(bit) >> Log2Bits<T>()) * sizeof(T);
        ulong offset = Counter.Cut(u, Operands.Effective(cpu, u) + (ulong)bytes);
        ulong linear = u->Addressing == Addressing.Flat ? offset : Operands.InSegment(cpu, u, offset, sizeof(T), TMeaning.First != OpAccess.Read);
        if (TMeaning.First == OpAccess.Read)
        {
            byte* source = Operands.Read(cpu, u, linear, sizeof(T));
            if (source == null)
                return null;
            // SAFETY: Read gave the address of sizeof(T) readable bytes.
            TMeaning.Do(cpu, Unsafe.ReadUnaligned<T>(source), bit);
            return u + 1;
        }

        byte* host = Operands.Modify(cpu, u, linear, sizeof(T), out bool slow);
        if (host == null)
            return null;
        T seen;
        T result;
        do
        {
            // SAFETY: Modify gave the address of sizeof(T) bytes that may be changed.
            seen = Unsafe.ReadUnaligned<T>(host);
            result = TMeaning.Do(cpu, seen, bit);
        }
        while (Interlocked.CompareExchange(ref *(T*)host, result, seen) != seen);
        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    private static int Log2Bits<T>() =>
        sizeof(T) switch
        {
            2 => 4,
            4 => 5,
            _ => 6,
        };
}
