namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>What a thread waits for in a system call.</summary>
/// <param name="TryFinish">The call's result, null as long as there is none. Asked again and again.</param>
/// <param name="Deadline">The time at which it will give one at the latest, in ticks of <see cref="Environment.TickCount64"/>; <see cref="Never"/> if there is no such time.</param>
/// <param name="Restarts">A signal whose handler says so (SA_RESTART) lets the call start again; else it ends with EINTR (signal(7)).</param>
internal sealed record Wait(Func<long?> TryFinish, long Deadline = Wait.Never, bool Restarts = true)
{
    /// <summary>Asked when a signal ends the waiting: the call's result if it was done in part, null if it was not.</summary>
    public Func<long?> GiveUp { get; init; } = static () => null;

    /// <summary>No deadline.</summary>
    public const long Never = long.MaxValue;

    /// <summary>The deadline of something that waits for so many nanoseconds from now on.</summary>
    public static long After(UInt128 nanoseconds)
    {
        UInt128 milliseconds = (nanoseconds + 999_999) / 1_000_000;
        long now = Environment.TickCount64;
        return milliseconds < (UInt128)(Never - now) ? now + (long)milliseconds : Never;
    }

    /// <summary>Whether a deadline has passed.</summary>
    public static bool IsOver(long deadline) => Environment.TickCount64 >= deadline;
}
