namespace PvPatch.Tool;

/// <summary>What was asked of <c>--detect</c>.</summary>
/// <param name="Json">Print JSON.</param>
/// <param name="Quiet">Print nothing; goes before <paramref name="Json"/>.</param>
/// <param name="CpuidFile">A recorded processor in place of this one; null for this one.</param>
internal sealed record DetectOptions(bool Json, bool Quiet, string? CpuidFile)
{
    /// <summary>
    /// Reads a command line of nothing but <c>--detect</c>, <c>--json</c> and <c>--quiet</c>, the form that other programs
    /// start at each launch, without loading the library that reads all others. The answer is the same either way.
    /// </summary>
    /// <param name="args">The arguments.</param>
    /// <returns>Null when the command line is of another form.</returns>
    internal static DetectOptions? FromPlainForm(ReadOnlySpan<string> args)
    {
        bool detect = false, json = false, quiet = false;
        foreach (string arg in args)
        {
            switch (arg)
            {
                case "--detect":
                    detect = true;
                    break;
                case "--json":
                    json = true;
                    break;
                case "--quiet" or "-q":
                    quiet = true;
                    break;
                default:
                    return null;
            }
        }

        return detect ? new DetectOptions(json, quiet, CpuidFile: null) : null;
    }
}
