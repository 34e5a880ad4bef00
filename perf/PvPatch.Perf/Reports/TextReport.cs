using System.Text;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Reports;

/// <summary>A result for a terminal.</summary>
public static class TextReport
{
    /// <summary>The tables, with columns that are aligned.</summary>
    /// <param name="result">The result.</param>
    public static string Of(LabResult result)
    {
        var text = new StringBuilder().AppendLine($"{result.Machine} ({result.Mode})");
        foreach (ReportTable table in ReportTable.AllOf(result))
        {
            int[] widths = [.. table.Columns.Select((column, c) => Math.Max(column.Length, table.Rows.Max(row => row[c].Length)))];
            text.AppendLine().AppendLine(table.Title);
            Append(text, table.Columns, widths);
            foreach (IReadOnlyList<string> row in table.Rows)
                Append(text, row, widths);
        }

        text.AppendLine().AppendLine(ReportTable.Legend);
        foreach (string sentence in result.Missing())
            text.AppendLine(sentence);
        return text.ToString();
    }

    private static void Append(StringBuilder text, IReadOnlyList<string> cells, int[] widths) =>
        text.AppendLine(("  " + string.Join("  ", cells.Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c])))).TrimEnd());
}
