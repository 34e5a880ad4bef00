using System.Globalization;

namespace PvPatch.Perf.Yardsticks;

/// <summary>What it takes to run a program that only says hello.</summary>
/// <param name="EmptyMilliseconds">CPU time of an empty .NET program.</param>
/// <param name="HelloMilliseconds">CPU time of <c>run</c> on a program of two system calls.</param>
internal sealed record StartUp(double EmptyMilliseconds, double HelloMilliseconds)
{
    /// <summary>Measures and prints.</summary>
    public static StartUp Measure(Installation installation, int runs)
    {
        string empty = installation.PublishEmptyProgram();
        string hello = GeneratedElf.Hello(installation.Folder);
        double[] medians = Medians.InTurn(
            runs,
            () => ChildProcess.RunWell([empty]).CpuSeconds * 1e3,
            () => ChildProcess.RunWell([installation.Tool, "run", hello]).CpuSeconds * 1e3);
        var result = new StartUp(medians[0], medians[1]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Start-up: an empty .NET program takes {medians[0]:F1} ms of CPU time, run of a hello program {medians[1]:F1} ms: {medians[1] / medians[0]:F2} times."));
        return result;
    }
}
