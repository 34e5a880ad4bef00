namespace PvPatch.Emulator.Memory;

/// <summary>What answers at a range of physical addresses.</summary>
public enum RegionKind
{
    /// <summary>RAM.</summary>
    Ram,

    /// <summary>ROM: reads and instruction fetches as RAM; writes change nothing.</summary>
    Rom,

    /// <summary>A device.</summary>
    Device,
}

/// <summary>A range of physical addresses with one answer. Where no region is, reads give ones and writes vanish.</summary>
/// <param name="Start">Physical address of the first byte.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Kind">What answers.</param>
public sealed record MemoryRegion(ulong Start, ulong Size, RegionKind Kind)
{
    /// <summary>Physical address behind the last byte.</summary>
    public ulong End => Start + Size;

    /// <summary>The device, if it is one.</summary>
    public IMemoryDevice? Device { get; init; }

    /// <summary>Host address of the first byte, 0 for a device.</summary>
    internal nuint Host { get; init; }

    /// <summary>The block of host memory around its bytes, which the memory frees; 0 for a device.</summary>
    internal nuint Block { get; init; }

    /// <summary>Whether an address lies in it.</summary>
    public bool Contains(ulong address) => address - Start < Size;
}
