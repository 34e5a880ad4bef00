using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// The breakpoints that DR0 to DR3 and DR7 set (Intel SDM vol. 3, 17.2). A page with a data breakpoint has no quick way in the TLB, so
/// that accesses to it come by here; hits wait in <see cref="CpuState.PendingDebug"/> for the end of the instruction.
/// </summary>
public static unsafe class Breakpoints
{
    private const ulong AllEnabled = 0xff;
    private const int Count = 4;

    private enum Kind
    {
        Execute,
        Write,
        Port,
        ReadOrWrite,
    }

    /// <summary>Whether any breakpoint is enabled.</summary>
    public static bool AnyEnabled(CpuState* cpu) => (cpu->Dr[7] & AllEnabled) != 0;

    /// <summary>Writes DR0 to DR3 or DR7; what the TLB holds is forgotten if breakpoints may have come or gone.</summary>
    public static void Write(CpuState* cpu, int register, ulong value)
    {
        bool before = AnyEnabled(cpu);
        cpu->Dr[register] = value;
        if (before || AnyEnabled(cpu))
            Tlb.Flush(cpu);
    }

    /// <summary>The B bits of the instruction breakpoints at an address.</summary>
    public static ulong AtInstruction(CpuState* cpu, ulong linear)
    {
        ulong hits = 0;
        for (int i = 0; i < Count; i++)
        {
            if (IsEnabled(cpu, i) && KindOf(cpu, i) == Kind.Execute && cpu->Dr[i] == linear)
                hits |= 1ul << i;
        }

        return hits;
    }

    /// <summary>Whether a data breakpoint lies in a 4 KB page.</summary>
    public static bool Watch(CpuState* cpu, ulong page)
    {
        if (!AnyEnabled(cpu))
            return false;
        for (int i = 0; i < Count; i++)
        {
            bool data = KindOf(cpu, i) is Kind.Write or Kind.ReadOrWrite;
            if (IsEnabled(cpu, i) && data && (cpu->Dr[i] & Tlb.PageMask) == page)
                return true;
        }

        return false;
    }

    /// <summary>A data access is made: breakpoints that it touches are pending.</summary>
    public static void NoteAccess(CpuState* cpu, ulong linear, int size, AccessKind access)
    {
        if (!AnyEnabled(cpu) || access == AccessKind.Execute)
            return;
        for (int i = 0; i < Count; i++)
        {
            Kind kind = KindOf(cpu, i);
            bool kindMatches = kind == Kind.ReadOrWrite || (kind == Kind.Write && access == AccessKind.Write);
            if (IsEnabled(cpu, i) && kindMatches && Overlaps(cpu, i, linear, size))
                cpu->PendingDebug |= 1ul << i;
        }
    }

    /// <summary>A port is accessed: its breakpoints, which exist with CR4.DE, are pending.</summary>
    public static void NotePort(CpuState* cpu, ushort port, int size)
    {
        if (!AnyEnabled(cpu) || (cpu->Cr4 & Cr4Bits.DebuggingExtensions) == 0)
            return;
        for (int i = 0; i < Count; i++)
        {
            if (IsEnabled(cpu, i) && KindOf(cpu, i) == Kind.Port && Overlaps(cpu, i, port, size))
                cpu->PendingDebug |= 1ul << i;
        }
    }

    private static bool IsEnabled(CpuState* cpu, int number) => (cpu->Dr[7] >> (2 * number) & 3) != 0;

    private static Kind KindOf(CpuState* cpu, int number) => (Kind)(cpu->Dr[7] >> (16 + (4 * number)) & 3);

    /// <summary>LEN 0 to 3 are 1, 2, 8 and 4 bytes, and the address is aligned to that.</summary>
    private static bool Overlaps(CpuState* cpu, int number, ulong address, int size)
    {
        uint length = (uint)(cpu->Dr[7] >> (18 + (4 * number)) & 3) switch
        {
            0 => 1,
            1 => 2,
            2 => 8,
            _ => 4,
        };
        ulong first = cpu->Dr[number] & ~(ulong)(length - 1);
        return address < first + length && first < address + (uint)size;
    }
}
