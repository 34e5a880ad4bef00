using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>The signals of one thread.</summary>
internal sealed class ThreadSignals
{
    private static readonly ulong NeverBlocked = PendingSignals.Bit(Signal.Kill) | PendingSignals.Bit(Signal.Stop);

    private ulong _blocked;

    /// <summary>The signals that wait until they are let through, a bit each; SIGKILL and SIGSTOP never do.</summary>
    public ulong Blocked { get => _blocked; set => _blocked = value & ~NeverBlocked; }

    /// <summary>The set to go back to when the next handler is done (sigsuspend(2)).</summary>
    public ulong? BlockedBefore { get; set; }

    /// <summary>The signals that were sent to this thread alone.</summary>
    public PendingSignals Pending { get; } = new();

    /// <summary>The lowest address of the stack for handlers (sigaltstack(2)).</summary>
    public ulong StackStart { get; set; }

    /// <summary>Its size; 0: there is none.</summary>
    public ulong StackSize { get; set; }

    /// <summary>Whether an address is on the stack for handlers.</summary>
    public bool IsOnStack(ulong address) => StackSize != 0 && address > StackStart && address - StackStart <= StackSize;
}
