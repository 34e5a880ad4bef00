using System.Runtime.CompilerServices;
using PvPatch.Engine.Ops;

namespace PvPatch.Samples.QuietLog;

/// <summary>What can be logged.</summary>
public enum LogEvent
{
    Step,
}

/// <summary>The slot. While it holds a nop, patched calls of it are gone, and so is what only they had to compute.</summary>
public static unsafe class LogOps
{
    [PvOp("log.trace", summary: "Writes an event with its value")]
    public static delegate* unmanaged<LogEvent, long, void> Trace;
}

/// <summary>What the program calls: no unsafe code there.</summary>
internal static class Log
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Trace(LogEvent what, long value) => LogOps.Trace(what, value);
}

/// <summary>What the slot holds when the log is on.</summary>
internal static class StandardError
{
    public static void Trace(LogEvent what, long value) => Console.Error.WriteLine($"{what} {value}");
}
