namespace PvPatch.Tool;

/// <summary>Colours for a terminal, or none.</summary>
internal sealed class Ink
{
    /// <summary>What is named.</summary>
    internal const string Bold = "\e[1m";

    /// <summary>What is there.</summary>
    internal const string Green = "\e[32m";

    /// <summary>What is of less weight.</summary>
    internal const string Dim = "\e[2m";

    private readonly bool _inColour;

    /// <summary>Colours or none.</summary>
    /// <param name="inColour">Whether to paint.</param>
    internal Ink(bool inColour) => _inColour = inColour;

    /// <summary>
    /// Colours when standard output is a terminal that has them and <c>NO_COLOR</c> isn't set. Text for files and pipes
    /// stays plain.
    /// </summary>
    internal static Ink ForStandardOutput() => new(
        !Console.IsOutputRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is not "dumb");

    /// <summary>A text in a colour.</summary>
    /// <param name="colour">One of the constants, or empty.</param>
    /// <param name="text">The text.</param>
    internal string Paint(string colour, string text) => Start(colour) + text + End(colour);

    /// <summary>The colour begins; nothing without colours.</summary>
    /// <param name="colour">One of the constants, or empty.</param>
    internal string Start(string colour) => _inColour ? colour : "";

    /// <summary>The colour ends.</summary>
    /// <param name="colour">The one that began.</param>
    internal string End(string colour) => _inColour && colour.Length > 0 ? "\e[0m" : "";
}
