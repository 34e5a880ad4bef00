using System.Text.Json.Serialization;

namespace PvPatch.Perf.Statistics;

/// <summary>A median with the interval that holds the true one at least 95 times of 100.</summary>
/// <param name="Median">The median of the samples.</param>
/// <param name="Low">Where the interval begins.</param>
/// <param name="High">Where it ends.</param>
public readonly record struct Interval(double Median, double Low, double High)
{
    /// <summary>From this relative width on a figure says little.</summary>
    public const double WideFrom = 0.10;

    /// <summary>The interval's length against the median.</summary>
    [JsonIgnore]
    public double RelativeWidth => Median == 0 ? 0 : (High - Low) / Math.Abs(Median);

    /// <summary>Whether the interval is so wide that the median should not be relied on.</summary>
    [JsonIgnore]
    public bool IsWide => RelativeWidth > WideFrom;

    /// <summary>
    /// Whether there is more room between two intervals than the wider of them takes. No number in common would be enough for figures
    /// of many processes; those of two or four, whose memory is laid out by chance, lie apart that far now and then.
    /// </summary>
    /// <param name="other">The other interval.</param>
    public bool IsFarFrom(Interval other) => Math.Max(Low - other.High, other.Low - High) > Math.Max(High - Low, other.High - other.Low);
}
