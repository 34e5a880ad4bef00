namespace PvPatch.Emulator.Devices;

/// <summary>The POST code port (0x80). Linux writes to it to lose a microsecond after slow ports; the last code can be read.</summary>
public sealed class PostCode : IPortDevice
{
    /// <summary>Its port.</summary>
    public const ushort Port = 0x80;

    /// <summary>How often it was written: the io_delay operations a guest did.</summary>
    public long Writes { get; private set; }

    /// <summary>The last code.</summary>
    public byte Last { get; private set; }

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [Port];

    /// <inheritdoc/>
    public byte Read(ushort port) => Last;

    /// <inheritdoc/>
    public void Write(ushort port, byte value)
    {
        Last = value;
        Writes++;
    }
}
