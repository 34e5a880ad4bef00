namespace PvPatch.Tool;

/// <summary>The entry: the plain forms of <c>--detect</c> and <c>run</c> at once, everything else through the command line.</summary>
internal static class Program
{
    private static int Main(string[] args) => (int)Run(args, PlannedOps.On);

    /// <summary>Does what a command line says and tells what went wrong.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="planner">Says which ops would be installed.</param>
    internal static ExitCode Run(string[] args, OpPlanner planner)
    {
        try
        {
            if (RunOptions.FromPlainForm(args) is { } run)
                return RunProgram(run);
            var detect = new DetectCommand(planner);
            return DetectOptions.FromPlainForm(args) is { } options ? detect.Run(options) : RunCommandLine(detect, args);
        }
        catch (Exception e)
        {
            return Failure.Tell(e);
        }
    }

    // Methods of their own, so that each form loads only what it needs.
    private static ExitCode RunProgram(RunOptions options) => new RunSession(options).Run();

    private static ExitCode RunCommandLine(DetectCommand detect, string[] args) => new RootCommandLine(detect).Run(args);
}
