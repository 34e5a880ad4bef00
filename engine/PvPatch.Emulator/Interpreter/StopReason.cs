namespace PvPatch.Emulator.Interpreter;

/// <summary>Why a run stopped: a closed set.</summary>
public abstract record StopReason
{
    private StopReason()
    {
    }

    /// <summary>The number of instructions asked for was executed.</summary>
    public sealed record InstructionLimit : StopReason;

    /// <summary>An exception that this interpreter does not deliver. Faults leave RIP at the instruction, traps behind it.</summary>
    /// <param name="Vector">The vector.</param>
    /// <param name="ErrorCode">The error code, 0 for vectors without one.</param>
    /// <param name="Address">The linear address of a page fault.</param>
    public sealed record Exception(uint Vector, uint ErrorCode, ulong Address) : StopReason;

    /// <summary>SYSCALL, where the program's owner answers system calls. RIP is behind it.</summary>
    public sealed record SystemCall : StopReason;

    /// <summary>HLT; RIP is behind it.</summary>
    public sealed record Halted : StopReason;

    /// <summary>A triple fault: an exception could not be delivered, nor the double fault that this is.</summary>
    public sealed record Shutdown : StopReason;

    /// <summary>The machine asked the CPU to leave its run.</summary>
    public sealed record Asked : StopReason;

    /// <summary>An event waits and interrupts are enabled.</summary>
    public sealed record EventPending : StopReason;
}
