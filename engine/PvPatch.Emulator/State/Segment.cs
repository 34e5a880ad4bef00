namespace PvPatch.Emulator.State;

/// <summary>A segment register with its hidden part (Intel SDM vol. 3, 3.4.3).</summary>
public struct Segment
{
    /// <summary>The visible selector.</summary>
    public ushort Selector;

    /// <summary>Descriptor bits 40-55: type, S, DPL, P (low byte) and AVL, L, D/B, G (bits 12-15).</summary>
    public ushort Attributes;

    /// <summary>The limit in bytes, granularity applied.</summary>
    public uint Limit;

    /// <summary>The base as a linear address.</summary>
    public ulong Base;
}
