using PvPatch.Engine.Reports;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace PvPatch.Tool;

/// <summary>The log that <c>--log-level</c> and <c>--log-file</c> ask for.</summary>
internal static class ToolLog
{
    /// <summary>The levels by their names on the command line, the most talkative first.</summary>
    internal static readonly string[] Levels = ["verbose", "debug", "information", "warning", "error", "fatal"];

    private const string FileForm = "{Timestamp:yyyy-MM-ddTHH:mm:ss.fffzzz} {Level:u3} {Message:lj}{NewLine}{Exception}";
    private const string TerminalForm = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}";

    /// <summary>Opens the log. The file also takes exceptions with their stack traces; stderr never shows these.</summary>
    /// <param name="level">The least level that is written; null for information.</param>
    /// <param name="file">The file it is added to; null for stderr.</param>
    /// <exception cref="ToolException">The file can't be written.</exception>
    internal static Logger Open(string? level, string? file)
    {
        LoggerConfiguration configuration = new LoggerConfiguration().MinimumLevel.Is(LevelOf(level));
        if (file is null)
            return configuration.WriteTo.Console(outputTemplate: TerminalForm, standardErrorFromLevel: LogEventLevel.Verbose).CreateLogger();

        CheckWritable(file);
        return configuration.WriteTo.File(file, outputTemplate: FileForm).CreateLogger();
    }

    /// <summary>Takes the engine's events into the log.</summary>
    /// <param name="level">The level, which has Serilog's number.</param>
    /// <param name="template">The message's template.</param>
    /// <param name="arguments">What fills it.</param>
    internal static void FromEngine(PatchLogLevel level, string template, params object?[] arguments) =>
        Log.Write((LogEventLevel)level, template, arguments);

    private static LogEventLevel LevelOf(string? level) =>
        level is null ? LogEventLevel.Information : (LogEventLevel)Array.IndexOf(Levels, level);

    // The file sink would only be silent about it.
    private static void CheckWritable(string file)
    {
        try
        {
            using FileStream stream = new(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ToolException(ExitCode.BadInput, $"The log file can't be written: {e.Message}", e);
        }
    }
}
