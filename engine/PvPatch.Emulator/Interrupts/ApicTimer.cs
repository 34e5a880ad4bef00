using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Interrupts;

/// <summary>
/// A local APIC's timer (Intel SDM vol. 3, 10.5.4): one-shot, periodic, TSC deadline. Its input clock is the crystal that
/// CPUID 0x15 tells, which in this machine runs at the TSC's frequency; the divide register slows it.
/// A period missed while the host was late is skipped, as the IRR bit would have swallowed it. A masked timer counts, but
/// has no alarm: a machine whose timers are all masked has nothing that could wake it.
/// </summary>
internal sealed class ApicTimer : ISavedState
{
    /// <summary>The mask bit of every LVT entry.</summary>
    public const uint Masked = 1u << 16;

    private const uint PeriodicMode = 1;
    private const uint DeadlineMode = 2;

    private readonly Lock _gate = new();
    private readonly MachineClock _clock;
    private readonly TimeStampCounter _tsc;
    private readonly Action<byte> _raise;
    private readonly ClockAlarm _alarm;
    private uint _lvt = Masked;
    private uint _initialCount;
    private uint _divide;
    private ulong _tscDeadline;
    private ulong _due = ClockAlarm.Off;

    public ApicTimer(MachineClock clock, TimeStampCounter tsc, Action<byte> raise)
    {
        _clock = clock;
        _tsc = tsc;
        _raise = raise;
        _alarm = clock.CreateAlarm(OnDue);
    }

    /// <summary>LVT timer register. A change into or out of TSC deadline mode disarms.</summary>
    public uint Lvt
    {
        get => _lvt;
        set
        {
            lock (_gate)
            {
                CatchUp(_clock.Now);
                bool was = Mode == DeadlineMode;
                _lvt = value;
                Arm(was == (Mode == DeadlineMode) ? _due : ClockAlarm.Off);
            }
        }
    }

    /// <summary>Divide configuration register: bits 0, 1 and 3.</summary>
    public uint Divide
    {
        get => _divide;
        set
        {
            lock (_gate) _divide = value;
        }
    }

    /// <summary>Initial count register: writing starts the timer, 0 stops it.</summary>
    public uint InitialCount
    {
        get => _initialCount;
        set
        {
            lock (_gate)
            {
                if (Mode == DeadlineMode) return;
                _initialCount = value;
                Arm(value == 0 ? ClockAlarm.Off : _clock.Now + value * Divisor);
            }
        }
    }

    /// <summary>Current count register.</summary>
    public uint CurrentCount
    {
        get
        {
            lock (_gate)
            {
                ulong now = _clock.Read();
                CatchUp(now);
                return Mode == DeadlineMode || _due == ClockAlarm.Off || _due <= now ? 0 : (uint)((_due - now + Divisor - 1) / Divisor);
            }
        }
    }

    /// <summary>IA32_TSC_DEADLINE in guest TSC cycles: 0 while disarmed; writes count in TSC deadline mode alone.</summary>
    public ulong TscDeadline
    {
        get
        {
            lock (_gate)
            {
                CatchUp(_clock.Now);
                return Mode == DeadlineMode && _due != ClockAlarm.Off ? _tscDeadline : 0;
            }
        }

        set
        {
            lock (_gate)
            {
                if (Mode != DeadlineMode) return;
                _tscDeadline = value;
                Arm(value == 0 ? ClockAlarm.Off : _tsc.WhenItReaches(value));
            }
        }
    }

    private uint Mode => (_lvt >> 17) & 3;

    /// <summary>Bits 3, 1, 0 of the divide register choose 2, 4, 8, 16, 32, 64, 128, 1.</summary>
    private ulong Divisor => 1ul << (int)((((_divide & 3) | ((_divide >> 1) & 4)) + 1) & 7);

    private bool IsMasked => (_lvt & Masked) != 0;

    /// <summary>Its registers; restoring arms it anew.</summary>
    public void Transfer(StateTransfer state)
    {
        lock (_gate)
        {
            state.Value(ref _lvt);
            state.Value(ref _initialCount);
            state.Value(ref _divide);
            state.Value(ref _tscDeadline);
            state.Value(ref _due);
            if (state.IsRestoring) Arm(_due);
        }
    }

    private void Arm(ulong due)
    {
        _due = due;
        if (due == ClockAlarm.Off || IsMasked) _alarm.Cancel();
        else _alarm.Set(due);
    }

    /// <summary>Without an alarm nobody tells a masked timer that its time has come.</summary>
    private void CatchUp(ulong now)
    {
        if (IsMasked && _due <= now) _due = After(now);
    }

    /// <summary>When a timer that is due now is due next.</summary>
    private ulong After(ulong now)
    {
        ulong period = _initialCount * Divisor;
        return Mode == PeriodicMode && period != 0 ? _due + period * (1 + (now - _due) / period) : ClockAlarm.Off;
    }

    private void OnDue()
    {
        lock (_gate)
        {
            ulong now = _clock.Now;
            if (IsMasked || _due == ClockAlarm.Off || now < _due) return;
            _raise((byte)_lvt);
            Arm(After(now));
        }
    }
}
