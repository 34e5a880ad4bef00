using PvPatch.Emulator.Devices;
using PvPatch.Emulator.Tests.Kit;

namespace PvPatch.Emulator.Tests.Devices;

public sealed class RealTimeClockTests
{
    private static readonly DateTimeOffset Afternoon = new(2031, 10, 25, 15, 46, 59, TimeSpan.Zero);

    private SetTime _time = null!;
    private RealTimeClock _clock = null!;

    [SetUp]
    public void MakeClock()
    {
        _time = new SetTime(Afternoon);
        _clock = new RealTimeClock(_time);
    }

    [TestCase(0, 0x59, 59)]
    [TestCase(2, 0x46, 46)]
    [TestCase(4, 0x15, 15)]
    [TestCase(6, 0x07, 7)]
    [TestCase(7, 0x25, 25)]
    [TestCase(8, 0x10, 10)]
    [TestCase(9, 0x31, 31)]
    [TestCase(0x32, 0x20, 20)]
    public void Each_field_reads_in_BCD_and_in_binary(byte index, int bcd, int binary)
    {
        Assert.That(Get(index), Is.EqualTo(bcd));
        Set(0x0b, 0x06);
        Assert.That(Get(index), Is.EqualTo(binary));
    }

    [TestCase(0, 0x12)]
    [TestCase(1, 0x01)]
    [TestCase(11, 0x11)]
    [TestCase(12, 0x92)]
    [TestCase(23, 0x91)]
    public void Hours_of_twelve_have_the_afternoon_in_bit_7(int hour, int expected)
    {
        _time.Now = new DateTimeOffset(2031, 1, 1, hour, 0, 0, TimeSpan.Zero);
        Set(0x0b, 0x00);
        Assert.That(Get(4), Is.EqualTo(expected));
    }

    [TestCase(0, false)]
    [TestCase(997_771, false)]
    [TestCase(997_772, true)]
    [TestCase(999_999, true)]
    public void An_update_is_in_progress_just_before_the_second_ends(int microseconds, bool expected)
    {
        _time.Now = Afternoon.AddMicroseconds(microseconds);
        Assert.That((Get(0x0a) & 0x80) != 0, Is.EqualTo(expected));
    }

    [Test]
    public void The_time_stands_still_while_it_is_set_and_goes_on_from_what_was_set()
    {
        Set(0x0b, 0x82);
        _time.Now = Afternoon.AddHours(1);
        Assert.That((Get(0), Get(4)), Is.EqualTo((0x59, 0x15)));
        Set(0x32, 0x19);
        Set(9, 0x99);
        Set(8, 0x12);
        Set(7, 0x31);
        Set(4, 0x23);
        Set(0x0b, 0x02);
        _time.Now = _time.Now.AddMinutes(14);
        Assert.That((Get(0x32), Get(9), Get(8), Get(7), Get(4), Get(2), Get(0)), Is.EqualTo((0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x59)));
    }

    [Test]
    public void One_field_can_be_set_while_the_clock_goes()
    {
        Set(2, 0x05);
        Assert.That((Get(4), Get(2), Get(0)), Is.EqualTo((0x15, 0x05, 0x59)));
    }

    [TestCase(8, 0x13)]
    [TestCase(0x32, 0xff)]
    public void A_date_that_is_none_changes_nothing(byte index, byte value)
    {
        Set(index, value);
        Assert.That((Get(0x32), Get(9), Get(8), Get(7)), Is.EqualTo((0x20, 0x31, 0x10, 0x25)));
    }

    [Test]
    public void The_battery_is_good_no_interrupt_waits_and_CMOS_RAM_keeps_values()
    {
        Set(0x0d, 0);
        Set(0x10, 0x77);
        Assert.That((Get(0x0c), Get(0x0d), Get(0x10)), Is.EqualTo((0, 0x80, 0x77)));
    }

    private int Get(byte index)
    {
        _clock.Write(RealTimeClock.IndexPort, index);
        return _clock.Read(RealTimeClock.DataPort);
    }

    private void Set(byte index, byte value)
    {
        _clock.Write(RealTimeClock.IndexPort, index);
        _clock.Write(RealTimeClock.DataPort, value);
    }
}
