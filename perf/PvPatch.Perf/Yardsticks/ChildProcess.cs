using System.Diagnostics;
using System.Globalization;
using PvPatch.Perf.Measuring;

namespace PvPatch.Perf.Yardsticks;

/// <summary>What a process of another program took and wrote.</summary>
/// <param name="CpuSeconds">CPU time of all its threads and of the processes it waited for.</param>
/// <param name="WallSeconds">From its start to its end.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="Code">Its exit code.</param>
/// <param name="Resident">Its resident memory in KiB, at equal distances of time, if it was watched.</param>
internal sealed record ChildProcess(double CpuSeconds, double WallSeconds, string Output, string Error, int Code, IReadOnlyList<long> Resident)
{
    /// <summary>Runs a program to its end. Children are measured one after the other.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="watchEvery">Between two looks at its memory; zero for none.</param>
    public static ChildProcess Run(IReadOnlyList<string> command, TimeSpan watchEvery = default)
    {
        double before = CpuClock.ChildNanoseconds();
        long start = Stopwatch.GetTimestamp();
        var info = new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        OwnProgram.Unset(info);
        using Process process = Process.Start(info)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        var resident = new List<long>();
        while (watchEvery != TimeSpan.Zero && !process.WaitForExit(watchEvery))
            resident.Add(ResidentOf(process.Id));
        process.WaitForExit();
        double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new ChildProcess((CpuClock.ChildNanoseconds() - before) / 1e9, wall, output.Result, error.Result, process.ExitCode, resident);
    }

    /// <summary>Runs a program that must end well.</summary>
    public static ChildProcess RunWell(IReadOnlyList<string> command) => Run(command).Well(command);

    /// <summary>Itself, if it ended with 0 or with one of the codes named.</summary>
    public ChildProcess Well(IReadOnlyList<string> command, params ReadOnlySpan<int> others) =>
        Code == 0 || others.Contains(Code) ? this : throw new InvalidOperationException($"'{string.Join(' ', command)}' ended with {Code}:\n{Output}{Error}");

    private static long ResidentOf(int process)
    {
        try
        {
            string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan("VmRSS:".Length, line.Length - "VmRSS:".Length - " kB".Length), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return 0; // it has ended
        }
    }
}
