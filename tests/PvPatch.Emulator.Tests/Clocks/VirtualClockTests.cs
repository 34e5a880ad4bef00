using PvPatch.Emulator.Clocks;

namespace PvPatch.Emulator.Tests.Clocks;

public sealed class VirtualClockTests
{
    [Test]
    public void Reading_costs_cycles_and_looking_does_not()
    {
        using var clock = new VirtualClock(cyclesPerRead: 7, cyclesPerSlice: 1000);
        Assert.That(new[] { clock.Read(), clock.Read(), clock.Now, clock.Now }, Is.EqualTo(new ulong[] { 7, 14, 14, 14 }));
        clock.PassSlice();
        Assert.That(clock.Now, Is.EqualTo(1014));
    }

    [Test]
    public void An_alarm_rings_once_at_its_time_and_not_before()
    {
        using var clock = new VirtualClock();
        var rings = new List<ulong>();
        ClockAlarm alarm = clock.CreateAlarm(() => rings.Add(clock.Now));
        alarm.Set(100);
        clock.Advance(99);
        Assert.That(rings, Is.Empty);
        clock.Advance(1);
        clock.Advance(500);
        Assert.That(rings, Is.EqualTo(new ulong[] { 100 }));
        Assert.That(clock.HasAlarm, Is.False);
    }

    [Test]
    public void An_alarm_for_a_time_that_has_passed_rings_at_once()
    {
        using var clock = new VirtualClock();
        int rings = 0;
        clock.Advance(50);
        clock.CreateAlarm(() => rings++).Set(50);
        Assert.That(rings, Is.EqualTo(1));
    }

    [Test]
    public void A_cancelled_alarm_does_not_ring()
    {
        using var clock = new VirtualClock();
        int rings = 0;
        ClockAlarm alarm = clock.CreateAlarm(() => rings++);
        alarm.Set(10);
        alarm.Cancel();
        clock.Advance(100);
        Assert.That(rings, Is.Zero);
        Assert.That(clock.SkipToNextAlarm(), Is.False);
    }

    [Test]
    public void Skipping_goes_to_the_earliest_alarm_exactly()
    {
        using var clock = new VirtualClock();
        var rings = new List<string>();
        clock.CreateAlarm(() => rings.Add("late")).Set(900);
        clock.CreateAlarm(() => rings.Add("early")).Set(300);
        Assert.That(clock.SkipToNextAlarm(), Is.True);
        Assert.That((clock.Now, string.Join(',', rings)), Is.EqualTo((300ul, "early")));
        Assert.That(clock.SkipToNextAlarm(), Is.True);
        Assert.That((clock.Now, string.Join(',', rings)), Is.EqualTo((900ul, "early,late")));
    }

    [Test]
    public void An_alarm_may_set_itself_again_while_it_rings()
    {
        using var clock = new VirtualClock();
        int rings = 0;
        ClockAlarm? alarm = null;
        alarm = clock.CreateAlarm(() =>
        {
            if (++rings < 3) alarm!.Set((ulong)rings * 10 + 10);
        });
        alarm.Set(10);
        clock.Advance(100);
        Assert.That(rings, Is.EqualTo(3));
    }

    [TestCase(1_000_000_000ul, 12345ul, 12345ul)]
    [TestCase(2_600_000_000ul, 2_600ul, 1_000ul)]
    [TestCase(2_600_000_000ul, ulong.MaxValue / 2, 3_547_450_783_405_683_002ul)]
    [TestCase(3_000_000_000ul, 1ul, 0ul)]
    public void Cycles_become_nanoseconds_rounded_down_without_overflow(ulong frequency, ulong cycles, ulong nanoseconds)
    {
        using var clock = new VirtualClock(frequency);
        Assert.That(clock.ToNanoseconds(cycles), Is.EqualTo(nanoseconds));
    }

    [TestCase(0ul)]
    [TestCase(MachineClock.MinFrequency - 1)]
    [TestCase(MachineClock.MaxFrequency + 1)]
    public void A_frequency_no_processor_has_is_refused(ulong frequency)
        => Assert.That(() => new VirtualClock(frequency), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
