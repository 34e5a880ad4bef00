using System.Numerics;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>
/// The two 8259A interrupt controllers (0x20, 0xa0), the second on input 2 of the first (Intel 8259A data sheet): edge-triggered
/// inputs, masks, fixed priorities, both kinds of EOI, automatic EOI. Rotating priorities and polling are not there.
/// Everything happens on the thread that runs the vCPUs or, for alarms of the host's clock, under the lock.
/// </summary>
public sealed class InterruptController : IPortDevice, ISavedState
{
    /// <summary>The first controller's command port; the mask is one above.</summary>
    public const ushort First = 0x20;

    /// <summary>The second controller's command port; the mask is one above.</summary>
    public const ushort Second = 0xa0;

    private const int Cascade = 2;

    private readonly Lock _gate = new();
    private readonly Chip _first = new();
    private readonly Chip _second = new();

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [First, First + 1, Second, Second + 1];

    /// <summary>Called while INTR is asserted, after a pulse or a write, on the thread that made it.</summary>
    internal Action Requested { get; set; } = static () => { };

    /// <summary>Called after a mask was written: a timer whose input is masked need not tick.</summary>
    internal Action MasksChanged { get; set; } = static () => { };

    /// <summary>Whether INTR is asserted.</summary>
    public bool HasRequest
    {
        get
        {
            lock (_gate) return _first.Highest() >= 0;
        }
    }

    /// <summary>The vector of a controller's input 0, as its second initialisation word set it.</summary>
    public byte VectorBase(ushort command) => ChipAt(command).VectorBase;

    /// <summary>A rising edge on one of the inputs 0 to 15.</summary>
    public void Pulse(int input)
    {
        lock (_gate)
        {
            (input < 8 ? _first : _second).Request(input & 7);
            FollowSecond();
        }

        if (HasRequest) Requested();
    }

    /// <inheritdoc/>
    public byte Read(ushort port)
    {
        lock (_gate) return (port & 1) == 0 ? ChipAt(port).ReadCommand() : ChipAt(port).Mask;
    }

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        lock (_gate)
        {
            if ((port & 1) == 0) ChipAt(port).WriteCommand(value);
            else ChipAt(port).WriteData(value);
            FollowSecond();
        }

        if ((port & 1) != 0) MasksChanged();
        if (HasRequest) Requested();
    }

    /// <inheritdoc/>
    public void Transfer(StateTransfer state)
    {
        _first.Transfer(state);
        _second.Transfer(state);
    }

    /// <summary>Whether a pulse of an input could reach a vCPU.</summary>
    public bool IsUnmasked(int input)
    {
        lock (_gate)
        {
            return input < 8 ? _first.IsUnmasked(input) : _second.IsUnmasked(input & 7) && _first.IsUnmasked(Cascade);
        }
    }

    /// <summary>INTA: the vector of the request of the highest priority, which is then in service; the spurious one if it went away.</summary>
    public byte Acknowledge()
    {
        lock (_gate)
        {
            int input = _first.Acknowledge();
            byte vector = input == Cascade ? (byte)(_second.VectorBase | _second.Acknowledge()) : (byte)(_first.VectorBase | input);
            FollowSecond();
            return vector;
        }
    }

    private void FollowSecond()
    {
        if (_second.Highest() >= 0) _first.Request(Cascade);
        else _first.Withdraw(Cascade);
    }

    private Chip ChipAt(ushort port) => port < Second ? _first : _second;

    private sealed class Chip
    {
        private const byte IsFirstWord = 0x10;
        private const byte WantsFourthWord = 0x01;
        private const byte IsAlone = 0x02;
        private const byte IsThirdCommand = 0x08;
        private const byte AutomaticEnd = 0x02;
        private const int Spurious = 7;

        private byte _firstWord;
        private byte _mask = 0xff;
        private byte _vectorBase;
        private byte _requested;
        private byte _inService;
        private int _wordsTaken = 4;
        private bool _readsInService;
        private bool _endsAutomatically;

        public byte Mask => _mask;

        public byte VectorBase => _vectorBase;

        public void Transfer(StateTransfer state)
        {
            state.Value(ref _firstWord);
            state.Value(ref _mask);
            state.Value(ref _vectorBase);
            state.Value(ref _requested);
            state.Value(ref _inService);
            state.Value(ref _wordsTaken);
            state.Value(ref _readsInService);
            state.Value(ref _endsAutomatically);
        }

        public void Request(int input) => _requested |= (byte)(1 << input);

        public void Withdraw(int input) => _requested &= (byte)~(1 << input);

        public bool IsUnmasked(int input) => (_mask >> input & 1) == 0;

        /// <summary>The unmasked request of the highest priority that exceeds what is in service, or -1.</summary>
        public int Highest()
        {
            int waiting = _requested & ~_mask;
            if (waiting == 0) return -1;
            int input = BitOperations.TrailingZeroCount(waiting);
            return _inService == 0 || input < BitOperations.TrailingZeroCount(_inService) ? input : -1;
        }

        public int Acknowledge()
        {
            int input = Highest();
            if (input < 0) return Spurious;
            Withdraw(input);
            if (!_endsAutomatically) _inService |= (byte)(1 << input);
            return input;
        }

        /// <summary>IRR, or ISR if that was chosen.</summary>
        public byte ReadCommand() => _readsInService ? _inService : _requested;

        /// <summary>The first initialisation word starts the sequence; the other commands end interrupts or choose what is read.</summary>
        public void WriteCommand(byte value)
        {
            if ((value & IsFirstWord) != 0) Initialize(value);
            else if ((value & IsThirdCommand) != 0) ChooseRead(value);
            else EndOfInterrupt(value);
        }

        public void WriteData(byte value)
        {
            switch (_wordsTaken)
            {
                case 1:
                    _vectorBase = (byte)(value & 0xf8);
                    _wordsTaken = (_firstWord & IsAlone) != 0 ? AfterCascade() : 2;
                    break;
                case 2:
                    _wordsTaken = AfterCascade();
                    break;
                case 3:
                    _endsAutomatically = (value & AutomaticEnd) != 0;
                    _wordsTaken = 4;
                    break;
                default:
                    _mask = value;
                    break;
            }
        }

        private void Initialize(byte value)
        {
            _firstWord = value;
            _wordsTaken = 1;
            _mask = _requested = _inService = 0;
            _readsInService = _endsAutomatically = false;
        }

        private void ChooseRead(byte value)
        {
            if ((value & 2) != 0) _readsInService = (value & 1) != 0;
        }

        /// <summary>Bit 5: an end; bit 6: of the input in bits 0 to 2, else of the highest in service.</summary>
        private void EndOfInterrupt(byte value)
        {
            if ((value & 0x20) == 0 || _inService == 0) return;
            int input = (value & 0x40) != 0 ? value & 7 : BitOperations.TrailingZeroCount(_inService);
            _inService &= (byte)~(1 << input);
        }

        private int AfterCascade() => (_firstWord & WantsFourthWord) != 0 ? 3 : 4;
    }
}
