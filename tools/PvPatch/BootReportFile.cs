namespace PvPatch.Tool;

/// <summary>The file of <c>--report</c>: opened before the boot, so that a path that can't be written is told at once, and written at the end.</summary>
internal sealed class BootReportFile : IDisposable
{
    private readonly FileStream _stream;

    private BootReportFile(FileStream stream) => _stream = stream;

    /// <summary>Opens the file. What it holds stays until there is a report.</summary>
    /// <exception cref="ToolException">It can't be written.</exception>
    public static BootReportFile Open(string path)
    {
        try
        {
            return new BootReportFile(new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ToolException(ExitCode.BadInput, $"The report can't be written: {e.Message}", e);
        }
    }

    /// <summary>Writes the report in place of what the file held.</summary>
    public void Write(BootOptions options, BootResult result)
    {
        _stream.SetLength(0);
        BootDocument.Write(_stream, options, result);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();
}
