namespace PvPatch.Tool;

/// <summary>An end that the user can do something about: one sentence, one exit code, no stack trace.</summary>
/// <param name="code">The exit code.</param>
/// <param name="sentence">What happened to what.</param>
/// <param name="cause">The exception below it, which goes into the log file.</param>
internal sealed class ToolException(ExitCode code, string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    /// <summary>The exit code.</summary>
    internal ExitCode Code { get; } = code;
}
