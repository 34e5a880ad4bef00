using System.Reflection;
using PvPatch.Perf.Results;
using PvPatch.Perf.Statistics;

namespace PvPatch.Perf.Measuring;

/// <summary>Makes a result of the samples of all processes.</summary>
internal static class Evaluation
{
    /// <summary>Evaluates.</summary>
    /// <param name="mode">How it was measured.</param>
    /// <param name="begun">When.</param>
    /// <param name="families">The rows.</param>
    /// <param name="launches">The samples of each process.</param>
    public static LabResult Of(LabMode mode, DateTimeOffset begun, IReadOnlyList<RowFamily> families, IReadOnlyList<IReadOnlyList<FamilySamples>> launches)
    {
        Dictionary<string, RowSamples>[] samples = [.. launches.Select(l => l.SelectMany(f => f.Rows).ToDictionary(r => r.Name, StringComparer.Ordinal))];
        RowResult[] rows = [.. families.SelectMany(family => ResultsOf(family, samples))];
        FamilySamples[] all = [.. launches.SelectMany(l => l)];
        double[] widths = [.. rows.Where(r => r.Nanoseconds is not null).Select(r => r.Nanoseconds!.Value.RelativeWidth).Order()];
        return new LabResult
        {
            Mode = mode.Name,
            Begun = begun,
            Machine = MachineDescription.OfThis(CpuClock.Name, all.Sum(f => f.CpuNanoseconds) / all.Sum(f => f.WallNanoseconds), widths is [] ? 0 : MedianInterval.MedianOf(widths)),
            Rows = rows,
            Growth = [.. GrowthOf([.. families.SelectMany(f => f.Rows)], samples)],
        };
    }

    private static IEnumerable<RowResult> ResultsOf(RowFamily family, Dictionary<string, RowSamples>[] launches)
    {
        LabRow? baseline = family.Rows.FirstOrDefault(row => row.IsBaseline);
        RowSamples[]? baselines = baseline is null ? null : SamplesOf(baseline, launches);
        foreach (LabRow row in family.Rows)
        {
            RowSamples[] own = SamplesOf(row, launches);
            string? failure = Array.Find(own, s => s.Failure is not null)?.Failure;
            string? unavailable = Array.Find(own, s => s.Unavailable is not null)?.Unavailable;
            var result = new RowResult { Name = row.Name, Family = family.Name, Title = row.Title, IsBaseline = row == baseline, Failure = failure, Unavailable = unavailable };
            if (failure is null && unavailable is null)
            {
                Interval time = MedianInterval.Over([.. own.Select(s => s.Nanoseconds)]);
                result = result with
                {
                    Nanoseconds = time,
                    Ratio = row == baseline || baselines is null || Array.Exists(baselines, b => b.Nanoseconds.Count == 0) ? null : RatioOf(own, baselines),
                    AllocatedBytes = own.Min(s => s.AllocatedBytes),
                    PerSecond = own[^1].Events.ToDictionary(e => e.Key, e => e.Value * 1e9 / time.Median, StringComparer.Ordinal),
                    Code = own[^1].Code is { } code && baselines?[^1].Code is { } other && row != baseline
                        ? code with { SameAsBaseline = code.Lines.SequenceEqual(other.Lines, StringComparer.Ordinal) }
                        : own[^1].Code,
                    Samples = own.Sum(s => s.Nanoseconds.Count),
                };
            }

            yield return result;
        }
    }

    /// <summary>Those of the processes that measured it.</summary>
    private static RowSamples[] SamplesOf(LabRow row, Dictionary<string, RowSamples>[] launches) =>
        [.. launches.Select(l => l.GetValueOrDefault(row.Name)).OfType<RowSamples>()];

    /// <summary>Each sample by the baseline's of the same round.</summary>
    private static Interval RatioOf(RowSamples[] row, RowSamples[] baseline) =>
        MedianInterval.Over([.. row.Zip(baseline, (r, b) => r.Nanoseconds.Zip(b.Nanoseconds, (time, reference) => time / reference).ToArray())]);

    private static IEnumerable<GrowthResult> GrowthOf(LabRow[] rows, Dictionary<string, RowSamples>[] launches)
    {
        foreach (IGrouping<string, LabRow> series in rows.Where(r => r.Type.IsDefined(typeof(GrowthAttribute))).GroupBy(r => r.Series, StringComparer.Ordinal))
        {
            GrowthAttribute growth = series.First().Type.GetCustomAttribute<GrowthAttribute>()!;
            (long Size, IReadOnlyList<double>[] Times)[] points =
            [
                .. from row in series
                   let times = SamplesOf(row, launches).Select(s => s.Nanoseconds).Where(t => t.Count > 0).ToArray()
                   where times.Length > 0
                   orderby row.Size(growth.Parameter)
                   select (row.Size(growth.Parameter)!.Value, times),
            ];
            (double, IReadOnlyList<double>)[] fitted = [.. points.Where(p => p.Size >= growth.FitFrom).Select(p => ((double)p.Size, (IReadOnlyList<double>)[.. p.Times.SelectMany(t => t)]))];
            yield return new GrowthResult(
                series.Key,
                series.First().Title,
                growth.Parameter,
                [.. points.Select(p => new GrowthPoint(p.Size, MedianInterval.Over(p.Times)))],
                growth.FitFrom,
                fitted.Length < 2 ? null : GrowthFit.Exponent(fitted));
        }
    }
}
