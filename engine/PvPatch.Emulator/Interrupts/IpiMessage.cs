namespace PvPatch.Emulator.Interrupts;

/// <summary>How an interrupt message is taken by its receiver (ICR bits 8-10, Intel SDM vol. 3, 10.6.1).</summary>
public enum IpiDelivery
{
    /// <summary>The vector's interrupt.</summary>
    Fixed = 0,

    /// <summary>As <see cref="Fixed"/>, to the first of the receivers alone.</summary>
    LowestPriority = 1,

    /// <summary>System management; there is none.</summary>
    Smi = 2,

    /// <summary>Non-maskable interrupt.</summary>
    Nmi = 4,

    /// <summary>Reset, then wait for a start-up message.</summary>
    Init = 5,

    /// <summary>Start at the page the vector names.</summary>
    StartUp = 6,
}

/// <summary>To whom a message goes (ICR bits 18-19).</summary>
public enum IpiShorthand
{
    /// <summary>To the destination.</summary>
    None = 0,

    /// <summary>To the sender.</summary>
    Self = 1,

    /// <summary>To all.</summary>
    All = 2,

    /// <summary>To all but the sender.</summary>
    AllButSelf = 3,
}

/// <summary>The interrupt command register in x2APIC mode (Intel SDM vol. 3, 10.12.9).</summary>
/// <param name="Raw">The 64 bits of MSR 0x830.</param>
public readonly record struct IpiMessage(ulong Raw)
{
    /// <summary>The destination that names all.</summary>
    public const uint Broadcast = uint.MaxValue;

    /// <summary>The vector, or the page of a start-up message.</summary>
    public byte Vector => (byte)Raw;

    /// <summary>How it is taken.</summary>
    public IpiDelivery Delivery => (IpiDelivery)((Raw >> 8) & 7);

    /// <summary>Whether the destination is a logical id (cluster and bit) instead of an APIC id.</summary>
    public bool Logical => (Raw & (1ul << 11)) != 0;

    /// <summary>To whom.</summary>
    public IpiShorthand Shorthand => (IpiShorthand)((Raw >> 18) & 3);

    /// <summary>The destination without a shorthand.</summary>
    public uint Destination => (uint)(Raw >> 32);

    /// <summary>Whether the vCPU with an x2APIC id is a receiver.</summary>
    public bool Reaches(int from, int id) => Shorthand switch
    {
        IpiShorthand.Self => id == from,
        IpiShorthand.All => true,
        IpiShorthand.AllButSelf => id != from,
        _ when Destination == Broadcast => true,
        _ when Logical => Destination >> 16 == (uint)id >> 4 && ((Destination & 0xffff) >> (id & 15) & 1) != 0,
        _ => Destination == (uint)id,
    };
}
