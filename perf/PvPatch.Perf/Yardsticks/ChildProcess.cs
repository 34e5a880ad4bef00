using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace PvPatch.Perf.Yardsticks;

/// <summary>What a process of another program took and wrote.</summary>
/// <param name="CpuSeconds">CPU time of all its threads and of the processes it waited for.</param>
/// <param name="WallSeconds">From its start to its end.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="Code">Its exit code.</param>
/// <param name="Resident">Its resident memory in KiB, at equal distances of time, if it was watched.</param>
internal sealed partial record ChildProcess(double CpuSeconds, double WallSeconds, string Output, string Error, int Code, IReadOnlyList<long> Resident)
{
    /// <summary>RUSAGE_CHILDREN of getrusage(2): the children that were waited for, and theirs.</summary>
    private const int Children = -1;

    /// <summary>Runs a program to its end. Children are measured one after the other.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="watchEvery">Between two looks at its memory; zero for none.</param>
    public static ChildProcess Run(IReadOnlyList<string> command, TimeSpan watchEvery = default)
    {
        double before = CpuOfChildren();
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        var resident = new List<long>();
        while (watchEvery != TimeSpan.Zero && !process.WaitForExit(watchEvery))
            resident.Add(ResidentOf(process.Id));
        process.WaitForExit();
        double wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new ChildProcess(CpuOfChildren() - before, wall, output.Result, error.Result, process.ExitCode, resident);
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

    private static unsafe double CpuOfChildren()
    {
        Usage usage;
        // SAFETY: the structure is as large as Linux's rusage on 64-bit systems.
        return GetUsage(Children, &usage) == 0
            ? usage.UserSeconds + usage.SystemSeconds + ((usage.UserMicroseconds + usage.SystemMicroseconds) * 1e-6)
            : throw new InvalidOperationException("getrusage failed.");
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int GetUsage(int who, Usage* usage);

    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private struct Usage
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
    }
}
