using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>RCX, ECX or CX, and the index registers, in the width of an instruction's addresses.</summary>
internal static unsafe class Counter
{
    public static ulong Read(CpuState* cpu, DecodedInstruction* u) => Cut(u, cpu->Rcx);

    public static void Write(CpuState* cpu, DecodedInstruction* u, ulong value) => cpu->Rcx = Merge(u, cpu->Rcx, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Cut(DecodedInstruction* u, ulong value)
    {
        if ((u->Addressing & (Addressing.Cut32 | Addressing.Cut16)) == Addressing.Flat)
            return value;
        return (u->Addressing & Addressing.Cut32) != Addressing.Flat ? (uint)value : (ushort)value;
    }

    /// <summary>What a register holds after a write in the width of addresses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Merge(DecodedInstruction* u, ulong old, ulong value)
    {
        if ((u->Addressing & (Addressing.Cut32 | Addressing.Cut16)) == Addressing.Flat)
            return value;
        return (u->Addressing & Addressing.Cut32) != Addressing.Flat ? (uint)value : (old & ~0xfffful) | (ushort)value;
    }
}
