namespace PvPatch.Emulator.Clocks;

/// <summary>
/// A clock that goes only when the guest does something: each reading costs a fixed number of cycles, a slice of another
/// vCPU costs a fixed number, and a halted machine jumps to the next alarm. Two runs of one guest see the same times.
/// Alarms ring on the thread that moves the clock.
/// </summary>
public sealed class VirtualClock : MachineClock
{
    private readonly ulong _cyclesPerRead;
    private readonly ulong _cyclesPerSlice;
    private ulong _now;

    /// <summary>Makes a clock that stands at 0.</summary>
    /// <param name="frequency">TSC cycles a second.</param>
    /// <param name="cyclesPerRead">What one reading costs, in cycles.</param>
    /// <param name="cyclesPerSlice">What one slice of another vCPU costs, in cycles.</param>
    public VirtualClock(ulong frequency = 1_000_000_000, ulong cyclesPerRead = 100, ulong cyclesPerSlice = 100_000)
        : base(frequency)
    {
        _cyclesPerRead = cyclesPerRead;
        _cyclesPerSlice = cyclesPerSlice;
    }

    /// <inheritdoc/>
    public override ulong Now => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override ulong Read() => Advance(_cyclesPerRead);

    /// <inheritdoc/>
    public override void PassSlice() => Advance(_cyclesPerSlice);

    /// <summary>Lets time pass.</summary>
    /// <param name="cycles">How much, in TSC cycles.</param>
    /// <returns>The time after.</returns>
    public ulong Advance(ulong cycles)
    {
        ulong now = Interlocked.Add(ref _now, cycles);
        FireDue();
        return now;
    }

    /// <inheritdoc/>
    public override bool SkipToNextAlarm()
    {
        ulong next = NextAlarm;
        if (next == ClockAlarm.Off) return false;
        ulong now = Now;
        Advance(next > now ? next - now : 0);
        return true;
    }

    /// <inheritdoc/>
    protected override void AlarmsChanged() => FireDue();
}
