using System.Diagnostics;

namespace PvPatch.Engine.RuntimeEvents;

/// <summary>
/// Relates the times of events to readings of <see cref="Stopwatch"/>. Both come from one clock, but events tell the time of day,
/// and by how much they differ is known only as exactly as markers tell: to some 50 µs.
/// </summary>
internal sealed class EventClock
{
    private long _lowest = long.MaxValue, _highest = long.MinValue;

    /// <summary>Whether any marker was seen.</summary>
    public bool IsSet => _lowest <= _highest;

    /// <summary>Learns from markers that were compiled one after the other. What earlier ones told stays possible: clocks drift.</summary>
    /// <param name="seen">Markers and the compilations that the events told of them.</param>
    public void Learn(IEnumerable<(Marker Marker, Compilation Seen)> seen)
    {
        long lowest = long.MinValue, highest = long.MaxValue;
        foreach ((Marker marker, Compilation compilation) in seen)
        {
            if (compilation.Begun is not { } begun)
                continue;
            lowest = Math.Max(lowest, compilation.Ready - TicksOf(marker.After));
            highest = Math.Min(highest, begun - TicksOf(marker.Before));
        }

        if (lowest > highest || lowest == long.MinValue)
            return; // nothing seen, or the time of day was changed between them
        _lowest = Math.Min(_lowest, lowest);
        _highest = Math.Max(_highest, highest);
    }

    /// <summary>The earliest time, in 100 ns of the stopwatch, at which an event can have been.</summary>
    public long Earliest(long eventTime) => eventTime - _highest;

    /// <summary>The latest one.</summary>
    public long Latest(long eventTime) => eventTime - _lowest;

    /// <summary>A reading of the stopwatch in units of 100 ns.</summary>
    public static long TicksOf(long timestamp) => Stopwatch.GetElapsedTime(0, timestamp).Ticks;
}
