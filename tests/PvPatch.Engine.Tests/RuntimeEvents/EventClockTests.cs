using System.Diagnostics;
using PvPatch.Engine.RuntimeEvents;

namespace PvPatch.Engine.Tests.RuntimeEvents;

/// <summary>Times of events, compared with readings of the stopwatch.</summary>
internal sealed class EventClockTests
{
    private const long Offset = 639_000_000_000_000_000;

    private static readonly MethodName Name = new("dynamicClass", "marker", "void  ()");

    [Test]
    public void The_true_time_lies_between_the_earliest_and_the_latest([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        var clock = new EventClock();
        var markers = Enumerable.Range(0, 5).Select(_ =>
        {
            long before = random.Next(1_000_000), begun = before + random.Next(500), ready = begun + random.Next(500), after = ready + random.Next(500);
            return (new Marker("marker", Reading(before), Reading(after)), Seen(begun + Offset, ready + Offset));
        }).ToArray();
        clock.Learn(markers);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(clock.IsSet, Is.True);
            Assert.That(clock.Earliest(12345 + Offset), Is.LessThanOrEqualTo(12345));
            Assert.That(clock.Latest(12345 + Offset), Is.GreaterThanOrEqualTo(12345));
            Assert.That(clock.Latest(12345 + Offset) - clock.Earliest(12345 + Offset), Is.LessThanOrEqualTo(1000), "no wider than one marker");
        }
    }

    [Test]
    public void Later_markers_can_only_make_it_less_sure()
    {
        var clock = new EventClock();
        clock.Learn([(new Marker("a", Reading(100), Reading(200)), Seen(110 + Offset, 190 + Offset))]);
        long width = clock.Latest(Offset) - clock.Earliest(Offset);
        clock.Learn([(new Marker("b", Reading(1000), Reading(1001)), Seen(1000 + Offset + 50, 1001 + Offset + 50))]);
        Assert.That(clock.Latest(Offset) - clock.Earliest(Offset), Is.GreaterThan(width));
    }

    [Test]
    public void Markers_that_were_not_begun_tell_nothing()
    {
        var clock = new EventClock();
        clock.Learn([(new Marker("a", Reading(100), Reading(200)), Seen(null, 190))]);
        Assert.That(clock.IsSet, Is.False);
    }

    private static long Reading(long ticks) => ticks * Stopwatch.Frequency / TimeSpan.TicksPerSecond;

    private static Compilation Seen(long? begun, long ready) =>
        new() { MethodId = 1, Name = Name, Begun = begun, Ready = ready, Tier = CodeTier.FullOpts, Address = 0x1000 };
}
