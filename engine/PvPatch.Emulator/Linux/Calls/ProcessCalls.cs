using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Linux.Tasks;

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

    /// <summary>Bytes of <c>struct rusage</c>.</summary>
    public const int UsageSize = 144;

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

    public static long Getpid(LinuxProcess process, in CallArguments call) => process.Id;

    public static long Getppid(LinuxProcess process, in CallArguments call) => process.Parent?.Id ?? 1;

    public static long Getpgrp(LinuxProcess process, in CallArguments call) => process.Group;

    public static long Getpgid(LinuxProcess process, in CallArguments call) => Meant(process, call.A0) is { } found ? found.Group : -Errno.NoProcess;

    public static long Getsid(LinuxProcess process, in CallArguments call) => Meant(process, call.A0) is { } found ? found.Session : -Errno.NoProcess;

    public static long Setpgid(LinuxProcess process, in CallArguments call)
    {
        if (Meant(process, call.A0) is not { } found)
            return -Errno.NoProcess;
        if ((int)call.A1 < 0)
            return -Errno.Invalid;
        found.Group = call.A1 == 0 ? found.Id : (int)call.A1;
        return 0;
    }

    public static long Setsid(LinuxProcess process, in CallArguments call)
    {
        if (process.Group == process.Id)
            return -Errno.NotPermitted;
        return process.Session = process.Group = process.Id;
    }

    /// <summary>getgroups(2): none but the group that getgid(2) tells.</summary>
    public static long Getgroups(LinuxProcess process, in CallArguments call)
    {
        if (call.A0 == 0)
            return 1;
        return process.Write32(call.A1, (int)process.Options.Owner.Group) is < 0 and long error ? error : 1;
    }

    /// <summary>prctl(2): the name; what else there is, is not.</summary>
    public static long Prctl(LinuxProcess process, in CallArguments call)
    {
        const int SetName = 15;
        const int GetName = 16;
        const int NameBytes = 16;
        Span<byte> name = stackalloc byte[NameBytes];
        name.Clear();
        switch (call.A0)
        {
            case SetName:
                if (process.ReadText(call.A1, NameBytes, out int error) is { } text)
                    process.Name = Encoding.UTF8.GetBytes(text);
                return error is 0 or Errno.NameTooLong ? 0 : -error;
            case GetName:
                process.Name.AsSpan(0, Math.Min(process.Name.Length, NameBytes - 1)).CopyTo(name);
                return process.Write(call.A1, name);
            default:
                return -Errno.Invalid;
        }
    }

    /// <summary>sysinfo(2): the run's memory and number of processes.</summary>
    public static long Sysinfo(LinuxProcess process, in CallArguments call)
    {
        Span<byte> info = stackalloc byte[112];
        info.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(info, TimeCalls.Monotonic() / 1_000_000_000);
        BinaryPrimitives.WriteUInt64LittleEndian(info[32..], process.Options.MemorySize);
        BinaryPrimitives.WriteUInt64LittleEndian(info[40..], process.System.FreeBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(info[80..], (ushort)process.System.Processes.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(info[104..], 1);
        return process.Write(call.A0, info);
    }

    /// <summary>getpriority(2): the normal one, in the kernel's form, 20 less the niceness.</summary>
    public static long Getpriority(LinuxProcess process, in CallArguments call) => call.A0 > 2 ? -Errno.Invalid : 20;

    /// <summary>setpriority(2): it may only fall, and all run alike.</summary>
    public static long Setpriority(LinuxProcess process, in CallArguments call) =>
        call.A0 > 2 ? -Errno.Invalid : (int)call.A2 < 0 ? -Errno.AccessDenied : 0;

    /// <summary>getcpu(2): there is one.</summary>
    public static long Getcpu(LinuxProcess process, in CallArguments call)
    {
        if (call.A0 != 0 && process.Write32(call.A0, 0) is < 0 and long error)
            return error;
        return call.A1 == 0 ? 0 : process.Write32(call.A1, 0);
    }
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
        byte[] bytes = new byte[Math.Min(call.A1, MostRandom)];
        if (!HostCalls.TryGetRandom(bytes))
            RandomNumberGenerator.Fill(bytes);
        return process.Write(call.A0, bytes) is < 0 and long error ? error : bytes.Length;
    }

    public static long Getrlimit(LinuxProcess process, in CallArguments call) =>
        call.A0 < ResourceCount ? WriteLimit(process, call.A0, call.A1) : -Errno.Invalid;

    /// <summary>prlimit64(2): limits can be asked for; new ones are taken without effect, as long as they raise nothing.</summary>
    public static long Prlimit(LinuxProcess process, in CallArguments call)
    {
        if (Meant(process, call.A0) is null)
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

    /// <summary>The process of a number; 0 is the calling one.</summary>
    private static LinuxProcess? Meant(LinuxProcess process, ulong id) => id == 0 ? process : process.System.Find((int)id);

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
