using System.Globalization;
using System.Reflection;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Results;
using PvPatch.Perf.Rows;

namespace PvPatch.Perf;

/// <summary>The lab: finds benchmarks, measures them in processes of their own, and gives the result.</summary>
/// <param name="assemblies">Where the benchmarks are. Each needs a file.</param>
/// <param name="filters">Which: names with <c>*</c> and <c>?</c>; empty for all.</param>
/// <param name="mode">How long.</param>
public sealed class Lab(IReadOnlyList<Assembly> assemblies, IReadOnlyList<string> filters, LabMode mode)
{
    /// <summary>The word by which the program's command line comes to <see cref="BeProcess"/>: the lab starts the program again.</summary>
    public const string ProcessWord = "lab-process";

    /// <summary>The names of all rows that are asked for, in order.</summary>
    /// <exception cref="LabException">There are none.</exception>
    public IReadOnlyList<string> Names => [.. Families().SelectMany(family => family.Rows).Select(row => row.Name)];

    /// <summary>Loads an assembly with benchmarks.</summary>
    /// <param name="file">Its path.</param>
    /// <exception cref="LabException">It cannot be loaded, or has no benchmarks.</exception>
    public static Assembly Load(string file)
    {
        Assembly assembly = Launch.Load(file);
        return RowCatalogue.RowsOf(assembly).Any()
            ? assembly
            : throw new LabException(LabError.BadAssembly, $"{file} has no benchmarks: no public class with a [Benchmark] method.");
    }

    /// <summary>Measures. Rows that fail say why; the others have figures.</summary>
    /// <param name="showsProgress">Whether stderr tells where it is.</param>
    /// <exception cref="LabException">There is nothing to measure, or the process that measures broke down.</exception>
    public LabResult Measure(bool showsProgress)
    {
        IReadOnlyList<RowFamily> families = Families();
        DateTimeOffset begun = DateTimeOffset.UtcNow;
        if (showsProgress)
            Console.Error.WriteLine($"Rows to measure: {families.Sum(family => family.Rows.Count)}. That takes {Minutes(families)} on a quiet machine.");
        string[] files = [.. assemblies.Select(assembly => assembly.Location)];
        var launches = new List<IReadOnlyList<FamilySamples>>();
        for (int number = 1; number <= families.Max(family => family.Launches(mode)); number++)
            launches.Add(Launch.Start(new LaunchRequest(files, filters, mode.Name, number, showsProgress, Output: "")));

        return Evaluation.Of(mode, begun, families, launches);
    }

    /// <summary>Is one of the lab's processes.</summary>
    /// <param name="arguments">What stands behind <see cref="ProcessWord"/>.</param>
    public static void BeProcess(IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        switch (arguments)
        {
            case [Launch.Word, var requestFile]: Launch.Run(requestFile); break;
            case [PatchingProcess.Word, var way, var file, var sites]: PatchingProcess.Run(way, file, int.Parse(sites, CultureInfo.InvariantCulture)); break;
            default: throw new ArgumentException($"The lab has no process '{string.Join(' ', arguments)}'.", nameof(arguments));
        }
    }

    private string Minutes(IReadOnlyList<RowFamily> families)
    {
        double minutes = families.Sum(family => family.Expected(mode).TotalMinutes);
        return minutes < 1 ? "less than a minute" : $"about {Math.Ceiling(minutes):0} minutes";
    }

    private IReadOnlyList<RowFamily> Families() => RowCatalogue.Find(assemblies, filters, mode);
}
