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
    /// <summary>Measures and prints, or names what there is.</summary>
    /// <param name="listOnly">Whether to name only.</param>
    internal ExitCode Run(bool listOnly)
    {
        Assembly[] assemblies = files is [] ? [typeof(Lab).Assembly] : [.. files.Select(Lab.Load)];
        var lab = new Lab(assemblies, filters, mode);
        if (listOnly)
        {
            foreach (string name in lab.Names)
                Console.WriteLine(name);
            return ExitCode.Success;
        }

        LabResult result = lab.Measure(LabCommand.LaunchWord, showsProgress: !Console.IsErrorRedirected);
        Console.Write(TextReport.Of(result));
        return ExitCode.Success;
    }
}
