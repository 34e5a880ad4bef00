using System.Diagnostics;

namespace PvPatch.Emulator.Clocks;

/// <summary>A clock that goes with the host's own. Alarms ring on a host timer thread, never early, late by up to some milliseconds.</summary>
public sealed class HostClock : MachineClock
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly ulong _cyclesPerTick;
    private readonly Timer _timer;
    private readonly Lock _timerGate = new();
    private ulong _offset;

    /// <summary>Makes a clock that starts now.</summary>
    /// <param name="frequency">TSC cycles a second.</param>
    public HostClock(ulong frequency = 1_000_000_000)
        : base(frequency)
    {
        _cyclesPerTick = Scale(frequency, 1ul << 32, (ulong)Stopwatch.Frequency);
        _timer = new Timer(static clock => ((HostClock)clock!).OnTimer(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <inheritdoc/>
    public override ulong Now
    {
        get
        {
            // 32.32 fixed point: cycles = ticks * cyclesPerTick / 2^32, with the product in 128 bits.
            ulong high = Math.BigMul((ulong)(Stopwatch.GetTimestamp() - _start), _cyclesPerTick, out ulong low);
            return ((high << 32) | (low >> 32)) + Volatile.Read(ref _offset);
        }
    }

    /// <inheritdoc/>
    public override ulong Read() => Now;

    /// <inheritdoc/>
    public override void PassSlice()
    {
    }

    /// <inheritdoc/>
    public override bool SkipToNextAlarm() => false;

    /// <inheritdoc/>
    protected override void SetTime(ulong cycles) => Volatile.Write(ref _offset, _offset + (cycles - Now));

    /// <inheritdoc/>
    protected override void AlarmsChanged()
    {
        // Two threads may come here at once: the one that looked first must not have the last word.
        lock (_timerGate)
        {
            ulong next = NextAlarm;
            long milliseconds = Timeout.Infinite;
            if (next != ClockAlarm.Off)
            {
                ulong now = Now;
                ulong wait = next <= now ? 0 : ToNanoseconds(next - now) / 1_000_000 + 1;
                milliseconds = (long)Math.Min(wait, int.MaxValue);
            }

            _timer.Change(milliseconds, Timeout.Infinite);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _timer.Dispose();
        base.Dispose(disposing);
    }

    private void OnTimer()
    {
        FireDue();
        AlarmsChanged();
    }
}
