namespace PvPatch.Emulator.Devices;

/// <summary>A device behind I/O ports, reached a byte at a time as on the ISA bus. Called on the thread that runs the vCPUs.</summary>
public interface IPortDevice
{
    /// <summary>The ports it answers.</summary>
    IEnumerable<ushort> Ports { get; }

    /// <summary>IN of one byte.</summary>
    byte Read(ushort port);

    /// <summary>OUT of one byte.</summary>
    void Write(ushort port, byte value);
}
