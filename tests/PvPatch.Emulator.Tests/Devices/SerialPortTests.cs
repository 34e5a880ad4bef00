using PvPatch.Emulator.Devices;

namespace PvPatch.Emulator.Tests.Devices;

public sealed class SerialPortTests
{
    private readonly List<string> _lines = [];
    private SerialPort _port = null!;

    [SetUp]
    public void MakePort()
    {
        _lines.Clear();
        _port = new SerialPort(_lines.Add);
    }

    [Test]
    public void Complete_lines_go_to_the_owner_without_their_ends()
    {
        Send("one\r\ntwo\nthr");
        Assert.That(_lines, Is.EqualTo(new[] { "one", "two" }));
        Send("ee\n");
        Assert.That(_lines[2], Is.EqualTo("three"));
    }

    [Test]
    public void The_last_lines_are_kept_with_the_unfinished_one()
    {
        Send(string.Concat(Enumerable.Range(0, SerialPort.KeptLines + 3).Select(number => $"line {number}\n")) + "rest");
        Assert.That(_port.LastLines, Does.StartWith("line 3\n").And.EndsWith("line 10\nrest"));
    }

    [Test]
    public void The_transmitter_is_always_ready_and_data_ready_follows_the_line()
    {
        Assert.That(Register(5), Is.EqualTo(0x60));
        _port.Receive("ab"u8);
        Assert.That(Register(5), Is.EqualTo(0x61));
        Assert.That((Register(0), Register(0), Register(5)), Is.EqualTo(((byte)'a', (byte)'b', (byte)0x60)));
    }

    [Test]
    public void The_divisor_latch_hides_data_and_interrupt_enable()
    {
        Set(3, 0x83);
        Set(0, 0x01);
        Set(1, 0x02);
        Assert.That((Register(0), Register(1)), Is.EqualTo(((byte)1, (byte)2)));
        Set(3, 0x03);
        Assert.That((Register(0), Register(1)), Is.EqualTo(((byte)0, (byte)0)));
        Assert.That(_lines, Is.Empty);
        Set(0, (byte)'\n');
        Assert.That(_lines, Is.EqualTo(new[] { "" }));
    }

    [Test]
    public void Enabled_FIFOs_show_in_the_identification_register_as_a_16550A()
    {
        Assert.That(Register(2), Is.EqualTo(0x01));
        Set(2, 0x01);
        Assert.That(Register(2), Is.EqualTo(0xc1));
    }

    [Test]
    public void Received_data_is_the_cause_before_an_empty_transmitter()
    {
        Set(1, 0x03);
        Assert.That(Register(2), Is.EqualTo(0x02));
        _port.Receive("x"u8);
        Assert.That(Register(2), Is.EqualTo(0x04));
    }

    [Test]
    public void Clearing_the_receive_FIFO_drops_what_came()
    {
        _port.Receive("x"u8);
        Set(2, 0x03);
        Assert.That(Register(5), Is.EqualTo(0x60));
    }

    [Test]
    public void Loopback_returns_data_and_modem_lines_to_the_guest()
    {
        Set(4, 0x1a);
        Set(0, 0x55);
        Assert.That((Register(0), Register(6)), Is.EqualTo(((byte)0x55, (byte)0x90)));
        Assert.That(_port.LastLines, Is.Empty);
    }

    [Test]
    public void The_scratch_register_keeps_its_value()
    {
        Set(7, 0xa5);
        Assert.That(Register(7), Is.EqualTo(0xa5));
    }

    private void Send(string text)
    {
        foreach (char character in text) Set(0, (byte)character);
    }

    private byte Register(int offset) => _port.Read((ushort)(SerialPort.Base + offset));

    private void Set(int offset, byte value) => _port.Write((ushort)(SerialPort.Base + offset), value);
}
