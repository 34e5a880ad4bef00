namespace PvPatch.Emulator.Clocks;

/// <summary>
/// A clock that goes only when the guest does something: each instruction of x86 code, each reading and each slice of
/// another vCPU of a C# guest costs a fixed number of cycles, and a halted machine jumps to the next alarm. Two runs of one guest see the same times.
/// Alarms ring on the thread that moves the clock.
/// </summary>
public sealed class VirtualClock : MachineClock
{
    private readonly ulong _cyclesPerRead;
    private readonly ulong _cyclesPerSlice;
    private readonly ulong _cyclesPerInstruction;
    private ulong _now;

    /// <summary>Makes a clock that stands at 0.</summary>
    /// <param name="frequency">TSC cycles a second.</param>
    /// <param name="cyclesPerRead">What one reading costs, in cycles.</param>
    /// <param name="cyclesPerSlice">What one slice of another vCPU of a C# guest costs, in cycles.</param>
    /// <param name="cyclesPerInstruction">What one instruction of x86 code costs, in cycles: at least 1.</param>
    public VirtualClock(ulong frequency = 1_000_000_000, ulong cyclesPerRead = 100, ulong cyclesPerSlice = 100_000, ulong cyclesPerInstruction = 1)
        : base(frequency)
    {
        ArgumentOutOfRangeException.ThrowIfZero(cyclesPerInstruction);
        _cyclesPerInstruction = cyclesPerInstruction;
        _cyclesPerRead = cyclesPerRead;
        _cyclesPerSlice = cyclesPerSlice;
    }

    /// <inheritdoc/>
    public override ulong Now => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override ulong Read() => Advance(_cyclesPerRead);

    /// <inheritdoc/>
    public override void PassSlice() => Advance(_cyclesPerSlice);

    /// <inheritdoc/>
    public override ulong InstructionsToNextAlarm
    {
        get
        {
            ulong next = NextAlarm;
            ulong now = Now;
            return next == ClockAlarm.Off ? ulong.MaxValue : next <= now ? 0 : ((next - now - 1) / _cyclesPerInstruction) + 1;
        }
    }

    /// <inheritdoc/>
    public override void PassInstructions(ulong count) => Advance(count * _cyclesPerInstruction);

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
    protected override void SetTime(ulong cycles) => Volatile.Write(ref _now, cycles);

    /// <inheritdoc/>
    protected override void AlarmsChanged() => FireDue();
}
