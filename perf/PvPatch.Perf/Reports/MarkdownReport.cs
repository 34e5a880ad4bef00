using System.Text;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Reports;

/// <summary>A result as Markdown.</summary>
internal static class MarkdownReport
{
    /// <summary>The tables.</summary>
    public static string Of(LabResult result)
    {
        var text = new StringBuilder().Append("# PvPatch lab\n\n").Append(Escaped(result.Machine.ToString())).Append(" (").Append(result.Mode).Append(").\n");
        foreach (ReportTable table in ReportTable.AllOf(result))
        {
            text.Append("\n## ").Append(Escaped(table.Title)).Append("\n\n");
            AppendRow(text, table.Columns);
            AppendRow(text, [.. table.Columns.Select((_, c) => c == 0 ? "---" : "---:")]);
            foreach (IReadOnlyList<string> row in table.Rows)
                AppendRow(text, [.. row.Select(Escaped)]);
        }

        text.Append('\n').Append(ReportTable.Legend).Append('\n');
        foreach (string sentence in result.Missing())
            text.Append("\n- ").Append(Escaped(sentence)).Append('\n');
        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, IReadOnlyList<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal)
        .Replace("*", "\\*", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
