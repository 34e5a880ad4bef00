using PvPatch.Perf.Results;

namespace PvPatch.Perf.Reports;

/// <summary>The folder that reports are written into.</summary>
public sealed class ReportFolder
{
    private readonly string _path;

    private ReportFolder(string path) => _path = path;

    /// <summary>Makes it, and sees that it can be written to, before anything is measured.</summary>
    /// <param name="path">Its path.</param>
    /// <exception cref="LabException">It cannot be written to.</exception>
    public static ReportFolder Open(string path) => Writing(path, () =>
    {
        if (File.Exists(path))
            throw new IOException("it is a file.");
        Directory.CreateDirectory(path);
        string probe = Path.Combine(path, $".lab-{Environment.ProcessId}");
        File.WriteAllBytes(probe, []);
        File.Delete(probe);
        return new ReportFolder(path);
    });

    /// <summary>Writes all reports, and gives their names.</summary>
    /// <param name="result">What was measured.</param>
    /// <exception cref="LabException">It cannot be written to.</exception>
    public IReadOnlyList<string> Write(LabResult result) => Writing(_path, () =>
    {
        List<(string Name, string? Text)> files =
        [
            ("lab.json", ResultFile.ToJson(result)),
            ("lab.csv", CsvReport.Of(result)),
            ("lab.md", MarkdownReport.Of(result)),
            ("lab.html", HtmlReport.Of(result)),
            .. result.Families().Select(family => ($"ratios-{FileName(family.Key)}.svg", RatioChart.Of(family))),
            .. result.Growths().Select(growth => ($"growth-{FileName(growth.Key)}.svg", GrowthChart.Of(growth))),
        ];
        foreach ((string name, string? text) in files.Where(f => f.Text is not null))
            File.WriteAllText(Path.Combine(_path, name), text);
        return (IReadOnlyList<string>)[.. files.Where(f => f.Text is not null).Select(f => f.Name)];
    });

    private static T Writing<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new LabException(LabError.NotWritable, $"Reports can't be written into '{path}': {e.Message}", e);
        }
    }

    /// <summary>Letters and digits of a name, and dashes for what is between.</summary>
    private static string FileName(string name) =>
        string.Join('-', name.Split([.. name.Where(c => !char.IsAsciiLetterOrDigit(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries));
}
