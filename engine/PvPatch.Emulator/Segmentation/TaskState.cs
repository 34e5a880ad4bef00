using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Segmentation;

/// <summary>What the CPU reads from the current task-state segment: stacks and port permissions (Intel SDM vol. 3, figures 7-2, 7-10 and 7-11).</summary>
internal static unsafe class TaskState
{
    private const uint FirstStack64 = 4;
    private const uint FirstInterruptStack = 0x24;
    private const uint FirstStack32 = 4;
    private const uint FirstStack16 = 2;
    private const uint PortMapPointer = 0x66;

    /// <summary>Whether TR holds a TSS of 32 or 64 bits.</summary>
    public static bool IsWide(CpuState* cpu) => (cpu->Tr.Attributes & 8) != 0;

    /// <summary>The stack of an inner level in long mode, or one of the seven interrupt stacks (1 to 7).</summary>
    public static bool TryLongStack(CpuState* cpu, int level, int interruptStack, uint external, out ulong pointer, out MemoryFault fault)
    {
        pointer = 0;
        uint offset = interruptStack != 0 ? FirstInterruptStack + ((uint)(interruptStack - 1) * 8) : FirstStack64 + ((uint)level * 8);
        if (offset + 7 > cpu->Tr.Limit)
            return Refuse(Vectors.InvalidTss, Selector.ErrorCode(cpu->Tr.Selector) | external, out fault);
        if (!LinearMemory.TryLoad(cpu, cpu->Tr.Base + offset, AccessMode.Supervisor, out pointer, out fault))
            return false;
        return PageWalk.IsCanonical(pointer) || Refuse(Vectors.StackFault, external, out fault);
    }

    /// <summary>The stack of an inner level outside long mode: segment and pointer, the segment checked.</summary>
    public static bool TryStack(CpuState* cpu, int level, uint external, out Segment stack, out ulong pointer, out MemoryFault fault)
    {
        stack = default;
        pointer = 0;
        bool wide = IsWide(cpu);
        uint offset = wide ? FirstStack32 + ((uint)level * 8) : FirstStack16 + ((uint)level * 4);
        if (offset + (wide ? 5u : 3u) > cpu->Tr.Limit)
            return Refuse(Vectors.InvalidTss, Selector.ErrorCode(cpu->Tr.Selector) | external, out fault);
        if (!TryLoad(cpu, offset, wide, out uint loaded, out fault) ||
            !TryLoad(cpu, offset + (wide ? 4u : 2u), wide: false, out uint selector, out fault) ||
            !SegmentLoads.TryReadStack(cpu, (ushort)selector, level, Vectors.InvalidTss, external, out stack, out fault))
        {
            return false;
        }

        pointer = loaded;
        return true;
    }

    /// <summary>Whether the bit map of the TSS allows all ports of an access (Intel SDM vol. 1, 19.5.2); no fault if it just does not.</summary>
    public static bool AllowsPorts(CpuState* cpu, ushort port, int size, out MemoryFault fault)
    {
        fault = default;
        if (!IsWide(cpu) || PortMapPointer + 1 > cpu->Tr.Limit)
            return Refuse(Vectors.GeneralProtection, 0, out fault);
        if (!TryLoad(cpu, PortMapPointer, wide: false, out uint map, out fault))
            return false;
        uint place = map + (port / 8u);
        if (place + 1 > cpu->Tr.Limit)
            return Refuse(Vectors.GeneralProtection, 0, out fault);
        if (!TryLoad(cpu, place, wide: false, out uint bits, out fault))
            return false;
        return ((bits >> (port & 7)) & ((1u << size) - 1)) == 0 || Refuse(Vectors.GeneralProtection, 0, out fault);
    }

    private static bool TryLoad(CpuState* cpu, uint offset, bool wide, out uint value, out MemoryFault fault)
    {
        if (wide)
            return LinearMemory.TryLoad(cpu, cpu->Tr.Base + offset, AccessMode.Supervisor, out value, out fault);
        bool done = LinearMemory.TryLoad(cpu, cpu->Tr.Base + offset, AccessMode.Supervisor, out ushort word, out fault);
        value = word;
        return done;
    }
}
