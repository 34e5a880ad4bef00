using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Devices;

namespace PvPatch.Emulator.Tests.Devices;

public sealed class IntervalTimerTests
{
    // One timer tick is exactly 2000 cycles at this frequency; readings cost nothing.
    private const ulong CyclesPerTick = 2000;

    private VirtualClock _clock = null!;
    private IntervalTimer _timer = null!;

    [SetUp]
    public void MakeTimer()
    {
        _clock = new VirtualClock(IntervalTimer.Frequency * CyclesPerTick, cyclesPerRead: 0);
        _timer = new IntervalTimer(_clock);
    }

    [TearDown]
    public void DisposeClock() => _clock.Dispose();

    [Test]
    public void Channel_2_in_mode_0_raises_its_output_after_exactly_its_count()
    {
        OpenGate();
        Start(channel: 2, mode: 0, count: 11931);
        _clock.Advance(11931 * CyclesPerTick - 1);
        Assert.That(OutputIsHigh(), Is.False);
        _clock.Advance(1);
        Assert.That(OutputIsHigh(), Is.True);
    }

    [Test]
    public void A_closed_gate_stops_the_count()
    {
        OpenGate();
        Start(channel: 2, mode: 0, count: 100);
        _clock.Advance(40 * CyclesPerTick);
        _timer.Write(IntervalTimer.SpeakerPort, 0);
        _clock.Advance(1000 * CyclesPerTick);
        Assert.That(ReadCount(2), Is.EqualTo(60));
        OpenGate();
        _clock.Advance(59 * CyclesPerTick);
        Assert.That(OutputIsHigh(), Is.False);
        _clock.Advance(CyclesPerTick);
        Assert.That(OutputIsHigh(), Is.True);
    }

    [Test]
    public void A_latched_count_stands_still_until_it_is_read()
    {
        Start(channel: 0, mode: 2, count: 1000);
        _clock.Advance(100 * CyclesPerTick);
        _timer.Write(0x43, 0x00);
        _clock.Advance(300 * CyclesPerTick);
        Assert.That(ReadCount(0), Is.EqualTo(900));
        Assert.That(ReadCount(0), Is.EqualTo(600));
    }

    [Test]
    public void The_read_back_command_latches_the_channels_it_names()
    {
        Start(channel: 0, mode: 2, count: 1000);
        _timer.Write(0x43, 0xd2);
        _clock.Advance(10 * CyclesPerTick);
        Assert.That((ReadCount(0), ReadCount(0)), Is.EqualTo(((ushort)1000, (ushort)990)));
    }

    [Test]
    public void Mode_3_is_a_square_wave_that_counts_by_two()
    {
        OpenGate();
        Start(channel: 2, mode: 3, count: 100);
        Assert.That((OutputIsHigh(), ReadCount(2)), Is.EqualTo((true, (ushort)100)));
        _clock.Advance(10 * CyclesPerTick);
        Assert.That(ReadCount(2), Is.EqualTo(80));
        _clock.Advance(40 * CyclesPerTick);
        Assert.That(OutputIsHigh(), Is.False);
        _clock.Advance(50 * CyclesPerTick);
        Assert.That(OutputIsHigh(), Is.True);
    }

    [Test]
    public void A_count_of_0_is_65536()
    {
        OpenGate();
        Start(channel: 2, mode: 0, count: 0);
        _clock.Advance(65535 * CyclesPerTick);
        Assert.That(OutputIsHigh(), Is.False);
        _clock.Advance(CyclesPerTick);
        Assert.That(OutputIsHigh(), Is.True);
    }

    private void OpenGate() => _timer.Write(IntervalTimer.SpeakerPort, 1);

    private bool OutputIsHigh() => (_timer.Read(IntervalTimer.SpeakerPort) & 0x20) != 0;

    private void Start(int channel, int mode, ushort count)
    {
        _timer.Write(0x43, (byte)(channel << 6 | 0x30 | mode << 1));
        _timer.Write((ushort)(0x40 + channel), (byte)count);
        _timer.Write((ushort)(0x40 + channel), (byte)(count >> 8));
    }

    private ushort ReadCount(int channel)
    {
        int low = _timer.Read((ushort)(0x40 + channel));
        return (ushort)(low | _timer.Read((ushort)(0x40 + channel)) << 8);
    }
}
