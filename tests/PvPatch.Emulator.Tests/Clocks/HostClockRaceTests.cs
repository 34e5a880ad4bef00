using PvPatch.Emulator.Clocks;

namespace PvPatch.Emulator.Tests.Clocks;

/// <summary>An alarm that is set while the one before is still being dealt with rings too.</summary>
public sealed class HostClockRaceTests
{
    private const int Alarms = 20_000;

    [Test]
    public void An_alarm_that_is_set_as_soon_as_the_last_one_rang_rings()
    {
        using var clock = new HostClock();
        int rang = 0;
        ClockAlarm alarm = clock.CreateAlarm(() => Interlocked.Increment(ref rang));
        for (int i = 1; i <= Alarms; i++)
        {
            alarm.Set(clock.Now);
            int wanted = i;
            Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref rang) >= wanted, TimeSpan.FromSeconds(20)), Is.True, $"alarm {i}");
        }
    }
}
