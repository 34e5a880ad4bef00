using System.Text;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>
/// A 16550A UART at COM1 (0x3f8), the guest's console. The line is as fast as the guest: what is written has been sent at
/// once. Complete lines go to the owner. Its interrupt is input 4 of the interrupt controller, where modem control lets it out.
/// </summary>
/// <param name="line">Takes each complete line, without its end.</param>
/// <param name="controller">Where its interrupt goes.</param>
public sealed class SerialPort(Action<string> line, InterruptController? controller = null) : IPortDevice, ISavedState
{
    /// <summary>The first of its 8 ports.</summary>
    public const ushort Base = 0x3f8;

    /// <summary>How many of the last lines are kept for a panic's message.</summary>
    public const int KeptLines = 8;

    private const byte DivisorLatch = 0x80;
    private const byte Loopback = 0x10;
    private const byte InterruptGate = 0x08;
    private const byte ReceiveInterrupt = 0x01;
    private const byte TransmitInterrupt = 0x02;
    private const int Input = 4;
    private const byte DataReady = 0x01;
    private const byte TransmitterEmpty = 0x60;

    private readonly StringBuilder _text = new();
    private readonly Queue<string> _lastLines = new();
    private readonly Queue<byte> _received = new();
    private readonly Lock _receiving = new();
    private ushort _divisor = 12;
    private byte _interruptEnable;
    private byte _lineControl = 3;
    private byte _modemControl;
    private byte _scratch;
    private bool _fifos;
    private bool _sentWaits;

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => Enumerable.Range(Base, 8).Select(port => (ushort)port);

    /// <summary>The last lines the guest wrote, the unfinished one included, joined by line feeds.</summary>
    public string LastLines => string.Join('\n', _text.Length == 0 ? _lastLines : _lastLines.Append(_text.ToString()));

    private bool LatchOpen => (_lineControl & DivisorLatch) != 0;

    /// <summary>Bytes arrive on the line, from any thread.</summary>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        lock (_receiving)
        {
            foreach (byte value in bytes) _received.Enqueue(value);
        }

        if ((_interruptEnable & ReceiveInterrupt) != 0) Interrupt();
    }

    /// <inheritdoc/>
    public void Transfer(StateTransfer state)
    {
        string text = state.Text(_text.ToString());
        string[] lines = [.. _lastLines];
        state.Value(lines.Length, count => lines = new string[Math.Clamp(count, 0, KeptLines)]);
        for (int index = 0; index < lines.Length; index++) lines[index] = state.Text(lines[index] ?? "");
        byte[] received;
        lock (_receiving) received = state.List(_received);
        state.Value(ref _divisor);
        state.Value(ref _interruptEnable);
        state.Value(ref _lineControl);
        state.Value(ref _modemControl);
        state.Value(ref _scratch);
        state.Value(ref _fifos);
        state.Value(ref _sentWaits);
        if (!state.IsRestoring) return;
        _text.Clear().Append(text);
        _lastLines.Clear();
        foreach (string kept in lines) _lastLines.Enqueue(kept);
        lock (_receiving)
        {
            _received.Clear();
            foreach (byte value in received) _received.Enqueue(value);
        }
    }

    /// <inheritdoc/>
    public byte Read(ushort port) => (port - Base) switch
    {
        0 => LatchOpen ? (byte)_divisor : TakeReceived(),
        1 => LatchOpen ? (byte)(_divisor >> 8) : _interruptEnable,
        2 => InterruptIdentification(),
        3 => _lineControl,
        4 => _modemControl,
        5 => (byte)(TransmitterEmpty | (HasReceived() ? DataReady : 0)),
        6 => ModemStatus(),
        _ => _scratch,
    };

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        switch (port - Base)
        {
            case 0 when LatchOpen: _divisor = (ushort)((_divisor & 0xff00) | value); break;
            case 0: Transmit(value); break;
            case 1 when LatchOpen: _divisor = (ushort)((_divisor & 0x00ff) | value << 8); break;
            case 1: EnableInterrupts((byte)(value & 0x0f)); break;
            case 2: ControlFifos(value); break;
            case 3: _lineControl = value; break;
            case 4: _modemControl = (byte)(value & 0x1f); break;
            case 7: _scratch = value; break;
            default: break; // LSR and MSR are written in factory tests alone.
        }
    }

    /// <summary>Bits 6 and 7: FIFOs on. Bits 0 to 3: received data (4), transmitter became empty (2; reading it here takes it), none (1).</summary>
    private byte InterruptIdentification()
    {
        bool received = (_interruptEnable & ReceiveInterrupt) != 0 && HasReceived();
        int cause = received ? 4 : _sentWaits ? 2 : 1;
        if (cause == 2) _sentWaits = false;
        return (byte)(cause | (_fifos ? 0xc0 : 0));
    }

    /// <summary>The transmitter is always empty, so enabling its interrupt raises it.</summary>
    private void EnableInterrupts(byte value)
    {
        bool sends = (value & ~_interruptEnable & TransmitInterrupt) != 0;
        _interruptEnable = value;
        _sentWaits = (_sentWaits || sends) && (value & TransmitInterrupt) != 0;
        if (_sentWaits || ((value & ReceiveInterrupt) != 0 && HasReceived())) Interrupt();
    }

    private void Interrupt()
    {
        if ((_modemControl & InterruptGate) != 0) controller?.Pulse(Input);
    }

    /// <summary>A terminal is there (CTS, DSR, DCD); in loopback the modem control outputs come back.</summary>
    private byte ModemStatus()
    {
        if ((_modemControl & Loopback) == 0) return 0xb0;
        int dtr = _modemControl & 1, rts = (_modemControl >> 1) & 1, outputs = (_modemControl >> 2) & 3;
        return (byte)(rts << 4 | dtr << 5 | outputs << 6);
    }

    private void ControlFifos(byte value)
    {
        _fifos = (value & 1) != 0;
        if ((value & 2) == 0) return;
        lock (_receiving) _received.Clear();
    }

    private bool HasReceived()
    {
        lock (_receiving) return _received.Count != 0;
    }

    private byte TakeReceived()
    {
        lock (_receiving) return _received.TryDequeue(out byte value) ? value : (byte)0;
    }

    private void Transmit(byte value)
    {
        if ((_modemControl & Loopback) != 0)
        {
            Receive([value]);
            return;
        }

        if (value == '\n') FinishLine();
        else if (value != '\r') _text.Append((char)value);
        if ((_interruptEnable & TransmitInterrupt) == 0) return;
        _sentWaits = true;
        Interrupt();
    }

    private void FinishLine()
    {
        string text = _text.ToString();
        _text.Clear();
        if (_lastLines.Count == KeptLines) _lastLines.Dequeue();
        _lastLines.Enqueue(text);
        line(text);
    }
}
