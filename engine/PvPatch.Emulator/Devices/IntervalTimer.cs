using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>
/// The 8254 interval timer (0x40 to 0x43) with port 0x61, as far as a kernel uses it to measure the TSC: channels that
/// count by the machine's clock in modes 0, 2 and 3, channel 2 with its gate (0x61 bit 0) and output (bit 5). Channel 0's
/// output is input 0 of the interrupt controller; while that is masked it sets no alarm.
/// </summary>
public sealed class IntervalTimer : IPortDevice, ISavedState
{
    /// <summary>Input frequency in Hz.</summary>
    public const ulong Frequency = 1_193_182;

    /// <summary>Channel 0; channels 1 and 2 follow, then the control word.</summary>
    public const ushort FirstPort = 0x40;

    /// <summary>Gate and output of channel 2, speaker.</summary>
    public const ushort SpeakerPort = 0x61;

    private const ushort ControlPort = 0x43;
    private const byte Gate = 0x01;
    private const byte SpeakerData = 0x02;
    private const byte RefreshToggle = 0x10;
    private const byte Output = 0x20;

    private readonly MachineClock _clock;
    private readonly Channel[] _channels;
    private readonly InterruptController? _controller;
    private readonly ClockAlarm _alarm;
    private readonly Lock _gate = new();
    private byte _speaker;

    /// <summary>Makes a timer whose channels stand still.</summary>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="controller">Where channel 0's output goes.</param>
    public IntervalTimer(MachineClock clock, InterruptController? controller = null)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _controller = controller;
        _alarm = clock.CreateAlarm(OnDue);
        if (controller != null) controller.MasksChanged = Arm;
        _channels = [new(clock), new(clock), new(clock)];
        _channels[2].SetGate(false, clock.Now);
    }

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [FirstPort, FirstPort + 1, FirstPort + 2, ControlPort, SpeakerPort];

    /// <inheritdoc/>
    public void Transfer(StateTransfer state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Value(ref _speaker);
        foreach (Channel channel in _channels) channel.Transfer(state);
        if (state.IsRestoring) Arm();
    }

    /// <inheritdoc/>
    public byte Read(ushort port)
    {
        ulong now = _clock.Read();
        lock (_gate)
        {
            return port switch
            {
                SpeakerPort => ReadSpeaker(now),
                ControlPort => 0xff,
                _ => _channels[port - FirstPort].Read(now),
            };
        }
    }

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        ulong now = _clock.Read();
        lock (_gate)
        {
            switch (port)
            {
                case SpeakerPort:
                    _speaker = (byte)(value & (Gate | SpeakerData));
                    _channels[2].SetGate((value & Gate) != 0, now);
                    break;
                case ControlPort when value >> 6 != 3:
                    _channels[value >> 6].Control(value, now);
                    break;
                case ControlPort:
                    ReadBack(value, now);
                    break;
                default:
                    _channels[port - FirstPort].Write(value, now);
                    break;
            }
        }

        if (port is FirstPort or ControlPort) Arm();
    }

    private void OnDue()
    {
        _controller?.Pulse(0);
        Arm();
    }

    /// <summary>Sets the alarm for the next time that channel 0's output rises, if anybody could hear it.</summary>
    private void Arm()
    {
        ulong next;
        lock (_gate) next = _controller is { } controller && controller.IsUnmasked(0) ? _channels[0].NextRise(_clock.Now) : ClockAlarm.Off;
        if (next == ClockAlarm.Off) _alarm.Cancel();
        else _alarm.Set(next);
    }

    /// <summary>Bit 4 toggles with each memory refresh, every 15 microseconds.</summary>
    private byte ReadSpeaker(ulong now)
    {
        bool refresh = (_clock.ToNanoseconds(now) / 15_085 & 1) != 0;
        return (byte)(_speaker | (refresh ? RefreshToggle : 0) | (_channels[2].IsHigh(now) ? Output : 0));
    }

    /// <summary>Latches the counts (bit 5 clear) of the channels named by bits 1 to 3.</summary>
    private void ReadBack(byte value, ulong now)
    {
        const byte noCount = 0x20;
        if ((value & noCount) != 0) return;
        for (int index = 0; index < 3; index++)
        {
            if ((value >> (index + 1) & 1) != 0) _channels[index].Latch(now);
        }
    }

    private sealed class Channel(MachineClock clock)
    {
        private int _mode;
        private int _access = 3;
        private ulong _reload = 0x10000;
        private ulong _startedAt;
        private ulong _ticksBefore;
        private bool _gate = true;
        private bool _loaded;
        private byte _lowWritten;
        private bool _highNext;
        private bool _readHighNext;
        private ushort? _latched;

        public void Transfer(StateTransfer state)
        {
            state.Value(ref _mode);
            state.Value(ref _access);
            state.Value(ref _reload);
            state.Value(ref _startedAt);
            state.Value(ref _ticksBefore);
            state.Value(ref _gate);
            state.Value(ref _loaded);
            state.Value(ref _lowWritten);
            state.Value(ref _highNext);
            state.Value(ref _readHighNext);
            state.Value(ref _latched);
            if (_reload is 0 or > 0x10000) throw StateTransfer.Damaged($"a timer counts from {_reload}");
        }

        /// <summary>Control word: bits 4-5 access (0 latch, 1 low, 2 high, 3 low then high), bits 1-3 mode.</summary>
        public void Control(byte value, ulong now)
        {
            int access = value >> 4 & 3;
            if (access == 0)
            {
                Latch(now);
                return;
            }

            _access = access;
            _mode = value >> 1 & 7;
            if (_mode > 5) _mode -= 4; // Bit 3 is ignored in modes 2 and 3.
            _loaded = false;
            _highNext = _readHighNext = false;
            _latched = null;
        }

        public void Write(byte value, ulong now)
        {
            switch (_access)
            {
                case 1: Load(value, now); break;
                case 2: Load((uint)value << 8, now); break;
                case 3 when !_highNext: _lowWritten = value; _highNext = true; break;
                default: _highNext = false; Load((uint)value << 8 | _lowWritten, now); break;
            }
        }

        public byte Read(ulong now)
        {
            ushort count = _latched ?? Count(now);
            bool high = _access == 2 || (_access == 3 && _readHighNext);
            if (_access == 3) _readHighNext = !_readHighNext;
            if (high || _access != 3) _latched = null;
            return (byte)(high ? count >> 8 : count);
        }

        public void Latch(ulong now) => _latched ??= Count(now);

        /// <summary>A gate that closes stops the count; in modes 2 and 3 its opening starts it anew.</summary>
        public void SetGate(bool open, ulong now)
        {
            if (open == _gate) return;
            if (!open) _ticksBefore = Ticks(now);
            else if (_mode is 2 or 3) _ticksBefore = 0;
            _gate = open;
            _startedAt = now;
        }

        /// <summary>OUT: in mode 0 high once the count ran out; in modes 2 and 3 periodic.</summary>
        public bool IsHigh(ulong now)
        {
            if (!_loaded) return _mode != 0;
            ulong ticks = Ticks(now);
            return _mode switch
            {
                0 => ticks >= _reload,
                3 => ticks % _reload < (_reload + 1) / 2,
                _ => ticks % _reload != _reload - 1,
            };
        }

        /// <summary>The machine's time, after now, at which OUT rises next: once in mode 0, each period in modes 2 and 3.</summary>
        public ulong NextRise(ulong now)
        {
            if (!_loaded || !_gate || _mode is not (0 or 2 or 3)) return ClockAlarm.Off;
            ulong ticks = Ticks(now);
            if (_mode == 0 && ticks >= _reload) return ClockAlarm.Off;
            ulong target = (ticks / _reload + 1) * _reload;
            var cycles = (ulong)(((UInt128)(target - _ticksBefore) * clock.Frequency + (Frequency - 1)) / Frequency);
            return _startedAt + cycles;
        }

        private void Load(uint count, ulong now)
        {
            _reload = count == 0 ? 0x10000 : count;
            _startedAt = now;
            _ticksBefore = 0;
            _loaded = true;
        }

        private ulong Ticks(ulong now)
            => _gate && _loaded ? _ticksBefore + MachineClock.Scale(now - _startedAt, Frequency, clock.Frequency) : _ticksBefore;

        private ushort Count(ulong now)
        {
            ulong ticks = Ticks(now);
            return _mode switch
            {
                0 => (ushort)(_reload - ticks),
                3 => (ushort)(_reload - ticks * 2 % _reload), // Mode 3 counts by two.
                _ => (ushort)(_reload - ticks % _reload),
            };
        }
    }
}
