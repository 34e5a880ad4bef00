namespace PvPatch.Emulator.Tests.Firmware;

/// <summary>A piece of code and the state it starts in. Behind the code stands UD2, which ends it.</summary>
internal sealed class SystemCase
{
    /// <summary>Its mode.</summary>
    public SystemMode Mode { get; init; }

    /// <summary>CPL; 3 in virtual-8086 mode.</summary>
    public int Level { get; init; }

    /// <summary>RFLAGS but for the fixed bit and VM.</summary>
    public ulong Flags { get; init; }

    /// <summary>Further bits of CR0: WP, NE, TS, AM ….</summary>
    public ulong Cr0 { get; init; }

    /// <summary>Further bits of CR4.</summary>
    public ulong Cr4 { get; init; }

    /// <summary>DR0 to DR3 and DR7.</summary>
    public ulong[] Debug { get; } = new ulong[5];

    /// <summary>The general registers; RSP is the stack's top of the level.</summary>
    public ulong[] General { get; } = new ulong[16];

    /// <summary>The code, at <see cref="SystemLayout.Code"/>.</summary>
    public byte[] Code { get; init; } = [];

    /// <summary>What differs from the layout's memory.</summary>
    public SortedDictionary<uint, byte[]> Memory { get; } = [];

    /// <summary>Whether the mode has 64-bit registers.</summary>
    public bool IsLong => Mode is SystemMode.Long64 or SystemMode.Compatibility;
}
