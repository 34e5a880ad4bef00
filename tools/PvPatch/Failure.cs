using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Tool;

/// <summary>Turns an exception into an exit code and one sentence on stderr.</summary>
internal static class Failure
{
    private const int LongestSentence = 400;

    /// <summary>Tells the user.</summary>
    /// <param name="failure">What went wrong.</param>
    internal static ExitCode Tell(Exception failure)
    {
        switch (failure)
        {
            case ToolException known:
                Say(known.Message);
                return known.Code;
            case IOException or OutOfMemoryException:
                Say(failure.Message);
                return ExitCode.Environment;
            default:
                Say($"Something unexpected happened ({failure.GetType().Name}: {failure.Message}); --log-file FILE keeps the details.");
                return ExitCode.InternalError;
        }
    }

    /// <summary>Prints one sentence on stderr.</summary>
    /// <param name="sentence">The sentence.</param>
    internal static void Say(string sentence) =>
        Console.Error.WriteLine("PvPatch: " + EscapedText.From(string.Join(' ', sentence.Split((char[])['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)), LongestSentence));
}
