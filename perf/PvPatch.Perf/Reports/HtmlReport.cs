using System.Net;
using System.Text;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Reports;

/// <summary>A result as one HTML file that loads nothing: tables, charts, and the machine code behind each row.</summary>
internal static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; } body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: .2rem .7rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); text-align: right; }
        th:first-child, td:first-child { text-align: left; } ul { columns: 18rem; padding-left: 1.2rem; } figure { margin: 1rem 0; overflow-x: auto; } svg { max-width: 100%; height: auto; }
        pre { overflow-x: auto; padding: .6rem; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); } .missing { font-weight: 600; }
        """;

    /// <summary>The page.</summary>
    public static string Of(LabResult result)
    {
        var html = new StringBuilder()
            .Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>PvPatch lab</title>\n<style>\n")
            .Append(Style).Append("\n</style>\n</head>\n<body>\n<h1>PvPatch lab</h1>\n")
            .Append($"<p>{E(result.Machine.ToString())} ({E(result.Mode)}, {result.Begun:yyyy-MM-dd HH:mm} UTC).</p>\n<p>{E(ReportTable.Legend)}</p>\n");
        foreach (string sentence in result.Missing())
            html.Append($"<p class=\"missing\">{E(sentence)}</p>\n");
        html.Append("<ul>\n").AppendJoin("", ReportTable.AllOf(result).Select(table => $"<li><a href=\"#{Place(table)}\">{E(table.Title)}</a></li>\n")).Append("</ul>\n");
        foreach (IGrouping<string, RowResult> family in result.Families())
        {
            Append(html, ReportTable.Of(family), RatioChart.Of(family));
            foreach (RowResult row in family.Where(row => row.Code is not null))
                html.Append($"<details><summary>{E(row.Title)}: {row.Code!.Bytes} bytes, {E(row.Code.Tier)}{(row.Code.SameAsBaseline is true ? ", the baseline's instructions" : "")}</summary>\n<pre>{E(string.Join('\n', row.Code.Lines))}</pre></details>\n");
        }

        foreach (ReportTable overview in ReportTable.Overviews(result))
            Append(html, overview, chart: null);
        foreach (IGrouping<string, GrowthResult> growth in result.Growths())
            Append(html, ReportTable.Of(growth), GrowthChart.Of(growth));
        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void Append(StringBuilder html, ReportTable table, string? chart)
    {
        html.Append($"<h2 id=\"{Place(table)}\">{E(table.Title)}</h2>\n");
        if (chart is not null)
            html.Append($"<figure>{chart}</figure>\n");
        html.Append("<table>\n<tr>").AppendJoin("", table.Columns.Select(c => $"<th>{E(c)}</th>")).Append("</tr>\n");
        foreach (IReadOnlyList<string> row in table.Rows)
            html.Append("<tr>").AppendJoin("", row.Select(c => $"<td>{E(c)}</td>")).Append("</tr>\n");
        html.Append("</table>\n");
    }

    /// <summary>What links to a table name; it has no spaces.</summary>
    private static string Place(ReportTable table) => E(table.Title.Replace(' ', '-'));

    private static string E(string text) => WebUtility.HtmlEncode(text);
}
