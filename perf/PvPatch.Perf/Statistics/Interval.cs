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

    /// <summary>Whether no number is in both.</summary>
    /// <param name="other">The other interval.</param>
    public bool IsApartFrom(Interval other) => Low > other.High || High < other.Low;
}
