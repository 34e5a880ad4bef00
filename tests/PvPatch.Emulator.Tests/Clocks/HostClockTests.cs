using PvPatch.Emulator.Clocks;

namespace PvPatch.Emulator.Tests.Clocks;

public sealed class HostClockTests
{
    // Only a clock that stands still would let these waits run out.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [TestCase(1_000_000_000ul)]
    [TestCase(2_600_000_000ul)]
    public void The_clock_goes_and_never_back(ulong frequency)
    {
        using var clock = new HostClock(frequency);
        ulong first = clock.Now, last = first;
        for (int reading = 0; reading < 100_000; reading++)
        {
            ulong now = clock.Read();
            Assert.That(now, Is.GreaterThanOrEqualTo(last));
            last = now;
        }

        Assert.That(last, Is.GreaterThan(first));
    }

    [Test]
    public void An_alarm_rings_and_never_early()
    {
        using var clock = new HostClock();
        using var rang = new ManualResetEventSlim();
        ulong at = 0;
        ulong deadline = clock.Now + clock.FromNanoseconds(3_000_000);
        clock.CreateAlarm(() =>
        {
            at = clock.Now;
            rang.Set();
        }).Set(deadline);
        Assert.That(rang.Wait(Patience), Is.True);
        Assert.That(at, Is.GreaterThanOrEqualTo(deadline));
    }

    [Test]
    public void An_earlier_alarm_is_not_held_up_by_a_later_one()
    {
        using var clock = new HostClock();
        using var rang = new ManualResetEventSlim();
        clock.CreateAlarm(static () => { }).Set(clock.Now + clock.FromNanoseconds(3_600_000_000_000));
        clock.CreateAlarm(rang.Set).Set(clock.Now + clock.FromNanoseconds(1_000_000));
        Assert.That(rang.Wait(Patience), Is.True);
    }

    [Test]
    public void It_cannot_skip_time()
    {
        using var clock = new HostClock();
        clock.CreateAlarm(static () => { }).Set(ulong.MaxValue - 1);
        Assert.That(clock.SkipToNextAlarm(), Is.False);
        Assert.That(clock.HasAlarm, Is.True);
    }

    [Test]
    public void An_alarm_that_is_set_as_soon_as_the_last_one_rang_rings()
    {
        const int Alarms = 20_000;
        using var clock = new HostClock();
        int rang = 0;
        ClockAlarm alarm = clock.CreateAlarm(() => Interlocked.Increment(ref rang));
        for (int i = 1; i <= Alarms; i++)
        {
            alarm.Set(clock.Now);
            int wanted = i;
            Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref rang) >= wanted, Patience), Is.True, $"alarm {i}");
        }
    }
}
