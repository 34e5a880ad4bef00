using System.Runtime.InteropServices;

namespace PvPatch.Paravirt.Layout;

/// <summary>The 64-bit TSS (Intel SDM vol. 3, 7.7), 104 bytes: stacks for changes of ring.</summary>
[StructLayout(LayoutKind.Explicit, Size = 104)]
public struct TaskStateSegment
{
    /// <summary>Stack for ring 0.</summary>
    [FieldOffset(4)]
    public ulong Rsp0;

    /// <summary>Stack 1 of the interrupt stack table: double faults.</summary>
    [FieldOffset(36)]
    public ulong Ist1;

    /// <summary>Stack 2 of the interrupt stack table: NMIs.</summary>
    [FieldOffset(44)]
    public ulong Ist2;

    /// <summary>Offset of the I/O permission bitmap; at or past the limit: none.</summary>
    [FieldOffset(102)]
    public ushort IoBitmapBase;
}
