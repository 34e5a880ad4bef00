using System.IO.Enumeration;
using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using PvPatch.Perf.Results;

namespace PvPatch.Perf.Measuring;

/// <summary>Finds the rows of assemblies.</summary>
internal static class RowCatalogue
{
    private static readonly IConfig Config = ManualConfig.CreateEmpty().AddJob(Job.InProcess);

    /// <summary>The families that are asked for.</summary>
    /// <param name="assemblies">Where to look.</param>
    /// <param name="filters">Names with <c>*</c> and <c>?</c>; all rows, if there are none. A row that is asked for brings its baseline.</param>
    /// <param name="mode">A quick run leaves the greatest sizes out.</param>
    /// <exception cref="LabException">A filter names no benchmark.</exception>
    public static IReadOnlyList<RowFamily> Find(IEnumerable<Assembly> assemblies, IReadOnlyList<string> filters, LabMode mode)
    {
        LabRow[] all = [.. assemblies.SelectMany(RowsOf)];
        if (filters.FirstOrDefault(filter => !all.Any(row => Matches(row, filter))) is { } unknown)
            throw new LabException(LabError.UnknownBenchmark, $"No benchmark is called '{unknown}'; 'PvPatch lab --list' names them all.");
        return
        [
            .. from row in all
               where IsInMode(row, mode)
               group row by (row.Type, row.Family) into family
               let wanted = family.Where(row => filters.Count == 0 || filters.Any(filter => Matches(row, filter))).ToHashSet()
               where wanted.Count > 0
               select new RowFamily(family.Key.Family, [.. family.Where(row => row.IsBaseline || wanted.Contains(row))]),
        ];
    }

    /// <summary>The rows of one assembly.</summary>
    /// <exception cref="LabException">A class cannot be read.</exception>
    public static IEnumerable<LabRow> RowsOf(Assembly assembly) =>
        from type in TypesOf(assembly)
        where type is { IsClass: true, IsAbstract: false, IsGenericTypeDefinition: false } && type.GetMethods().Any(m => m.IsDefined(typeof(BenchmarkAttribute), inherit: true))
        from row in RowsOf(type)
        select row;

    private static IEnumerable<LabRow> RowsOf(Type type)
    {
        try
        {
            return [.. BenchmarkConverter.TypeToBenchmarks(type, Config).BenchmarksCases.Select(benchmark => new LabRow(benchmark))];
        }
        catch (Exception e) // its parameters may come from code of the class
        {
            throw new LabException(LabError.BadAssembly, $"The benchmarks of {type.Name} can't be read: {(e as TargetInvocationException)?.InnerException?.Message ?? e.Message}", e);
        }
    }

    private static Type[] TypesOf(Assembly assembly)
    {
        try
        {
            return assembly.GetExportedTypes();
        }
        catch (Exception e) when (e is TypeLoadException or FileNotFoundException or FileLoadException or BadImageFormatException)
        {
            throw new LabException(LabError.BadAssembly, $"{assembly.Location} can't be read: {e.Message}", e);
        }
    }

    private static bool IsInMode(LabRow row, LabMode mode) =>
        mode != LabMode.Quick || row.Type.GetCustomAttribute<GrowthAttribute>() is not { } growth || row.Size(growth.Parameter) <= growth.QuickUpTo;

    private static bool Matches(LabRow row, string filter) => FileSystemName.MatchesSimpleExpression(filter, row.Name);
}
