namespace PvPatch.Emulator.Devices;

/// <summary>
/// Finds the device behind a port. A wider access is one byte access a port, from the lowest on. Where no device is, reads
/// give all ones and writes vanish.
/// </summary>
public sealed class PortBus
{
    private readonly Dictionary<ushort, IPortDevice> _devices = [];
    private readonly List<IPortDevice> _order = [];

    /// <summary>Called for each access that no device answers, none of its bytes: port, size, what was written (null: a read).</summary>
    internal Action<ushort, uint, uint?>? Unclaimed { get; set; }

    /// <summary>The devices in the order they were added.</summary>
    public IReadOnlyList<IPortDevice> Devices => _order;

    /// <summary>Adds a device; two devices on one port are a mistake.</summary>
    public void Add(IPortDevice device)
    {
        foreach (ushort port in device.Ports)
        {
            if (!_devices.TryAdd(port, device)) throw new ArgumentException($"Port 0x{port:x} has a device already: {_devices[port].GetType().Name}.", nameof(device));
        }

        _order.Add(device);
    }

    /// <summary>IN.</summary>
    /// <param name="port">The lowest port.</param>
    /// <param name="size">Bytes: 1, 2 or 4.</param>
    public uint In(ushort port, uint size)
    {
        uint value = 0;
        bool claimed = false;
        for (uint index = 0; index < size; index++)
        {
            var at = (ushort)(port + index);
            bool found = _devices.TryGetValue(at, out IPortDevice? device);
            claimed |= found;
            value |= (uint)(found ? device!.Read(at) : 0xff) << (int)(index * 8);
        }

        if (!claimed) Unclaimed?.Invoke(port, size, null);
        return value;
    }

    /// <summary>OUT.</summary>
    /// <param name="port">The lowest port.</param>
    /// <param name="size">Bytes: 1, 2 or 4.</param>
    /// <param name="value">The value, its low byte to the lowest port.</param>
    public void Out(ushort port, uint size, uint value)
    {
        bool claimed = false;
        for (uint index = 0; index < size; index++)
        {
            var at = (ushort)(port + index);
            if (!_devices.TryGetValue(at, out IPortDevice? device)) continue;
            claimed = true;
            device.Write(at, (byte)(value >> (int)(index * 8)));
        }

        if (!claimed) Unclaimed?.Invoke(port, size, value);
    }
}
