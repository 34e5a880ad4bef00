using System.Globalization;
using System.Text;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Reports;

/// <summary>A result as CSV (RFC 4180), a line a row, numbers as they are.</summary>
internal static class CsvReport
{
    private const string Head = "schema,name,family,title,baseline,ns,ns_low,ns_high,ratio,ratio_low,ratio_high,allocated_bytes,code_bytes,same_code,tier,samples,failure,unavailable";

    /// <summary>The lines.</summary>
    public static string Of(LabResult result)
    {
        var text = new StringBuilder().Append(Head).Append("\r\n");
        foreach (RowResult row in result.Rows)
        {
            object?[] cells =
            [
                LabResult.SchemaVersion, row.Name, row.Family, row.Title, row.IsBaseline,
                row.Nanoseconds?.Median, row.Nanoseconds?.Low, row.Nanoseconds?.High, row.Ratio?.Median, row.Ratio?.Low, row.Ratio?.High,
                row.AllocatedBytes, row.Code?.Bytes, row.Code?.SameAsBaseline, row.Code?.Tier, row.Samples, row.Failure, row.Unavailable,
            ];
            text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");
        }

        return text.ToString();
    }

    private static string Cell(object? value) => value switch
    {
        null => "",
        bool truth => truth ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => Quoted((string)value),
    };

    private static string Quoted(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
