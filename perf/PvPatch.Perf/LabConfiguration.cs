using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using Perfolizer.Horology;

namespace PvPatch.Perf;

/// <summary>
/// The configuration of BenchmarkDotNet's own runner: a process of its own for each benchmark, forty iterations of 25 ms. On a machine that does
/// other things too, the least of them is the one to compare: it was disturbed least.
/// </summary>
internal sealed class LabConfiguration : ManualConfig
{
    public LabConfiguration()
    {
        Add(DefaultConfig.Instance);
        AddJob(Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(25)).WithWarmupCount(20).WithIterationCount(40));
        AddColumn(StatisticColumn.Min);
        AddExporter(JsonExporter.Full);
        Options |= ConfigOptions.DisableLogFile;
    }
}
