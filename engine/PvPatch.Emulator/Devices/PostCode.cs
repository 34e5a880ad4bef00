using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>The POST code port (0x80). Linux writes to it to lose a microsecond after slow ports; the last code can be read.</summary>
public sealed class PostCode : IPortDevice, ISavedState
{
    /// <summary>Its port.</summary>
    public const ushort Port = 0x80;

    private byte _last;

    /// <inheritdoc/>
    public IEnumerable<ushort> Ports => [Port];

    /// <inheritdoc/>
    public void Transfer(StateTransfer state) => state.Value(ref _last);

    /// <inheritdoc/>
    public byte Read(ushort port) => _last;

    /// <inheritdoc/>
    public void Write(ushort port, byte value) => _last = value;
}
