namespace PvPatch.Emulator.Memory;

/// <summary>Why a memory access could not be made: the exception that it raises (Intel SDM vol. 3, 6.15).</summary>
/// <param name="Vector">14 for a page fault, 13 for an address that is not canonical.</param>
/// <param name="ErrorCode">The error code; for a page fault <see cref="PageFaultBits"/>.</param>
/// <param name="Address">The linear address, which a page fault puts into CR2.</param>
public readonly record struct MemoryFault(byte Vector, uint ErrorCode, ulong Address)
{
    /// <summary>#GP.</summary>
    public const byte GeneralProtection = 13;

    /// <summary>#PF.</summary>
    public const byte PageFault = 14;

    /// <summary>
    /// No exception: nothing was done yet, because the access reaches a device or watched bytes, for which the machine's
    /// clock and registers must be exact. The interpreter executes the instruction again, by itself.
    /// </summary>
    public const byte RunAlone = 255;

    /// <summary>The request to execute the instruction by itself.</summary>
    public static MemoryFault Alone => new(RunAlone, 0, 0);
}

/// <summary>The page fault's error code (Intel SDM vol. 3, 4.7).</summary>
public static class PageFaultBits
{
    /// <summary>The page was there, its rights forbade the access.</summary>
    public const uint Protection = 1u << 0;

    /// <summary>The access was a write.</summary>
    public const uint Write = 1u << 1;

    /// <summary>The access was made in user mode.</summary>
    public const uint User = 1u << 2;

    /// <summary>A reserved bit was set in an entry.</summary>
    public const uint Reserved = 1u << 3;

    /// <summary>The access was an instruction fetch.</summary>
    public const uint Fetch = 1u << 4;
}
