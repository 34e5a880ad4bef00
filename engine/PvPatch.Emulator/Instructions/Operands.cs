using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>How handlers reach their operands: registers by offset, memory through the TLB, and the slow ways behind it.</summary>
internal static unsafe class Operands
{
    /// <summary>
    /// What a checked address that violates its segment becomes: no such linear address exists outside 64-bit mode, so
    /// the TLB misses and the slow way raises the exception.
    /// </summary>
    private const ulong Refused = 1ul << 62;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Register<T>(CpuState* cpu, ushort place) =>
        // SAFETY: places are offsets of registers inside CpuState, made by RegisterPlaces.
        Unsafe.ReadUnaligned<T>((byte*)cpu + place);

    /// <summary>Writes a general register: 32-bit writes clear the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetRegister<T>(CpuState* cpu, ushort place, T value)
    {
        // SAFETY: places are offsets of registers inside CpuState; a 32-bit register's place is its 64-bit one's.
        if (sizeof(T) == 4)
            *(ulong*)((byte*)cpu + place) = Unsafe.BitCast<T, uint>(value);
        else
            Unsafe.WriteUnaligned((byte*)cpu + place, value);
    }

    /// <summary>The effective address, without the segment: what LEA gives.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Effective(CpuState* cpu, DecodedInstruction* u)
    {
        // SAFETY: Base and Index are offsets of 64-bit fields inside CpuState.
        ulong sum = *(ulong*)((byte*)cpu + u->Base) + (*(ulong*)((byte*)cpu + u->Index) << u->Scale) + u->Displacement;
        return u->Addressing == Addressing.Flat ? sum : Cut(u, sum);
    }

    /// <summary>The linear address of a memory operand of <paramref name="size"/> bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Linear(CpuState* cpu, DecodedInstruction* u, int size, bool write)
    {
        // SAFETY: Base and Index are offsets of 64-bit fields inside CpuState.
        ulong sum = *(ulong*)((byte*)cpu + u->Base) + (*(ulong*)((byte*)cpu + u->Index) << u->Scale) + u->Displacement;
        return u->Addressing == Addressing.Flat ? sum : InSegment(cpu, u, Cut(u, sum), size, write);
    }

    /// <summary>The linear address of an offset in the segment of the memory operand.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong InSegment(CpuState* cpu, DecodedInstruction* u, ulong offset, int size, bool write)
    {
        // SAFETY: Segment is the offset of a Segment inside CpuState.
        var segment = (Segment*)((byte*)cpu + u->Segment);
        if ((u->Addressing & Addressing.Checked) == Addressing.Flat)
            return (u->Addressing & Addressing.SegmentBase) != Addressing.Flat ? segment->Base + offset : offset;
        return SegmentRules.Allows(cpu, segment, (uint)offset, size, write) ? (uint)(segment->Base + offset) : Refused;
    }

    /// <summary>Host address of a memory operand to read, if it is at a flat address that the TLB has; null: the slow way must look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* QuickRead(CpuState* cpu, DecodedInstruction* u, int size)
    {
        // SAFETY: Base and Index are offsets of 64-bit fields inside CpuState.
        ulong sum = *(ulong*)((byte*)cpu + u->Base) + (*(ulong*)((byte*)cpu + u->Index) << u->Scale) + u->Displacement;
        return u->Addressing == Addressing.Flat ? Tlb.ForRead(cpu->DataTlb, sum, size) : null;
    }

    /// <summary>Host address of a memory operand to write or change, as <see cref="QuickRead"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* QuickWrite(CpuState* cpu, DecodedInstruction* u, int size)
    {
        // SAFETY: Base and Index are offsets of 64-bit fields inside CpuState.
        ulong sum = *(ulong*)((byte*)cpu + u->Base) + (*(ulong*)((byte*)cpu + u->Index) << u->Scale) + u->Displacement;
        return u->Addressing == Addressing.Flat ? Tlb.ForWrite(cpu->DataTlb, sum, size) : null;
    }

    /// <summary>Host address of bytes to read; null after a fault.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Read(CpuState* cpu, DecodedInstruction* u, ulong linear, int size)
    {
        byte* host = Tlb.ForRead(cpu->DataTlb, linear, size);
        return host != null ? host : ReadSlowly(cpu, u, linear, size);
    }

    /// <summary>Writes a value to memory and goes on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedInstruction* Write<T>(CpuState* cpu, DecodedInstruction* u, ulong linear, T value)
    {
        byte* host = Tlb.ForWrite(cpu->DataTlb, linear, sizeof(T));
        if (host == null)
            return WriteSlowly(cpu, u, linear, value);
        // SAFETY: the TLB vouches for sizeof(T) bytes of writable RAM at host.
        Unsafe.WriteUnaligned(host, value);
        return u + 1;
    }

    /// <summary>
    /// Makes sure that bytes can be written and gives where they are, to be changed in place; null after a fault.
    /// If <paramref name="slow"/>, that place is a copy and <see cref="Finish"/> writes it back.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Modify(CpuState* cpu, DecodedInstruction* u, ulong linear, int size, out bool slow)
    {
        byte* host = Tlb.ForWrite(cpu->DataTlb, linear, size);
        slow = host == null;
        return slow ? ModifySlowly(cpu, u, linear, size) : host;
    }

    /// <summary>Writes back what a slow <see cref="Modify"/> copied, and goes on.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static DecodedInstruction* Finish(CpuState* cpu, DecodedInstruction* u)
    {
        Execution* execution = Execution.Of(cpu);
        execution->Reserved.CopyFrom(cpu, execution->Scratch);
        return AfterWrite(cpu, u);
    }

    /// <summary>Whether an access is aligned as its type asks (Intel SDM vol. 3, table 6-7), where that is checked; else #AC.</summary>
    public static bool IsAligned(CpuState* cpu, DecodedInstruction* u, ulong linear, int size)
    {
        if (!Execution.Of(cpu)->ChecksAlignment || (linear & (Alignment(size) - 1)) == 0)
            return true;
        Execution.Raise(cpu, u, Vectors.AlignmentCheck);
        return false;
    }

    /// <summary>Where to go on after a write that the TLB did not serve: decoded code may have changed.</summary>
    public static DecodedInstruction* AfterWrite(CpuState* cpu, DecodedInstruction* u)
    {
        if (cpu->CodePages == null || cpu->CodePages->Changes == Execution.Of(cpu)->KnownChanges)
            return u + 1;
        return Execution.Leave(cpu, ControlFlow.Next(u), LeaveCause.Changed);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* ReadSlowly(CpuState* cpu, DecodedInstruction* u, ulong linear, int size)
    {
        Execution* execution = Execution.Of(cpu);
        if (Tlb.TryReadAcross(cpu->DataTlb, linear, size, execution->Scratch))
            return execution->Scratch;
        if (!TryReserve(cpu, u, linear, size, AccessKind.Read))
            return null;
        execution->Reserved.CopyTo(cpu, execution->Scratch);
        return execution->Scratch;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedInstruction* WriteSlowly<T>(CpuState* cpu, DecodedInstruction* u, ulong linear, T value)
    {
        if (Tlb.TryWriteAcross(cpu->DataTlb, linear, sizeof(T), (byte*)&value))
            return u + 1;
        if (!TryReserve(cpu, u, linear, sizeof(T), AccessKind.Write))
            return null;
        Execution.Of(cpu)->Reserved.CopyFrom(cpu, &value);
        return AfterWrite(cpu, u);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* ModifySlowly(CpuState* cpu, DecodedInstruction* u, ulong linear, int size)
    {
        Execution* execution = Execution.Of(cpu);
        if (!TryReserve(cpu, u, linear, size, AccessKind.Write))
            return null;
        execution->Reserved.CopyTo(cpu, execution->Scratch);
        return execution->Scratch;
    }

    private static bool TryReserve(CpuState* cpu, DecodedInstruction* u, ulong linear, int size, AccessKind kind)
    {
        Execution* execution = Execution.Of(cpu);
        if (linear == Refused && (u->Addressing & Addressing.Checked) != Addressing.Flat)
        {
            Execution.Raise(cpu, u, (u->Marks & Marks.Stack) != Marks.None ? Vectors.StackFault : Vectors.GeneralProtection);
            return false;
        }

        if (ReservedBytes.TryReserve(cpu, linear, size, kind, execution->Mode, out execution->Reserved, out MemoryFault fault))
            return IsAligned(cpu, u, linear, size);
        Execution.Raise(cpu, u, fault);
        return false;
    }

    /// <summary>Numbers align to their size, far pointers and environments to 4 or 2; 6 and 10 bytes are several values that handlers check.</summary>
    private static ulong Alignment(int size) => size switch
    {
        1 or 2 or 4 or 8 or 16 => (ulong)size,
        6 or 10 or 14 or 94 => 2,
        _ => 4,
    };

    private static ulong Cut(DecodedInstruction* u, ulong sum)
    {
        if ((u->Addressing & Addressing.Cut32) != Addressing.Flat)
            return (uint)sum;
        return (u->Addressing & Addressing.Cut16) != Addressing.Flat ? (ushort)sum : sum;
    }
}
