using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>
/// The ACPI PM1a control register where QEMU's q35 has it (0x604), 16 bits: SLP_EN (bit 13) with sleep type 0 powers the
/// machine off, so writing 0x2000 does.
/// </summary>
/// <param name="exit">Stops the machine.</param>
public sealed class PowerControl(Action<MachineExit> exit) : IPortDevice, ISavedState
{
    /// <summary>The register's low byte.</summary>
    public const ushort Port = 0x604;

    private const byte SleepEnableInHighByte = 0x20;
    private const byte SleepTypeInHighByte = 0x1c;

    private byte _low;
    private byte _high;

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [Port, Port + 1];

    /// <inheritdoc/>
    public void Transfer(StateTransfer state)
    {
        state.Value(ref _low);
        state.Value(ref _high);
    }

    /// <inheritdoc/>
    public byte Read(ushort port) => port == Port ? _low : _high;

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        if (port == Port)
        {
            _low = value;
            return;
        }

        // SLP_EN is write-only: it reads as 0.
        _high = (byte)(value & ~SleepEnableInHighByte);
        if ((value & SleepEnableInHighByte) != 0 && (value & SleepTypeInHighByte) == 0) exit(new MachineExit.PoweredOff());
    }
}
