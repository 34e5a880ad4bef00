using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Segmentation;

/// <summary>Types of system descriptors and gates (Intel SDM vol. 3, table 3-2). In long mode those of 32 bits mean 64.</summary>
internal enum SystemType
{
    AvailableTss16 = 1,
    Ldt = 2,
    BusyTss16 = 3,
    CallGate16 = 4,
    TaskGate = 5,
    InterruptGate16 = 6,
    TrapGate16 = 7,
    AvailableTss = 9,
    BusyTss = 11,
    CallGate = 12,
    InterruptGate = 14,
    TrapGate = 15,
}

/// <summary>Eight bytes of a GDT, LDT or IDT: a segment or a gate (Intel SDM vol. 3, 3.4.5, 3.5, 5.8.3 and 6.11).</summary>
/// <param name="Raw">The bytes.</param>
internal readonly record struct Descriptor(ulong Raw)
{
    /// <summary>The bit that a load of a code or data segment sets.</summary>
    public const ulong Accessed = 1ul << 40;

    /// <summary>The bit that tells a busy TSS from an available one.</summary>
    public const ulong Busy = 1ul << 41;

    /// <summary>P.</summary>
    public bool IsPresent => (Raw >> 47 & 1) != 0;

    /// <summary>DPL.</summary>
    public int Privilege => (int)(Raw >> 45) & 3;

    /// <summary>S: a code or data segment, else a system segment or a gate.</summary>
    public bool IsCodeOrData => (Raw >> 44 & 1) != 0;

    /// <summary>A code segment.</summary>
    public bool IsCode => IsCodeOrData && (Raw >> 43 & 1) != 0;

    /// <summary>A code segment that keeps the caller's level.</summary>
    public bool IsConforming => IsCode && (Raw >> 42 & 1) != 0;

    /// <summary>A data segment or a readable code segment.</summary>
    public bool IsReadable => IsCodeOrData && (!IsCode || (Raw >> 41 & 1) != 0);

    /// <summary>A data segment that may be written.</summary>
    public bool IsWritable => IsCodeOrData && !IsCode && (Raw >> 41 & 1) != 0;

    /// <summary>L: 64-bit code.</summary>
    public bool IsLong => (Raw >> 53 & 1) != 0;

    /// <summary>D/B: 32-bit code or stack.</summary>
    public bool IsBig => (Raw >> 54 & 1) != 0;

    /// <summary>The type, if <see cref="IsCodeOrData"/> is false.</summary>
    public SystemType SystemType => (SystemType)(Raw >> 40 & 0xf);

    /// <summary>A gate's selector.</summary>
    public ushort TargetSelector => (ushort)(Raw >> 16);

    /// <summary>A gate's offset, as far as its first eight bytes hold it.</summary>
    public uint TargetOffset => (uint)(Raw & 0xffff) | (uint)(Raw >> 32 & 0xffff_0000);

    /// <summary>How many parameters a call gate copies.</summary>
    public int ParameterCount => (int)(Raw >> 32) & 31;

    /// <summary>Which interrupt stack a gate of long mode takes, 1 to 7; 0 none.</summary>
    public int InterruptStack => (int)(Raw >> 32) & 7;

    /// <summary>The limit in bytes.</summary>
    public uint Limit
    {
        get
        {
            uint limit = (uint)(Raw & 0xffff) | (uint)(Raw >> 32 & 0xf_0000);
            return (Raw >> 55 & 1) != 0 ? (limit << 12) | 0xfff : limit;
        }
    }

    /// <summary>The segment register that this descriptor fills.</summary>
    public Segment ToSegment(ushort selector) => new()
    {
        Selector = selector,
        Attributes = (ushort)(Raw >> 40 & 0xf0ff),
        Limit = Limit,
        Base = (Raw >> 16 & 0xff_ffff) | (Raw >> 32 & 0xff00_0000),
    };

    /// <summary>Whether this is a system descriptor of one of two types.</summary>
    public bool Is(SystemType first, SystemType second) => !IsCodeOrData && (SystemType == first || SystemType == second);
}
