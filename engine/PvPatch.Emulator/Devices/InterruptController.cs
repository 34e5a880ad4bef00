using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>
/// The two 8259A interrupt controllers (0x20, 0xa0) as a kernel with a local APIC sees them: it initialises them, masks
/// all and never hears of them again. No device is wired to them, so nothing is ever requested or in service.
/// </summary>
public sealed class InterruptController : IPortDevice, ISavedState
{
    /// <summary>The first controller's command port; the mask is one above.</summary>
    public const ushort First = 0x20;

    /// <summary>The second controller's command port; the mask is one above.</summary>
    public const ushort Second = 0xa0;

    private readonly Chip _first = new();
    private readonly Chip _second = new();

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [First, First + 1, Second, Second + 1];

    /// <inheritdoc/>
    public void Transfer(StateTransfer state)
    {
        _first.Transfer(state);
        _second.Transfer(state);
    }

    /// <summary>The vector of a controller's input 0, as its second initialisation word set it.</summary>
    public byte VectorBase(ushort command) => ChipAt(command).VectorBase;

    /// <inheritdoc/>
    public byte Read(ushort port) => (port & 1) == 0 ? Chip.ReadCommand() : ChipAt(port).Mask;

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        if ((port & 1) == 0) ChipAt(port).WriteCommand(value);
        else ChipAt(port).WriteData(value);
    }

    private Chip ChipAt(ushort port) => port < Second ? _first : _second;

    private sealed class Chip
    {
        private const byte IsFirstWord = 0x10;
        private const byte WantsFourthWord = 0x01;
        private const byte IsAlone = 0x02;

        private byte _firstWord;
        private int _wordsTaken = 4;
        private byte _mask;
        private byte _vectorBase;

        public byte Mask { get => _mask; private set => _mask = value; }

        public byte VectorBase { get => _vectorBase; private set => _vectorBase = value; }

        public void Transfer(StateTransfer state)
        {
            state.Value(ref _firstWord);
            state.Value(ref _wordsTaken);
            state.Value(ref _mask);
            state.Value(ref _vectorBase);
        }

        /// <summary>IRR or ISR, whichever was chosen: both empty.</summary>
        public static byte ReadCommand() => 0;

        /// <summary>The first initialisation word starts the sequence and clears the mask; the other commands end or choose what is never there.</summary>
        public void WriteCommand(byte value)
        {
            if ((value & IsFirstWord) == 0) return;
            _firstWord = value;
            _wordsTaken = 1;
            Mask = 0;
        }

        public void WriteData(byte value)
        {
            switch (_wordsTaken)
            {
                case 1:
                    VectorBase = (byte)(value & 0xf8);
                    _wordsTaken = (_firstWord & IsAlone) != 0 ? AfterCascade() : 2;
                    break;
                case 2:
                    _wordsTaken = AfterCascade();
                    break;
                case 3:
                    _wordsTaken = 4;
                    break;
                default:
                    Mask = value;
                    break;
            }
        }

        private int AfterCascade() => (_firstWord & WantsFourthWord) != 0 ? 3 : 4;
    }
}
