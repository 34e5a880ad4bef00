namespace PvPatch.Emulator.Interpreter;

/// <summary>What is being delivered, which decides error codes and privilege checks.</summary>
internal enum EventSource
{
    /// <summary>A fault or trap of the CPU.</summary>
    Exception,

    /// <summary>INT n, INT3 or INTO: the gate's privilege counts.</summary>
    Software,

    /// <summary>INT1: a software interrupt that any level may make (Intel SDM vol. 2, INT n).</summary>
    PrivilegedSoftware,

    /// <summary>An interrupt from outside.</summary>
    External,
}
