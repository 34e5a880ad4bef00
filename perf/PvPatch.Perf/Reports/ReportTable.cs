using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Reports;

/// <summary>A family as rows of text: what the terminal, Markdown and HTML show alike.</summary>
/// <param name="Title">The family.</param>
/// <param name="Columns">Their headings.</param>
/// <param name="Rows">A cell a column.</param>
internal sealed record ReportTable(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>What the marks in the tables mean.</summary>
    public const string Legend = "?: the interval is wider than 10 %, so do not rely on it. =: the same instructions as the baseline's.";

    /// <summary>The table of a family. Columns that would be empty are left out.</summary>
    /// <param name="family">Its rows.</param>
    public static ReportTable Of(IGrouping<string, RowResult> family)
    {
        string[] events = [.. family.SelectMany(row => row.PerSecond.Keys).Distinct(StringComparer.Ordinal)];
        string[] columns = ["", "CPU time", "ratio", "95 % interval", "allocated B", "code B", .. events];
        string[][] rows =
        [
            .. family.Select(row => (string[])
            [
                row.Title, Amount.Time(row), Amount.Ratio(row), Amount.Range(row.Ratio), Amount.Bytes(row.AllocatedBytes), Amount.Code(row.Code),
                .. events.Select(name => row.PerSecond.TryGetValue(name, out double rate) ? Amount.Rate(rate) : ""),
            ]),
        ];
        int[] kept = [.. Enumerable.Range(0, columns.Length).Where(c => c == 0 || rows.Any(row => row[c].Length > 0))];
        return new ReportTable(family.Key, [.. kept.Select(c => columns[c])], [.. rows.Select(row => (IReadOnlyList<string>)[.. kept.Select(c => row[c])])]);
    }

    /// <summary>
    /// The ratios of each class that has more families than rows in one, a family a line, with geometric means: what one looks for
    /// in many small tables.
    /// </summary>
    /// <param name="result">The result.</param>
    public static IEnumerable<ReportTable> Overviews(LabResult result)
    {
        foreach (IGrouping<string, RowResult> ofClass in result.Rows.GroupBy(row => row.Family.Split('(')[0], StringComparer.Ordinal))
        {
            RowResult[] rows = [.. ofClass.Where(row => row.Ratio is not null)];
            string[] titles = [.. rows.Select(row => row.Title).Distinct(StringComparer.Ordinal)];
            IGrouping<string, RowResult>[] families = [.. rows.GroupBy(row => row.Family, StringComparer.Ordinal)];
            if (titles.Length == 0 || families.Length <= titles.Length)
                continue;
            string Mean(string title) => Amount.Digits(GeometricMean.Of(rows.Where(row => row.Title == title).Select(row => row.Ratio!.Value.Median)));
            yield return new ReportTable(
                $"{ofClass.Key}: ratios",
                ["", .. titles],
                [
                    .. families.Select(family => (IReadOnlyList<string>)[family.Key[ofClass.Key.Length..].Trim('(', ')'), .. titles.Select(title => family.FirstOrDefault(row => row.Title == title) is { } row ? Amount.Ratio(row) : "")]),
                    ["geometric mean", .. titles.Select(Mean)],
                ]);
        }
    }

    /// <summary>The table of a class's growth.</summary>
    /// <param name="ofClass">Its growths.</param>
    public static ReportTable Of(IGrouping<string, GrowthResult> ofClass)
    {
        GrowthResult[] growth = [.. ofClass];
        long[] sizes = [.. growth.SelectMany(g => g.Points).Select(p => p.Size).Distinct().Order()];
        return new ReportTable(
            $"{ofClass.Key}: growth with {growth[0].Parameter}",
            ["", .. sizes.Select(size => $"{size:N0}"), "exponent", "95 % interval", $"{growth[0].Parameter.ToLowerInvariant()} a second"],
            [
                .. growth.Select(g => (IReadOnlyList<string>)
                [
                    g.Title,
                    .. sizes.Select(size => g.Points.FirstOrDefault(p => p.Size == size) is { } point ? Amount.Time(point.Nanoseconds.Median) : ""),
                    g.Exponent is { } exponent ? Amount.Digits(exponent.Median) : "",
                    Amount.Range(g.Exponent),
                    g.Points.Count > 0 ? $"{g.Points[^1].Size * 1e9 / g.Points[^1].Nanoseconds.Median:N0}" : "",
                ]),
            ]);
    }

    /// <summary>All tables of a result.</summary>
    /// <param name="result">The result.</param>
    public static IEnumerable<ReportTable> AllOf(LabResult result) =>
        result.Families().Select(Of).Concat(Overviews(result)).Concat(result.Growths().Select(Of));
}
