using System.Buffers.Binary;
using System.Diagnostics;
using PvPatch.Emulator.Linux.Files;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>Clocks and sleeping (clock_gettime(2), gettimeofday(2), nanosleep(2)).</summary>
internal static class TimeCalls
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;
    private const long NanosecondsPerTick = 100;
    private const ulong LastClock = 11;

    public static long ClockGettime(LinuxProcess process, in CallArguments call) =>
        NanosecondsOf(call.A0) is { } now ? WriteTime(process, call.A1, now) : -Errno.Invalid;

    public static long ClockGetres(LinuxProcess process, in CallArguments call)
    {
        if (call.A0 > LastClock)
            return -Errno.Invalid;
        return call.A1 == 0 ? 0 : WriteTime(process, call.A1, 1);
    }

    public static long Gettimeofday(LinuxProcess process, in CallArguments call)
    {
        ulong now = WallClock();
        Span<byte> value = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(value, now / NanosecondsPerSecond);
        BinaryPrimitives.WriteUInt64LittleEndian(value[8..], now % NanosecondsPerSecond / 1000);
        if (call.A0 != 0 && process.Write(call.A0, value) is < 0 and long error)
            return error;
        return call.A1 == 0 ? 0 : process.Write64(call.A1, 0);
    }

    public static long Time(LinuxProcess process, in CallArguments call)
    {
        ulong seconds = WallClock() / NanosecondsPerSecond;
        return call.A0 != 0 && process.Write64(call.A0, seconds) is < 0 and long error ? error : (long)seconds;
    }

    public static long Nanosleep(LinuxProcess process, in CallArguments call) => Sleep(process, call.A0, since: 0);

    public static long ClockNanosleep(LinuxProcess process, in CallArguments call)
    {
        if (NanosecondsOf(call.A0) is not { } now)
            return -Errno.Invalid;
        bool absolute = (call.A1 & 1) != 0;
        return Sleep(process, call.A2, absolute ? now : 0);
    }

    private static long Sleep(LinuxProcess process, ulong address, ulong since)
    {
        if (!process.TryRead64(address, out ulong seconds) || !process.TryRead64(address + 8, out ulong nanoseconds))
            return -Errno.BadAddress;
        if (nanoseconds >= NanosecondsPerSecond || (long)seconds < 0)
            return -Errno.Invalid;
        UInt128 wanted = ((UInt128)seconds * NanosecondsPerSecond) + nanoseconds;
        if (wanted <= since)
            return 0;
        var milliseconds = (wanted - since + 999_999) / 1_000_000;
        process.Cancellation.WaitHandle.WaitOne(milliseconds > int.MaxValue ? Timeout.Infinite : (int)milliseconds);
        return 0;
    }

    /// <summary>A clock's time; null for a clock that is not there.</summary>
    private static ulong? NanosecondsOf(ulong clock) => clock switch
    {
        0 or 5 or 8 or 11 => WallClock(),                                      // REALTIME, its coarse and alarm forms, TAI
        1 or 4 or 6 or 7 or 9 => Monotonic(),                                  // MONOTONIC, RAW, COARSE, BOOTTIME
        2 or 3 => (ulong)Environment.CpuUsage.TotalTime.Ticks * NanosecondsPerTick,
        _ => null,
    };

    private static ulong WallClock() => (ulong)((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick);

    private static ulong Monotonic() => (ulong)((UInt128)Stopwatch.GetTimestamp() * NanosecondsPerSecond / (ulong)Stopwatch.Frequency);

    private static long WriteTime(LinuxProcess process, ulong address, ulong nanoseconds)
    {
        Span<byte> value = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(value, nanoseconds / NanosecondsPerSecond);
        BinaryPrimitives.WriteUInt64LittleEndian(value[8..], nanoseconds % NanosecondsPerSecond);
        return process.Write(address, value);
    }
}
