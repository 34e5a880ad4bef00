using PvPatch.Emulator.Exits;

namespace PvPatch.Emulator.Devices;

/// <summary>QEMU's pvpanic device (0x505): reads tell which events it knows, writing bit 0 says the guest panicked.</summary>
/// <param name="lastLines">The console's last lines, the message of the exit.</param>
/// <param name="exit">Stops the machine.</param>
public sealed class PanicPort(Func<string> lastLines, Action<MachineExit> exit) : IPortDevice
{
    /// <summary>Its port.</summary>
    public const ushort Port = 0x505;

    /// <summary>The event: the guest panicked.</summary>
    public const byte Panicked = 1;

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [Port];

    /// <inheritdoc/>
    public byte Read(ushort port) => Panicked;

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        if ((value & Panicked) != 0) exit(new MachineExit.Panicked(lastLines()));
    }
}
