namespace PvPatch.Tool;

/// <summary>The entry: the plain form of <c>--detect</c> at once, everything else through the command line.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            var detect = new DetectCommand(static _ => []);
            return (int)(DetectOptions.FromPlainForm(args) is { } options ? detect.Run(options) : RunCommandLine(detect, args));
        }
        catch (Exception e)
        {
            return (int)Failure.Tell(e);
        }
    }

    // A method of its own, so that the plain form never loads the command line's library.
    private static ExitCode RunCommandLine(DetectCommand detect, string[] args) => new RootCommandLine(detect).Run(args);
}
