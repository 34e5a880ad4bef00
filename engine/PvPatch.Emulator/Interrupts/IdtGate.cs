using System.Runtime.InteropServices;

namespace PvPatch.Emulator.Interrupts;

/// <summary>A 64-bit IDT gate as it lies in guest memory (Intel SDM vol. 3, figure 6-8).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct IdtGate
{
    private const int InterruptGate = 0xe;
    private const int TrapGate = 0xf;

    private readonly ulong _low;
    private readonly ulong _high;

    /// <summary>The code segment.</summary>
    public ushort Selector => (ushort)(_low >> 16);

    /// <summary>Which interrupt stack, 1 to 7; 0 none.</summary>
    public byte Ist => (byte)((_low >> 32) & 7);

    /// <summary>Whether the gate is there.</summary>
    public bool IsPresent => (_low & (1ul << 47)) != 0;

    /// <summary>Whether its type is one of the two that 64-bit mode knows.</summary>
    public bool IsInterruptOrTrap => Type is InterruptGate or TrapGate && (_low & (1ul << 44)) == 0;

    /// <summary>Interrupt gates close interrupts, trap gates do not.</summary>
    public bool ClearsInterruptFlag => Type == InterruptGate;

    /// <summary>The handler's address.</summary>
    public ulong Offset => (_low & 0xffff) | ((_low >> 48) << 16) | (_high << 32);

    private int Type => (int)(_low >> 40) & 0xf;
}

/// <summary>A GDT entry seen as a code segment (Intel SDM vol. 3, 3.4.5 and 5.2.1).</summary>
/// <param name="Raw">The 8 bytes.</param>
internal readonly record struct CodeDescriptor(ulong Raw)
{
    /// <summary>A code segment (S and the executable bit) for 64-bit mode (L set, D clear).</summary>
    public bool IsLongModeCode => (Raw & (1ul << 44 | 1ul << 43 | 1ul << 53 | 1ul << 54)) == (1ul << 44 | 1ul << 43 | 1ul << 53);

    /// <summary>Keeps the caller's ring.</summary>
    public bool Conforming => (Raw & (1ul << 42)) != 0;

    /// <summary>Bits 40 to 55, as a segment register holds them; bits 48 to 51 are the limit's.</summary>
    public ushort Attributes => (ushort)((Raw >> 40) & 0xf0ff);

    /// <summary>DPL.</summary>
    public int Privilege => (int)(Raw >> 45) & 3;

    /// <summary>P.</summary>
    public bool IsPresent => (Raw & (1ul << 47)) != 0;
}
