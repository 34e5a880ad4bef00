namespace PvPatch.Tool;

/// <summary>Colours for a terminal, or none.</summary>
internal sealed class Ink
{
    private readonly bool _inColour;

    private Ink(bool inColour) => _inColour = inColour;

    /// <summary>
    /// Colours when standard output is a terminal that has them and <c>NO_COLOR</c> isn't set. Text for files and pipes
    /// stays plain.
    /// </summary>
    internal static Ink ForStandardOutput() => new(
        !Console.IsOutputRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is not "dumb");

    /// <summary>What is named.</summary>
    internal string Bold(string text) => Paint(text, "\e[1m");

    /// <summary>What is there.</summary>
    internal string Green(string text) => Paint(text, "\e[32m");

    /// <summary>What is of less weight.</summary>
    internal string Dim(string text) => Paint(text, "\e[2m");

    private string Paint(string text, string start) => _inColour && text.Length > 0 ? $"{start}{text}\e[0m" : text;
}
