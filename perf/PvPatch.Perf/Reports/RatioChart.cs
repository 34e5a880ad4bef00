using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Reports;

/// <summary>A family as bars: how many times the baseline each row takes, on a logarithmic axis, with its interval.</summary>
internal static class RatioChart
{
    private const double LabelWidth = 270, PlotWidth = 420, ValueWidth = 90, RowHeight = 22, Top = 40, Bottom = 42, BarHeight = 14;

    /// <summary>The chart of a family; null if it has no ratios.</summary>
    /// <param name="family">Its rows.</param>
    public static string? Of(IGrouping<string, RowResult> family)
    {
        (RowResult Row, Interval Ratio)[] rows = [.. family.Where(row => row.IsBaseline || row.Ratio is not null).Select(row => (row, row.Ratio ?? new Interval(1, 1, 1)))];
        if (rows.Length < 2)
            return null;
        LogAxis axis = LogAxis.Over(rows.SelectMany(r => (double[])[r.Ratio.Low, r.Ratio.High, 1]), LabelWidth, LabelWidth + PlotWidth);
        double height = Top + (rows.Length * RowHeight), axisEnd = height + 4;
        var svg = new SvgCanvas(LabelWidth + PlotWidth + ValueWidth, height + Bottom, $"{family.Key}: CPU time by the baseline's");
        foreach (double tick in axis.Ticks)
        {
            svg.Line(axis.At(tick), Top - 6, axis.At(tick), axisEnd, "grid");
            svg.Text(axis.At(tick), axisEnd + 14, $"{tick:0.####}×", "dim", "middle");
        }

        for (int i = 0; i < rows.Length; i++)
            Draw(svg, axis, rows[i].Row, rows[i].Ratio, Top + (i * RowHeight));
        svg.Text(LabelWidth, axisEnd + 32, "logarithmic; the thin lines are 95 % intervals; = has the baseline's instructions", "dim");
        return svg.ToString();
    }

    private static void Draw(SvgCanvas svg, LogAxis axis, RowResult row, Interval ratio, double y)
    {
        double from = Math.Min(axis.At(1), axis.At(ratio.Median)), to = Math.Max(axis.At(1), axis.At(ratio.Median)), middle = y + (BarHeight / 2);
        svg.Text(LabelWidth - 8, y + 11, row.Title, anchor: "end");
        svg.Bar(from, y, Math.Max(to - from, 2), BarHeight, row.Title.Contains("PvPatch", StringComparison.Ordinal) || row.Title.StartsWith("patched", StringComparison.Ordinal) ? "mark" : "bar", $"{row.Name}: {Amount.Time(row)}, {Amount.Range(ratio)} times");
        svg.Line(axis.At(ratio.Low), middle, axis.At(ratio.High), middle, "error");
        svg.Line(axis.At(ratio.Low), middle - 4, axis.At(ratio.Low), middle + 4, "error");
        svg.Line(axis.At(ratio.High), middle - 4, axis.At(ratio.High), middle + 4, "error");
        svg.Text(LabelWidth + PlotWidth + 8, y + 11, $"{Amount.Digits(ratio.Median)}{(row.Code?.SameAsBaseline is true ? " =" : "")}");
    }
}
