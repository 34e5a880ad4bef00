using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PvPatch.Perf.Measuring;

/// <summary>CPU time of this process, of all its threads: what a machine that does other things too disturbs least. Where it is too coarse, wall time.</summary>
internal static unsafe partial class CpuClock
{
    private const int ProcessCpuTime = 2; // CLOCK_PROCESS_CPUTIME_ID, linux/include/uapi/linux/time.h

    /// <summary>What is read.</summary>
    public static string Name => OperatingSystem.IsLinux() ? "CPU time of the process" : "wall time";

    /// <summary>Nanoseconds since some moment.</summary>
    public static double Nanoseconds()
    {
        if (!OperatingSystem.IsLinux())
            return Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency);
        TimeSpec time;
        _ = ClockGetTime(ProcessCpuTime, &time); // fails for unknown clocks only
        return (time.Seconds * 1e9) + time.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockGetTime(int clock, TimeSpec* time);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
