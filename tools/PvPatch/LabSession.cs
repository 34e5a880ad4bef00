using System.Reflection;
using PvPatch.Perf;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Reports;
using PvPatch.Perf.Results;

namespace PvPatch.Tool;

/// <summary>One run of the lab.</summary>
/// <param name="files">Assemblies with benchmarks; none for the product's own.</param>
/// <param name="filters">Which benchmarks.</param>
/// <param name="mode">How long.</param>
/// <param name="output">Where reports go; null for nowhere.</param>
/// <param name="checks">Whether limits are checked.</param>
internal sealed class LabSession(string[] files, string[] filters, LabMode mode, string? output, bool checks)
{
    private const ExitCode NotHeld = (ExitCode)1;

    /// <summary>Names the benchmarks.</summary>
    internal ExitCode List() => Told(() =>
    {
        foreach (string name in Open().Names)
            Console.WriteLine(name);
        return ExitCode.Success;
    });

    /// <summary>Measures and prints.</summary>
    internal ExitCode Run() => Told(() =>
    {
        Lab lab = Open();
        ReportFolder? folder = output is null ? null : ReportFolder.Open(output);
        LabResult result = lab.Measure(showsProgress: !Console.IsErrorRedirected);
        Console.Write(TextReport.Of(result));
        if (folder is not null)
            Console.WriteLine($"Written into {output}: {string.Join(", ", folder.Write(result))}");
        ExitCode code = checks ? Check(result) : ExitCode.Success;
        return result.Rows.FirstOrDefault(row => row.Failure is not null)?.Failure is { } failure
            ? throw new ToolException(files is [] ? ExitCode.InternalError : ExitCode.BadInput, failure)
            : code;
    });

    /// <summary>Compares two result files.</summary>
    /// <param name="before">The first run.</param>
    /// <param name="after">The second run.</param>
    internal static ExitCode Compare(string before, string after) => Told(() =>
    {
        var comparison = LabComparison.Of(ResultFile.Read(before), ResultFile.Read(after));
        Console.Write(ComparisonReport.Of(comparison));
        return comparison.HasWorse ? NotHeld : ExitCode.Success;
    });

    private static ExitCode Check(LabResult result)
    {
        IReadOnlyList<CheckedLimit> limits = LabCheck.Of(result);
        if (limits.Count == 0)
            throw new ToolException(ExitCode.WrongUsage, "Nothing that --check holds was measured; it holds rows of ReplacementCosts, and the growth of PatchingCosts and StartUpPatchingCosts.");
        Console.WriteLine();
        foreach (CheckedLimit limit in limits)
            Console.WriteLine(limit);
        return limits.Any(limit => limit.Fails) ? NotHeld : ExitCode.Success;
    }

    private static ExitCode Told(Func<ExitCode> work)
    {
        try
        {
            return work();
        }
        catch (LabException e)
        {
            throw new ToolException(e.Error switch
            {
                LabError.UnknownBenchmark => ExitCode.WrongUsage,
                LabError.MeasuringFailed => ExitCode.InternalError,
                _ => ExitCode.BadInput,
            }, e.Message, e);
        }
    }

    private Lab Open()
    {
        Assembly[] own = [typeof(Lab).Assembly, typeof(LabSession).Assembly];
        if (own[0].Location.Length == 0)
            throw new ToolException(ExitCode.Environment, "The lab patches copies of its own assembly file, which a single-file program does not have; publish without PublishSingleFile.");
        return new Lab(files is [] ? own : [.. files.Select(Lab.Load)], filters, mode);
    }
}
