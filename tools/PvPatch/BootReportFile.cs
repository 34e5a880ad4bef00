namespace PvPatch.Tool;

/// <summary>The file of <c>--report</c>: opened before the boot, so that a path that can't be written is told at once, and written at the end.</summary>
internal sealed class BootReportFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly bool _isNew;
    private bool _isWritten;

    private BootReportFile(FileStream stream, bool isNew)
    {
        _stream = stream;
        _isNew = isNew;
    }

    /// <summary>Opens the file. What it holds stays until there is a report.</summary>
    /// <exception cref="ToolException">It can't be written.</exception>
    public static BootReportFile Open(string path)
    {
        try
        {
            bool isNew = !File.Exists(path);
            return new BootReportFile(new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read), isNew);
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
        _isWritten = true;
    }

    /// <summary>Closes the file. One that was made for a report that never came goes away.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        if (_isNew && !_isWritten)
            File.Delete(_stream.Name);
    }
}
