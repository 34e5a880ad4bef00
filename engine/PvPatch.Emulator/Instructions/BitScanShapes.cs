using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>BSF or BSR of a value that is not 0.</summary>
internal interface IBitScan
{
    static abstract T Do<T>(T source);
}

/// <summary>BSF.</summary>
internal struct Bsf : IBitScan
{
    public static T Do<T>(T source) =>
        BitScans.ScanForward(source);
}

/// <summary>BSR.</summary>
internal struct Bsr : IBitScan
{
    public static T Do<T>(T source) =>
        BitScans.ScanReverse(source);
}

/// <summary>Handlers of BSF and BSR: a source of 0 sets ZF and leaves the whole register, as AMD documents and processors do.</summary>
internal static unsafe class BitScanShapes
{
    public static DecodedInstruction* Register<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBitScan =>
        Scan<TMeaning, T>(cpu, u, Operands.Register<T>(cpu, u->Op1));

    public static DecodedInstruction* Memory<TMeaning, T>(CpuState* cpu, DecodedInstruction* u)
        where TMeaning : IBitScan
    {
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        return host == null ? null : Scan<TMeaning, T>(cpu, u, Unsafe.ReadUnaligned<T>(host));
    }

    private static DecodedInstruction* Scan<TMeaning, T>(CpuState* cpu, DecodedInstruction* u, T source)
        where TMeaning : IBitScan
    {
        BitScans.SetZero(source, ref cpu->RFlags);
        if (source != Integer.Zero<T>())
            Operands.SetRegister(cpu, u->Op0, TMeaning.Do(source));
        return u + 1;
    }
}
