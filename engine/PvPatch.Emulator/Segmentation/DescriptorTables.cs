using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Segmentation;

/// <summary>
/// Reads and marks descriptors in the GDT and LDT, as the CPU itself does: with supervisor rights at any level (Intel SDM
/// vol. 3, 3.5.1 and 4.6.1). What goes wrong comes back as the exception to raise.
/// </summary>
internal static unsafe class DescriptorTables
{
    /// <summary>Reads what a selector names; beyond its table it is <paramref name="vector"/> with the selector as error code.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="selector">The selector, not null.</param>
    /// <param name="vector">#GP or #TS.</param>
    /// <param name="external">The EXT bit of the error code.</param>
    /// <param name="descriptor">What was read.</param>
    /// <param name="fault">The exception.</param>
    public static bool TryRead(CpuState* cpu, ushort selector, uint vector, uint external, out Descriptor descriptor, out MemoryFault fault)
    {
        descriptor = default;
        if (!TryPlace(cpu, selector, 8, out ulong place))
            return Refuse(vector, Selector.ErrorCode(selector) | external, out fault);
        bool done = LinearMemory.TryLoad(cpu, place, AccessMode.Supervisor, out ulong raw, out fault);
        descriptor = new Descriptor(raw);
        return done;
    }

    /// <summary>The upper half of a 16-byte system descriptor or call gate of long mode, whose type field must be 0.</summary>
    public static bool TryReadUpper(CpuState* cpu, ushort selector, uint vector, out uint upper, out MemoryFault fault)
    {
        upper = 0;
        if (!TryPlace(cpu, selector, 16, out ulong place))
            return Refuse(vector, Selector.ErrorCode(selector), out fault);
        if (!LinearMemory.TryLoad(cpu, place + 8, AccessMode.Supervisor, out ulong raw, out fault))
            return false;
        upper = (uint)raw;
        return (raw >> 40 & 0x1f) == 0 || Refuse(vector, Selector.ErrorCode(selector), out fault);
    }

    /// <summary>Sets the accessed bit of a code or data segment that is loaded.</summary>
    public static bool TryMarkAccessed(CpuState* cpu, ushort selector, Descriptor descriptor, out MemoryFault fault) =>
        TryChange(cpu, selector, descriptor, descriptor.Raw | Descriptor.Accessed, out fault);

    /// <summary>Makes a TSS busy or available.</summary>
    public static bool TryMarkBusy(CpuState* cpu, ushort selector, Descriptor descriptor, bool busy, out MemoryFault fault) =>
        TryChange(cpu, selector, descriptor, busy ? descriptor.Raw | Descriptor.Busy : descriptor.Raw & ~Descriptor.Busy, out fault);

    /// <summary>An exception as the result of a check.</summary>
    public static bool Refuse(uint vector, uint errorCode, out MemoryFault fault)
    {
        fault = new MemoryFault((byte)vector, errorCode, 0);
        return false;
    }

    private static bool TryPlace(CpuState* cpu, ushort selector, uint size, out ulong place)
    {
        bool local = Selector.IsLocal(selector);
        uint offset = selector & ~7u;
        place = (local ? cpu->Ldtr.Base : cpu->Gdtr.Base) + offset;
        if (!ProcessorMode.IsLong(cpu))
            place = (uint)place;
        bool noTable = local && (cpu->Ldtr.Attributes & SegmentAttributes.Present) == 0;
        return !noTable && offset + size - 1 <= (local ? cpu->Ldtr.Limit : cpu->Gdtr.Limit);
    }

    private static bool TryChange(CpuState* cpu, ushort selector, Descriptor descriptor, ulong wanted, out MemoryFault fault)
    {
        fault = default;
        if (descriptor.Raw == wanted)
            return true;
        ulong place = (Selector.IsLocal(selector) ? cpu->Ldtr.Base : cpu->Gdtr.Base) + (selector & ~7u);
        return LinearMemory.TryStore(cpu, place, AccessMode.Supervisor, wanted, out fault);
    }
}
