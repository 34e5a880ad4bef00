using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>The program itself: its end, its numbers, limits, signals, the bases of FS and GS.</summary>
internal static unsafe class ProcessCalls
{
    private const ulong SetGs = 0x1001;
    private const ulong SetFs = 0x1002;
    private const ulong GetFs = 0x1003;
    private const ulong GetGs = 0x1004;
    private const int NameSize = 65;
    private const int MostRandom = 1 << 20;
    private const int ResourceCount = 16;
    private const int ResourceStack = 3;
    private const int ResourceFiles = 7;
    private const int UsageSize = 144;

    public static long Exit(LinuxProcess process, in CallArguments call)
    {
        process.End = new ProgramEnd.Exited((byte)call.A0);
        return 0;
    }

    public static long ArchPrctl(LinuxProcess process, in CallArguments call)
    {
        switch (call.A0)
        {
            case SetFs or SetGs when call.A1 >= AddressSpace.End:
                return -Errno.NotPermitted;
            case SetFs:
                process.Cpu->Fs.Base = call.A1;
                return 0;
            case SetGs:
                process.Cpu->Gs.Base = call.A1;
                return 0;
            case GetFs:
                return process.Write64(call.A1, process.Cpu->Fs.Base);
            case GetGs:
                return process.Write64(call.A1, process.Cpu->Gs.Base);
            default:
                return -Errno.Invalid;
        }
    }

    public static long Nothing(LinuxProcess process, in CallArguments call) => 0;

    public static long Getpid(LinuxProcess process, in CallArguments call) => LinuxProcess.Id;

    public static long Getppid(LinuxProcess process, in CallArguments call) => 1;

    public static long Getuid(LinuxProcess process, in CallArguments call) => process.Options.Owner.User;

    public static long Getgid(LinuxProcess process, in CallArguments call) => process.Options.Owner.Group;

    public static long Uname(LinuxProcess process, in CallArguments call)
    {
        byte[] names = new byte[6 * NameSize];
        string[] fields = ["Linux", Environment.MachineName, "6.1.0", "#1 PvPatch", "x86_64", "(none)"];
        for (int i = 0; i < fields.Length; i++)
        {
            byte[] text = Encoding.UTF8.GetBytes(fields[i]);
            text.AsSpan(0, Math.Min(text.Length, NameSize - 1)).CopyTo(names.AsSpan(i * NameSize));
        }

        return process.Write(call.A0, names);
    }

    public static long Getrandom(LinuxProcess process, in CallArguments call)
    {
        int size = (int)Math.Min(call.A1, MostRandom);
        return process.Write(call.A0, RandomNumberGenerator.GetBytes(size)) is < 0 and long error ? error : size;
    }

    public static long Getrlimit(LinuxProcess process, in CallArguments call) =>
        call.A0 < ResourceCount ? WriteLimit(process, call.A0, call.A1) : -Errno.Invalid;

    /// <summary>prlimit64(2): limits can be asked for; new ones are taken without effect, as long as they raise nothing.</summary>
    public static long Prlimit(LinuxProcess process, in CallArguments call)
    {
        if ((int)call.A0 is not (0 or LinuxProcess.Id))
            return -Errno.NoProcess;
        if (call.A1 >= ResourceCount)
            return -Errno.Invalid;
        if (call.A2 != 0 && (!process.TryRead64(call.A2, out _) || !process.TryRead64(call.A2 + 8, out _)))
            return -Errno.BadAddress;
        return call.A3 == 0 ? 0 : WriteLimit(process, call.A1, call.A3);
    }

    public static long Getrusage(LinuxProcess process, in CallArguments call)
    {
        byte[] usage = new byte[UsageSize];
        ulong microseconds = (ulong)Environment.CpuUsage.TotalTime.TotalMicroseconds;
        BinaryPrimitives.WriteUInt64LittleEndian(usage, microseconds / 1_000_000);
        BinaryPrimitives.WriteUInt64LittleEndian(usage.AsSpan(8), microseconds % 1_000_000);
        BinaryPrimitives.WriteUInt64LittleEndian(usage.AsSpan(32), process.Space.Populated * AddressSpace.PageSize / 1024);
        return process.Write(call.A1, usage);
    }

    public static long SchedGetaffinity(LinuxProcess process, in CallArguments call)
    {
        if (call.A1 < 8)
            return -Errno.Invalid;
        return process.Write64(call.A2, 1) is < 0 and long error ? error : 8;
    }

    public static long Sigaction(LinuxProcess process, in CallArguments call)
    {
        const int Stop = 19;
        if (call.A0 is 0 or > SignalActions.Last || call.A3 != 8)
            return -Errno.Invalid;
        int signal = (int)call.A0;
        Span<byte> wanted = stackalloc byte[SignalActions.ActionSize];
        if (call.A1 != 0 && !process.TryRead(call.A1, wanted))
            return -Errno.BadAddress;
        if (call.A1 != 0 && signal is (int)Signal.Kill or Stop)
            return -Errno.Invalid;
        if (call.A2 != 0 && process.Write(call.A2, process.Signals[signal]) is < 0 and long error)
            return error;
        if (call.A1 != 0)
            wanted.CopyTo(process.Signals[signal]);
        return 0;
    }

    public static long Sigprocmask(LinuxProcess process, in CallArguments call)
    {
        if (call.A3 != 8)
            return -Errno.Invalid;
        ulong before = process.Signals.Blocked;
        ulong wanted = 0;
        if (call.A1 != 0 && !process.TryRead64(call.A1, out wanted))
            return -Errno.BadAddress;
        if (call.A1 != 0 && call.A0 > 2)
            return -Errno.Invalid;
        if (call.A2 != 0 && process.Write64(call.A2, before) is < 0 and long error)
            return error;
        if (call.A1 != 0)
        {
            process.Signals.Blocked = call.A0 switch
            {
                0 => before | wanted,
                1 => before & ~wanted,
                _ => wanted,
            };
        }

        return 0;
    }

    public static long Sigaltstack(LinuxProcess process, in CallArguments call)
    {
        const int Disabled = 2;
        Span<byte> none = stackalloc byte[24];
        none.Clear();
        none[8] = Disabled;
        return call.A1 == 0 ? 0 : process.Write(call.A1, none);
    }

    public static long Kill(LinuxProcess process, in CallArguments call) => SendSignal(process, (int)call.A0, call.A1);

    public static long Tkill(LinuxProcess process, in CallArguments call) => SendSignal(process, (int)call.A0, call.A1);

    public static long Tgkill(LinuxProcess process, in CallArguments call) =>
        (int)call.A0 == LinuxProcess.Id ? SendSignal(process, (int)call.A1, call.A2) : -Errno.NoProcess;

    /// <summary>A signal to itself does what it does by default; functions of the program are not called for signals.</summary>
    private static long SendSignal(LinuxProcess process, int target, ulong number)
    {
        if (number > SignalActions.Last)
            return -Errno.Invalid;
        if (target is not (0 or LinuxProcess.Id))
            return -Errno.NoProcess;
        var signal = (Signal)number;
        if (process.Signals.IsQuiet(signal))
            return 0;
        if (process.Signals.HasHandler(signal))
        {
            process.Options.Note($"Signal {number} is not delivered: its handler would have to be called, which is not there.");
            return -Errno.NotImplemented;
        }

        process.End = new ProgramEnd.Signalled(signal);
        return 0;
    }

    private static long WriteLimit(LinuxProcess process, ulong resource, ulong address)
    {
        ulong limit = resource switch
        {
            ResourceStack => AddressSpace.StackSize,
            ResourceFiles => FileTable.MostDescriptors,
            _ => ulong.MaxValue,
        };
        Span<byte> both = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(both, limit);
        BinaryPrimitives.WriteUInt64LittleEndian(both[8..], limit);
        return process.Write(address, both);
    }
}
