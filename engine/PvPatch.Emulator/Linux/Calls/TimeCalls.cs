using System.Buffers.Binary;
using System.Diagnostics;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Tasks;

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

    public static long Nanosleep(LinuxProcess process, in CallArguments call) => Sleep(process, call.A0, since: 0, call.A1);

    public static long ClockNanosleep(LinuxProcess process, in CallArguments call)
    {
        if (NanosecondsOf(call.A0) is not { } now)
            return -Errno.Invalid;
        bool absolute = (call.A1 & 1) != 0;
        return Sleep(process, call.A2, absolute ? now : 0, absolute ? 0 : call.A3);
    }

    /// <summary>Reads a <c>struct timespec</c> as nanoseconds; null with a negative error.</summary>
    public static UInt128? ReadTime(LinuxProcess process, ulong address, out long error)
    {
        error = -Errno.BadAddress;
        if (!process.TryRead64(address, out ulong seconds) || !process.TryRead64(address + 8, out ulong nanoseconds))
            return null;
        error = -Errno.Invalid;
        if (nanoseconds >= NanosecondsPerSecond || (long)seconds < 0)
            return null;
        return ((UInt128)seconds * NanosecondsPerSecond) + nanoseconds;
    }

    /// <summary>Nanoseconds since 1970.</summary>
    public static ulong WallClock() => (ulong)((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick);

    /// <summary>Nanoseconds since the host was started.</summary>
    public static ulong Monotonic() => (ulong)((UInt128)Stopwatch.GetTimestamp() * NanosecondsPerSecond / (ulong)Stopwatch.Frequency);

    /// <summary>alarm(2).</summary>
    public static long Alarm(LinuxProcess process, in CallArguments call)
    {
        long left = MillisecondsLeft(process);
        SetAlarm(process, (uint)call.A0 * 1000L, 0);
        return (left + 999) / 1000;
    }

    /// <summary>setitimer(2): the real-time one; the others count the CPU's time, which all processes share here.</summary>
    public static long Setitimer(LinuxProcess process, in CallArguments call)
    {
        if (call.A0 != 0)
            return call.A0 > 2 ? -Errno.Invalid : -Errno.NotImplemented;
        if (call.A2 != 0 && WriteTimer(process, call.A2) is < 0 and long error)
            return error;
        if (call.A1 == 0)
            return 0;
        if (ReadMilliseconds(process, call.A1) is not { } every || ReadMilliseconds(process, call.A1 + 16) is not { } first)
            return -Errno.BadAddress;
        SetAlarm(process, first, every);
        return 0;
    }

    public static long Getitimer(LinuxProcess process, in CallArguments call) =>
        call.A0 switch
        {
            0 => WriteTimer(process, call.A1),
            1 or 2 => process.Write(call.A1, new byte[32]),
            _ => -Errno.Invalid,
        };

    /// <summary>times(2): the CPU time of the whole run, in ticks of 10 ms.</summary>
    public static long Times(LinuxProcess process, in CallArguments call)
    {
        const long Tick = 10_000_000;
        Span<byte> times = stackalloc byte[32];
        times.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(times, Environment.CpuUsage.TotalTime.Ticks * NanosecondsPerTick / Tick);
        if (call.A0 != 0 && process.Write(call.A0, times) is < 0 and long error)
            return error;
        return (long)(Monotonic() / Tick);
    }

    private static void SetAlarm(LinuxProcess process, long first, long every)
    {
        process.AlarmAt = first == 0 ? Wait.Never : Environment.TickCount64 + first;
        process.AlarmEvery = every;
    }

    private static long MillisecondsLeft(LinuxProcess process) =>
        process.AlarmAt == Wait.Never ? 0 : Math.Max(1, process.AlarmAt - Environment.TickCount64);

    private static long WriteTimer(LinuxProcess process, ulong address)
    {
        Span<byte> value = stackalloc byte[32];
        PutMilliseconds(value, process.AlarmEvery);
        PutMilliseconds(value[16..], MillisecondsLeft(process));
        return process.Write(address, value);
    }

    private static void PutMilliseconds(Span<byte> value, long milliseconds)
    {
        BinaryPrimitives.WriteInt64LittleEndian(value, milliseconds / 1000);
        BinaryPrimitives.WriteInt64LittleEndian(value[8..], milliseconds % 1000 * 1000);
    }

    /// <summary>Reads a <c>struct timeval</c>; less than a millisecond becomes one.</summary>
    private static long? ReadMilliseconds(LinuxProcess process, ulong address)
    {
        const ulong Longest = 1ul << 40;
        if (!process.TryRead64(address, out ulong seconds) || !process.TryRead64(address + 8, out ulong microseconds))
            return null;
        return (long)((Math.Min(seconds, Longest) * 1000) + (Math.Min(microseconds, 999_999) + 999) / 1000);
    }

    /// <summary>Sleeps until a time has passed; a signal ends it, and what is left is written where it was asked for.</summary>
    private static long Sleep(LinuxProcess process, ulong address, ulong since, ulong remaining)
    {
        if (ReadTime(process, address, out long error) is not { } wanted)
            return error;
        long deadline = Wait.After(wanted > since ? wanted - since : 0);
        return process.Await(new Wait(() => Wait.IsOver(deadline) ? 0 : null, deadline, Restarts: false)
        {
            GiveUp = () =>
            {
                if (remaining != 0)
                    WriteTime(process, remaining, (ulong)Math.Max(0, deadline - Environment.TickCount64) * 1_000_000);
                return null;
            },
        });
    }

    /// <summary>A clock's time; null for a clock that is not there.</summary>
    private static ulong? NanosecondsOf(ulong clock) => clock switch
    {
        0 or 5 or 8 or 11 => WallClock(),                                      // REALTIME, its coarse and alarm forms, TAI
        1 or 4 or 6 or 7 or 9 => Monotonic(),                                  // MONOTONIC, RAW, COARSE, BOOTTIME
        2 or 3 => (ulong)Environment.CpuUsage.TotalTime.Ticks * NanosecondsPerTick,
        _ => null,
    };

    private static long WriteTime(LinuxProcess process, ulong address, ulong nanoseconds)
    {
        Span<byte> value = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(value, nanoseconds / NanosecondsPerSecond);
        BinaryPrimitives.WriteUInt64LittleEndian(value[8..], nanoseconds % NanosecondsPerSecond);
        return process.Write(address, value);
    }
}
