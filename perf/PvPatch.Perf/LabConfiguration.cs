using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using Perfolizer.Horology;

namespace PvPatch.Perf;

/// <summary>The one configuration of the lab: a process of its own for each benchmark, ten iterations of 100 ms.</summary>
internal sealed class LabConfiguration : ManualConfig
{
    public LabConfiguration()
    {
        Add(DefaultConfig.Instance);
        AddJob(Job.Default.WithIterationTime(TimeInterval.FromMilliseconds(100)).WithWarmupCount(5).WithIterationCount(10));
        AddExporter(JsonExporter.Full);
        Options |= ConfigOptions.DisableLogFile;
    }
}
