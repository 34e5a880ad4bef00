namespace PvPatch.Emulator.State;

/// <summary>Bits of RFLAGS (Intel SDM vol. 1, 3.4.3).</summary>
public static class RFlags
{
    /// <summary>Bit 1, always set.</summary>
    public const ulong Fixed = 1ul << 1;

    /// <summary>Carry.</summary>
    public const ulong Carry = 1ul << 0;

    /// <summary>Parity of the low byte.</summary>
    public const ulong Parity = 1ul << 2;

    /// <summary>Adjust (carry out of bit 3).</summary>
    public const ulong Adjust = 1ul << 4;

    /// <summary>Zero.</summary>
    public const ulong Zero = 1ul << 6;

    /// <summary>Sign.</summary>
    public const ulong Sign = 1ul << 7;

    /// <summary>Trap: a debug exception after each instruction.</summary>
    public const ulong Trap = 1ul << 8;

    /// <summary>Interrupt enable.</summary>
    public const ulong InterruptEnable = 1ul << 9;

    /// <summary>Direction of string instructions.</summary>
    public const ulong Direction = 1ul << 10;

    /// <summary>Signed overflow.</summary>
    public const ulong Overflow = 1ul << 11;

    /// <summary>I/O privilege level: two bits.</summary>
    public const ulong IoPrivilegeLevel = 3ul << 12;

    /// <summary>Nested task.</summary>
    public const ulong NestedTask = 1ul << 14;

    /// <summary>Resume: suppresses an instruction breakpoint once.</summary>
    public const ulong Resume = 1ul << 16;

    /// <summary>Virtual-8086 mode.</summary>
    public const ulong Virtual8086 = 1ul << 17;

    /// <summary>Alignment check.</summary>
    public const ulong AlignmentCheck = 1ul << 18;

    /// <summary>Virtual interrupt flag: kept, but means nothing without the virtual-8086 extensions.</summary>
    public const ulong VirtualInterrupt = 1ul << 19;

    /// <summary>Virtual interrupt pending: kept, but means nothing without the virtual-8086 extensions.</summary>
    public const ulong VirtualInterruptPending = 1ul << 20;

    /// <summary>CPUID can be executed.</summary>
    public const ulong Id = 1ul << 21;
}
