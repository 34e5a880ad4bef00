using PvPatch.Perf.Results;

namespace PvPatch.Perf.Reports;

/// <summary>Times against sizes, both on logarithmic axes: what grows linearly has the slope of the broken lines.</summary>
internal static class GrowthChart
{
    private const double Left = 80, Top = 44, Width = 460, Height = 300, LegendWidth = 260, Bottom = 50;

    private static readonly string[] Colours = ["one", "two", "three", "four", "five"];

    /// <summary>The chart of a class; null if there is nothing to draw.</summary>
    /// <param name="ofClass">Its growths; at most five are told apart by colour.</param>
    public static string? Of(IGrouping<string, GrowthResult> ofClass)
    {
        GrowthResult[] growth = [.. ofClass];
        string parameter = growth[0].Parameter.ToLowerInvariant();
        GrowthPoint[] all = [.. growth.SelectMany(g => g.Points)];
        if (all.Select(p => p.Size).Distinct().Count() < 2)
            return null;
        LogAxis sizes = LogAxis.Over(all.Select(p => (double)p.Size), Left, Left + Width);
        LogAxis times = LogAxis.Over(all.SelectMany(p => (double[])[p.Nanoseconds.Low, p.Nanoseconds.High]), Top + Height, Top);
        var svg = new SvgCanvas(Left + Width + LegendWidth, Top + Height + Bottom, $"{ofClass.Key}: CPU time by {parameter}");
        foreach (double tick in sizes.Ticks)
        {
            svg.Line(sizes.At(tick), Top, sizes.At(tick), Top + Height, "grid");
            svg.Text(sizes.At(tick), Top + Height + 18, $"{tick:N0}", "dim", "middle");
        }

        foreach (double tick in times.Ticks)
        {
            svg.Line(Left, times.At(tick), Left + Width, times.At(tick), "grid");
            svg.Text(Left - 8, times.At(tick) + 4, Amount.Time(tick), "dim", "end");
        }

        for (double each = Math.Pow(10, Math.Floor(Math.Log10(times.Least / sizes.Greatest))); each < times.Greatest / sizes.Least; each *= 10)
        {
            double from = Math.Max(sizes.Least, times.Least / each), to = Math.Min(sizes.Greatest, times.Greatest / each);
            if (from < to)
                svg.Line(sizes.At(from), times.At(from * each), sizes.At(to), times.At(to * each), "linear");
        }

        for (int i = 0; i < growth.Length; i++)
        {
            string colour = Colours[i % Colours.Length];
            foreach (GrowthPoint point in growth[i].Points)
                svg.ColouredLine(sizes.At(point.Size), times.At(point.Nanoseconds.Low), sizes.At(point.Size), times.At(point.Nanoseconds.High), colour);
            svg.Path([.. growth[i].Points.Select(p => (sizes.At(p.Size), times.At(p.Nanoseconds.Median)))], colour);
            string exponent = growth[i].Exponent is { } e ? $", exponent {Amount.Digits(e.Median)}" : "";
            svg.ColouredText(Left + Width + 16, Top + 16 + (i * 20), growth[i].Title + exponent, colour);
        }

        svg.Text(Left + (Width / 2), Top + Height + 38, $"{parameter}; both axes are logarithmic, broken lines grow linearly", "dim", "middle");
        return svg.ToString();
    }
}
