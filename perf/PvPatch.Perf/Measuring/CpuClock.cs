using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PvPatch.Perf.Measuring;

/// <summary>
/// CPU time of this process, of all its threads and of the processes that it has waited for: what a machine that does other things
/// too disturbs least. Where it is too coarse, wall time.
/// </summary>
internal static unsafe partial class CpuClock
{
    private const int ProcessCpuTime = 2; // CLOCK_PROCESS_CPUTIME_ID, linux/include/uapi/linux/time.h
    private const int Children = -1; // RUSAGE_CHILDREN, linux/include/uapi/linux/resource.h

    /// <summary>What is read.</summary>
    public static string Name => OperatingSystem.IsLinux() ? "CPU time of the process" : "wall time";

    /// <summary>Nanoseconds since some moment.</summary>
    public static double Nanoseconds()
    {
        if (!OperatingSystem.IsLinux())
            return Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency);
        TimeSpec time;
        _ = ClockGetTime(ProcessCpuTime, &time); // fails for unknown clocks only
        return (time.Seconds * 1e9) + time.Nanoseconds + ChildNanoseconds();
    }

    /// <summary>Nanoseconds of the children that were waited for, and of theirs (Linux).</summary>
    public static double ChildNanoseconds()
    {
        Usage usage;
        // SAFETY: the structure is as large as Linux's rusage on 64-bit systems.
        _ = GetUsage(Children, &usage); // fails for unknown words only
        return ((usage.UserSeconds + usage.SystemSeconds) * 1e9) + ((usage.UserMicroseconds + usage.SystemMicroseconds) * 1e3);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockGetTime(int clock, TimeSpec* time);

    [LibraryImport("libc", EntryPoint = "getrusage")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetUsage(int who, Usage* usage);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential, Size = 144)]
    private struct Usage
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
    }
}
