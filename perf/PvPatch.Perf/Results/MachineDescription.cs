using System.Runtime.InteropServices;

namespace PvPatch.Perf.Results;

/// <summary>Where figures were made, and how quiet it was there.</summary>
/// <param name="Processor">The processor's name.</param>
/// <param name="Cpus">How many the process may use.</param>
/// <param name="OperatingSystem">Name and version.</param>
/// <param name="Runtime">Name and version.</param>
/// <param name="Clock">What times were read from.</param>
/// <param name="CpuShare">CPU time by wall time while samples were taken: 1 on a machine that did nothing else.</param>
/// <param name="Noise">The median over the rows of the interval's width by its median.</param>
public sealed record MachineDescription(string Processor, int Cpus, string OperatingSystem, string Runtime, string Clock, double CpuShare, double Noise)
{
    /// <summary>Describes this machine.</summary>
    /// <param name="clock">What times were read from.</param>
    /// <param name="cpuShare">CPU time by wall time.</param>
    /// <param name="noise">The median relative width.</param>
    public static MachineDescription OfThis(string clock, double cpuShare, double noise) =>
        new(ProcessorName(), Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, clock, cpuShare, noise);

    /// <summary>One line for the head of a report.</summary>
    public override string ToString() =>
        $"{Processor}, {Cpus} CPUs, {OperatingSystem}, {Runtime}; {Clock}, {CpuShare:P0} of a CPU was ours, noise ±{Noise / 2:P1}";

    private static string ProcessorName()
    {
        const string Linux = "/proc/cpuinfo", Key = "model name";
        string? line = File.Exists(Linux) ? File.ReadLines(Linux).FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
