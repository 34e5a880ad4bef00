using PvPatch.Emulator.Devices;

namespace PvPatch.Emulator.Tests.Devices;

public sealed class PortBusTests
{
    [TestCase(1u, 0xffu)]
    [TestCase(2u, 0xffffu)]
    [TestCase(4u, 0xffff_ffffu)]
    public void A_port_without_a_device_reads_as_all_ones(uint size, uint expected)
        => Assert.That(new PortBus().In(0x1234, size), Is.EqualTo(expected));

    [Test]
    public void A_wide_access_is_one_byte_a_port_from_the_lowest_on()
    {
        var bus = new PortBus();
        bus.Add(new Register(0x100));
        bus.Add(new Register(0x101));
        bus.Out(0x100, 2, 0xbeef);
        Assert.That(bus.In(0x100, 1), Is.EqualTo(0xef));
        Assert.That(bus.In(0x101, 1), Is.EqualTo(0xbe));
        Assert.That(bus.In(0x100, 4), Is.EqualTo(0xffff_beef));
    }

    [Test]
    public void An_access_at_the_last_port_wraps_to_the_first()
    {
        var bus = new PortBus();
        bus.Add(new Register(0xffff));
        bus.Add(new Register(0));
        bus.Out(0xffff, 2, 0x1234);
        Assert.That((bus.In(0xffff, 1), bus.In(0, 1)), Is.EqualTo((0x34u, 0x12u)));
    }

    [Test]
    public void Two_devices_cannot_have_one_port()
    {
        var bus = new PortBus();
        bus.Add(new Register(0x100));
        Assert.That(() => bus.Add(new Register(0x100)), Throws.ArgumentException);
    }

    private sealed class Register(ushort port) : IPortDevice
    {
        private byte _value;

        public IEnumerable<ushort> Ports => [port];

        public byte Read(ushort at) => _value;

        public void Write(ushort at, byte value) => _value = value;
    }
}
