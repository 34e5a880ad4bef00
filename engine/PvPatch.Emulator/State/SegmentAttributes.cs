namespace PvPatch.Emulator.State;

/// <summary>Bits of <see cref="Segment.Attributes"/> (Intel SDM vol. 3, 3.4.5).</summary>
public static class SegmentAttributes
{
    /// <summary>Accessed.</summary>
    public const ushort Accessed = 1 << 0;

    /// <summary>Data: writable. Code: readable.</summary>
    public const ushort WritableOrReadable = 1 << 1;

    /// <summary>Data: expands down. Code: conforming.</summary>
    public const ushort DownOrConforming = 1 << 2;

    /// <summary>Code, not data.</summary>
    public const ushort Code = 1 << 3;

    /// <summary>Code or data, not a system descriptor.</summary>
    public const ushort CodeOrData = 1 << 4;

    /// <summary>Present.</summary>
    public const ushort Present = 1 << 7;

    /// <summary>
    /// CS was loaded in real mode, so that the low bits of its selector are no privilege level: CPL is 0 until the next load. No
    /// descriptor has this bit; it stands where the limit's upper bits would.
    /// </summary>
    public const ushort Paragraph = 1 << 8;

    /// <summary>64-bit code.</summary>
    public const ushort Long = 1 << 13;

    /// <summary>32-bit code, or a stack pointer of 32 bits.</summary>
    public const ushort Big = 1 << 14;

    /// <summary>The limit counts 4 KB units.</summary>
    public const ushort Granularity = 1 << 15;
}
