using System.Runtime.InteropServices;

namespace PvPatch.Paravirt.Layout;

/// <summary>A 64-bit interrupt or trap gate (Intel SDM vol. 3, 6.14.1), 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GateDescriptor
{
    /// <summary>Offset bits 0-15.</summary>
    public ushort OffsetLow;

    /// <summary>Code segment selector.</summary>
    public ushort Selector;

    /// <summary>Interrupt stack table index, bits 0-2.</summary>
    public byte Ist;

    /// <summary>Type (0xe interrupt, 0xf trap), DPL and P.</summary>
    public byte Attributes;

    /// <summary>Offset bits 16-31.</summary>
    public ushort OffsetMiddle;

    /// <summary>Offset bits 32-63.</summary>
    public uint OffsetHigh;

    /// <summary>Reserved.</summary>
    public uint Reserved;

    /// <summary>An interrupt gate: interrupts are off in the handler.</summary>
    /// <param name="handler">Address of the handler.</param>
    /// <param name="selector">Code segment.</param>
    /// <param name="ist">Stack table index, 0 for none.</param>
    public static GateDescriptor Interrupt(ulong handler, ushort selector, byte ist) => new()
    {
        OffsetLow = (ushort)handler,
        Selector = selector,
        Ist = ist,
        Attributes = 0x8e,
        OffsetMiddle = (ushort)(handler >> 16),
        OffsetHigh = (uint)(handler >> 32),
    };
}
