using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Measuring;

/// <summary>What a measuring process is asked for.</summary>
/// <param name="Assemblies">Files with benchmarks.</param>
/// <param name="Filters">Which of them.</param>
/// <param name="Mode">How long.</param>
/// <param name="Number">Which of the processes it is, from 1.</param>
/// <param name="ShowsProgress">Whether it tells on stderr where it is.</param>
/// <param name="Output">Where the samples go.</param>
internal sealed record LaunchRequest(IReadOnlyList<string> Assemblies, IReadOnlyList<string> Filters, string Mode, int Number, bool ShowsProgress, string Output);

/// <summary>A process of its own that measures: with the runtime's usual settings, whatever those of the command are.</summary>
internal static class Launch
{
    /// <summary>How its command line begins, behind <see cref="Lab.ProcessWord"/>.</summary>
    public const string Word = "measure";

    /// <summary>Starts one and waits.</summary>
    /// <param name="request">What for; its <see cref="LaunchRequest.Output"/> is not used.</param>
    /// <exception cref="LabException">It ended without its samples.</exception>
    public static IReadOnlyList<FamilySamples> Start(LaunchRequest request)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("pvpatch-lab-");
        try
        {
            string input = Path.Combine(folder.FullName, "request.json"), output = Path.Combine(folder.FullName, "samples.json");
            File.WriteAllText(input, JsonSerializer.Serialize(request with { Output = output }));
            using Process process = Process.Start(Again(input))!;
            process.WaitForExit();
            return process.ExitCode == 0 && File.Exists(output)
                ? JsonSerializer.Deserialize<List<FamilySamples>>(File.ReadAllText(output))!
                : throw new LabException(LabError.MeasuringFailed, $"The process that measures ended with {process.ExitCode} before it was done.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Is such a process: measures and writes the samples.</summary>
    /// <param name="requestFile">Path of the request.</param>
    public static void Run(string requestFile)
    {
        LaunchRequest request = JsonSerializer.Deserialize<LaunchRequest>(File.ReadAllText(requestFile))!;
        Console.SetOut(Console.Error); // what benchmarks print is not the command's answer
        using var code = new CodeMap();
        var mode = LabMode.Of(request.Mode);
        IReadOnlyList<RowFamily> families = [.. RowCatalogue.Find(request.Assemblies.Select(Load), request.Filters, mode).Where(family => request.Number <= family.Launches(mode))];
        var samples = new List<FamilySamples>();
        foreach (RowFamily family in families)
        {
            if (request.ShowsProgress)
                Console.Error.Write($"\r{request.Number}/{mode.Launches}  {samples.Count + 1,3}/{families.Count}  {family.Name}\e[K");
            samples.Add(new FamilyMeasurement(family, mode, code).Run());
        }

        if (request.ShowsProgress)
            Console.Error.Write("\r\e[K");
        File.WriteAllText(request.Output, JsonSerializer.Serialize(samples));
    }

    /// <summary>Loads an assembly with benchmarks; the libraries beside it are found, those of this program are shared.</summary>
    /// <param name="file">Its path.</param>
    /// <exception cref="LabException">It is no assembly.</exception>
    public static Assembly Load(string file)
    {
        try
        {
            return Assembly.LoadFrom(Path.GetFullPath(file));
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or UnauthorizedAccessException or ArgumentException or System.Security.SecurityException)
        {
            throw new LabException(LabError.BadFile, $"{file} can't be loaded as an assembly: {e.Message}", e);
        }
    }

    private static ProcessStartInfo Again(string requestFile)
    {
        var start = new ProcessStartInfo(OwnProgram.Command[0], [.. OwnProgram.Command.Skip(1), Lab.ProcessWord, Word, requestFile]) { UseShellExecute = false };
        OwnProgram.Set(start);
        return start;
    }
}
