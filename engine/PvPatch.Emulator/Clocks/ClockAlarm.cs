namespace PvPatch.Emulator.Clocks;

/// <summary>
/// One time at which somebody wants to be called. A call may come once more for a time that was cancelled or moved in the
/// same moment, so the one called compares with its own deadline.
/// </summary>
public sealed class ClockAlarm
{
    /// <summary>The deadline of an alarm that is not set.</summary>
    public const ulong Off = ulong.MaxValue;

    private readonly MachineClock _clock;

    internal ClockAlarm(MachineClock clock, Action due)
    {
        _clock = clock;
        Due = due;
    }

    /// <summary>When it is due, in TSC cycles of the clock.</summary>
    internal ulong Deadline { get; set; } = Off;

    internal Action Due { get; }

    /// <summary>Sets it; a time that has passed is due at once.</summary>
    /// <param name="deadline">In TSC cycles of the clock.</param>
    public void Set(ulong deadline) => _clock.Set(this, deadline);

    /// <summary>Cancels it.</summary>
    public void Cancel() => _clock.Set(this, Off);
}
