using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Clocks;

/// <summary>
/// What a machine's time stamp counter and all its timers run by, counted in TSC cycles since the clock was made.
/// One clock belongs to one machine.
/// </summary>
public abstract class MachineClock : ISavedState, IDisposable
{
    /// <summary>The lowest frequency, in Hz.</summary>
    public const ulong MinFrequency = 1_000_000;

    /// <summary>The highest frequency, in Hz; CPUID leaf 0x15 has 32 bits for it.</summary>
    public const ulong MaxFrequency = 4_000_000_000;

    private readonly Lock _gate = new();
    private readonly List<ClockAlarm> _alarms = [];
    private ulong _next = ClockAlarm.Off;
    private int _ringing;

    /// <summary>Makes a clock.</summary>
    /// <param name="frequency">TSC cycles a second.</param>
    protected MachineClock(ulong frequency)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frequency, MinFrequency);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frequency, MaxFrequency);
        Frequency = frequency;
    }

    /// <summary>TSC cycles a second.</summary>
    public ulong Frequency { get; }

    /// <summary>The time in cycles; looking does not change it.</summary>
    public abstract ulong Now { get; }

    /// <summary>Whether an alarm is set, or ringing now.</summary>
    public bool HasAlarm => NextAlarm != ClockAlarm.Off || Volatile.Read(ref _ringing) != 0;

    /// <summary>Called after alarms rang, from the thread they rang on: what waits for something to happen looks again.</summary>
    internal Action AfterAlarms { get; set; } = static () => { };

    /// <summary>The earliest time an alarm is set for, or <see cref="ClockAlarm.Off"/>.</summary>
    public ulong NextAlarm => Volatile.Read(ref _next);

    /// <summary>The time in cycles as a guest's instruction reads it: the reading itself may take time.</summary>
    public abstract ulong Read();

    /// <summary>A vCPU had the processor for a slice of time in which it did not look at the clock.</summary>
    public abstract void PassSlice();

    /// <summary>How many instructions may be executed before an alarm rings, by a clock that instructions move.</summary>
    public virtual ulong InstructionsToNextAlarm => ulong.MaxValue;

    /// <summary>A vCPU that executes x86 code completed so many instructions.</summary>
    public virtual void PassInstructions(ulong count)
    {
    }

    /// <summary>Nothing runs until the next alarm: goes there at once if this clock can. False: it cannot, or no alarm is set.</summary>
    public abstract bool SkipToNextAlarm();

    /// <summary>Nanoseconds that so many cycles take, rounded down.</summary>
    public ulong ToNanoseconds(ulong cycles) => Scale(cycles, 1_000_000_000, Frequency);

    /// <summary>Cycles that so many nanoseconds take, rounded down.</summary>
    public ulong FromNanoseconds(ulong nanoseconds) => Scale(nanoseconds, Frequency, 1_000_000_000);

    /// <summary>value * multiplier / divisor without overflow in between, rounded down.</summary>
    public static ulong Scale(ulong value, ulong multiplier, ulong divisor)
        => (ulong)((UInt128)value * multiplier / divisor);

    /// <summary>Makes an alarm of this clock, not set yet.</summary>
    /// <param name="due">Called once each time its time has come, from any thread and with no lock held.</param>
    public ClockAlarm CreateAlarm(Action due)
    {
        var alarm = new ClockAlarm(this, due);
        lock (_gate) _alarms.Add(alarm);
        return alarm;
    }

    /// <summary>The time. Restoring cancels all alarms; who had set one sets it again.</summary>
    public void Transfer(StateTransfer state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Same(GetType().Name, "the clock");
        state.Same(Frequency, "the clock's frequency in Hz");
        if (state.IsRestoring)
        {
            lock (_gate)
            {
                foreach (ClockAlarm alarm in _alarms) alarm.Deadline = ClockAlarm.Off;
                FindNext();
            }
        }

        state.Value(Now, SetTime);
    }

    /// <summary>Stops the alarms.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _alarms.Clear();
            FindNext();
        }

        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    internal void Set(ClockAlarm alarm, ulong deadline)
    {
        lock (_gate)
        {
            alarm.Deadline = deadline;
            FindNext();
        }

        AlarmsChanged();
    }

    /// <summary>The time becomes another one, while no alarm is set.</summary>
    protected abstract void SetTime(ulong cycles);

    /// <summary>An alarm was set or cancelled.</summary>
    protected abstract void AlarmsChanged();

    /// <summary>Calls every alarm whose time has come.</summary>
    protected void FireDue()
    {
        ulong now = Now;
        if (now < NextAlarm) return;
        while (TakeDue(now) is { } alarm)
        {
            alarm.Due();
            Interlocked.Decrement(ref _ringing);
        }

        AfterAlarms();
    }

    /// <summary>Frees what the clock holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    private ClockAlarm? TakeDue(ulong now)
    {
        lock (_gate)
        {
            foreach (ClockAlarm alarm in _alarms)
            {
                if (alarm.Deadline > now || alarm.Deadline == ClockAlarm.Off) continue;
                Interlocked.Increment(ref _ringing);
                alarm.Deadline = ClockAlarm.Off;
                FindNext();
                return alarm;
            }
        }

        return null;
    }

    /// <summary>Called with the gate held.</summary>
    private void FindNext()
    {
        ulong next = ClockAlarm.Off;
        foreach (ClockAlarm alarm in _alarms) next = Math.Min(next, alarm.Deadline);
        Volatile.Write(ref _next, next);
    }
}
