namespace PvPatch.Emulator.State;

/// <summary>What keeps events away from a CPU for now; the bits are those of Intel SDM vol. 3, 24.4.2 ("Interruptibility State").</summary>
[Flags]
public enum Interruptibility : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>STI set IF: no interrupt before the next instruction is done.</summary>
    BlockedBySti = 1,

    /// <summary>MOV SS or POP SS: neither interrupt nor debug trap before the next instruction is done.</summary>
    BlockedByMovSs = 2,

    /// <summary>An NMI was delivered: no other one before IRET (Intel SDM vol. 3, 6.7.1).</summary>
    BlockedByNmi = 8,
}
