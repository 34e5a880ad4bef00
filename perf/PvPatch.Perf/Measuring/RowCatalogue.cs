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
    /// <param name="mode">A quick run leaves out what takes long, unless a filter names nothing else.</param>
    /// <exception cref="LabException">A filter names no benchmark.</exception>
    public static IReadOnlyList<RowFamily> Find(IEnumerable<Assembly> assemblies, IReadOnlyList<string> filters, LabMode mode)
    {
        LabRow[] all = [.. assemblies.SelectMany(RowsOf)];
        if (filters.FirstOrDefault(filter => !all.Any(row => Matches(row, filter))) is { } unknown)
            throw new LabException(LabError.UnknownBenchmark, $"No benchmark is called '{unknown}'; 'PvPatch lab --list' names them all.");
        HashSet<LabRow> wanted = filters is [] ? [.. all.Where(row => row.IsIn(mode))] : [.. filters.SelectMany(filter => Named(all, filter, mode))];
        return
        [
            .. from row in all
               group row by (row.Type, row.Family) into family
               where family.Any(wanted.Contains)
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

    private static LabRow[] Named(LabRow[] all, string filter, LabMode mode)
    {
        LabRow[] named = [.. all.Where(row => Matches(row, filter))];
        return Array.Exists(named, row => row.IsIn(mode)) ? Array.FindAll(named, row => row.IsIn(mode)) : named;
    }

    private static bool Matches(LabRow row, string filter) => FileSystemName.MatchesSimpleExpression(filter, row.Name);
}
