using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>Descriptors: open, close, dup, fcntl, ioctl, and what is told of a file (open(2), stat(2), statx(2), getdents(2)).</summary>
internal static class FileCalls
{
    private const int DuplicateFrom = 0;
    private const int GetDescriptorFlags = 1;
    private const int SetDescriptorFlags = 2;
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int DuplicateCloseOnExec = 1030;
    private const int ChangeableFlags = OpenFlags.Append | OpenFlags.NonBlocking;
    private const ulong GetTerminal = 0x5401;
    private const ulong GetWindowSize = 0x5413;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const int MostEntryBytes = 1 << 16;

    public static long Open(LinuxProcess process, in CallArguments call) =>
        OpenPath(process, FileTable.WorkingFolder, call.A0, (int)call.A1, (int)call.A2);

    public static long Openat(LinuxProcess process, in CallArguments call) =>
        OpenPath(process, call.Descriptor, call.A1, (int)call.A2, (int)call.A3);

    public static long Creat(LinuxProcess process, in CallArguments call) =>
        OpenPath(process, FileTable.WorkingFolder, call.A0, OpenFlags.Create | OpenFlags.Truncate | OpenFlags.WriteOnly, (int)call.A1);

    public static long Close(LinuxProcess process, in CallArguments call) =>
        process.Files.Close(call.Descriptor) ? 0 : -Errno.BadFile;

    public static long Dup(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is { } file ? process.Files.Add(file) : -Errno.BadFile;

    public static long Dup2(LinuxProcess process, in CallArguments call) =>
        call.Descriptor == (int)call.A1 && process.Files[call.Descriptor] != null ? call.Descriptor : Replace(process, call, closeOnExec: false);

    public static long Dup3(LinuxProcess process, in CallArguments call) =>
        call.Descriptor == (int)call.A1 ? -Errno.Invalid : Replace(process, call, (call.A2 & OpenFlags.CloseOnExec) != 0);

    public static long Pipe(LinuxProcess process, in CallArguments call) => MakePipe(process, call.A0, 0);

    public static long Pipe2(LinuxProcess process, in CallArguments call) =>
        ((int)call.A1 & ~(OpenFlags.CloseOnExec | OpenFlags.NonBlocking)) == 0 ? MakePipe(process, call.A0, (int)call.A1) : -Errno.Invalid;

    public static long Fcntl(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        switch (call.A1)
        {
            case DuplicateFrom or DuplicateCloseOnExec:
                return call.A2 < FileTable.MostDescriptors
                    ? process.Files.Add(file, call.A1 == DuplicateCloseOnExec, (long)call.A2)
                    : -Errno.Invalid;
            case GetDescriptorFlags:
                return process.Files.ClosesOnExec(call.Descriptor) ? 1 : 0;
            case SetDescriptorFlags:
                process.Files.SetCloseOnExec(call.Descriptor, (call.A2 & 1) != 0);
                return 0;
            case GetFlags:
                return file.Flags & ~(OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.Truncate | OpenFlags.CloseOnExec);
            case SetFlags:
                file.Flags = (file.Flags & ~ChangeableFlags) | ((int)call.A2 & ChangeableFlags);
                return 0;
            default:
                return -Errno.Invalid;
        }
    }

    public static long Ioctl(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        if (!file.IsTerminal)
            return -Errno.NotTerminal;
        switch (call.A1)
        {
            case GetTerminal:
                return process.Write(call.A2, TerminalSettings());
            case GetWindowSize:
                byte[] size = new byte[8];
                BinaryPrimitives.WriteUInt16LittleEndian(size, process.Options.TerminalSize.Rows);
                BinaryPrimitives.WriteUInt16LittleEndian(size.AsSpan(2), process.Options.TerminalSize.Columns);
                return process.Write(call.A2, size);
            default:
                return -Errno.NotTerminal;
        }
    }

    public static long Stat(LinuxProcess process, in CallArguments call) => WriteStat(process, call.A1, OfPath(process, call.A0, followLinks: true, out int error), error);

    public static long Lstat(LinuxProcess process, in CallArguments call) => WriteStat(process, call.A1, OfPath(process, call.A0, followLinks: false, out int error), error);

    public static long Fstat(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        FileStatus? status = file.Status(out int error);
        return WriteStat(process, call.A1, status, error);
    }

    public static long Newfstatat(LinuxProcess process, in CallArguments call) =>
        WriteStat(process, call.A2, OfPathAt(process, call.Descriptor, call.A1, (int)call.A3, out int error), error);

    public static long Statx(LinuxProcess process, in CallArguments call)
    {
        FileStatus? status = OfPathAt(process, call.Descriptor, call.A1, (int)call.A2, out int error);
        return status is null ? -error : process.Write(call.A4, status.Statx);
    }

    public static long Getdents(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        if (file is not HostFolder folder)
            return -Errno.NotDirectory;
        byte[] entries = new byte[Math.Min(call.A2, MostEntryBytes)];
        if (!process.Space.TryReach(call.A1, (ulong)entries.Length, Spaces.Protection.Write))
            return -Errno.BadAddress;
        long used = LinuxProcess.Try(() => folder.ReadEntries(entries));
        return used > 0 && process.Write(call.A1, entries.AsSpan(0, (int)used)) is < 0 and long failure ? failure : used;
    }

    private static long MakePipe(LinuxProcess process, ulong place, int flags)
    {
        bool closeOnExec = (flags & OpenFlags.CloseOnExec) != 0;
        (OpenFile reader, OpenFile writer) = Files.Pipe.Open(flags & OpenFlags.NonBlocking);
        int first = process.Files.Add(reader, closeOnExec);
        int second = process.Files.Add(writer, closeOnExec);
        long result = first < 0 ? first : second < 0 ? second : process.Write64(place, (uint)first | ((ulong)(uint)second << 32));
        if (result < 0)
        {
            process.Files.Close(first);
            process.Files.Close(second);
        }

        return result;
    }

    private static long OpenPath(LinuxProcess process, int folder, ulong address, int flags, int mode)
    {
        if (process.ReadHostPath(folder, address, out int error) is not { } path)
            return -error;
        return LinuxProcess.Try(() =>
        {
            bool creates = (flags & (OpenFlags.Create | OpenFlags.Exclusive)) == (OpenFlags.Create | OpenFlags.Exclusive);
            if ((flags & OpenFlags.NoFollow) != 0 && new FileInfo(path).LinkTarget != null)
                return -Errno.TooManyLinks;
            OpenFile opened;
            if (Directory.Exists(path))
            {
                if (creates)
                    return -Errno.Exists;
                if ((flags & OpenFlags.AccessMask) != 0)
                    return -Errno.IsDirectory;
                opened = new HostFolder(Path.GetFullPath(path), flags);
            }
            else if ((flags & OpenFlags.Directory) != 0 || Path.EndsInDirectorySeparator(path))
            {
                return File.Exists(path) ? -Errno.NotDirectory : -Errno.NoEntry;
            }
            else
            {
                opened = HostFile.Open(path, flags, mode & ~process.FileModeMask);
            }

            return process.Files.Add(opened, (flags & OpenFlags.CloseOnExec) != 0);
        });
    }

    private static long Replace(LinuxProcess process, in CallArguments call, bool closeOnExec)
    {
        int target = (int)call.A1;
        if (process.Files[call.Descriptor] is not { } file || target is < 0 or >= FileTable.MostDescriptors)
            return -Errno.BadFile;
        process.Files.Replace(target, file, closeOnExec);
        return target;
    }

    private static FileStatus? OfPath(LinuxProcess process, ulong address, bool followLinks, out int error) =>
        process.ReadHostPath(FileTable.WorkingFolder, address, out error) is { } path ? FileStatus.Of(path, followLinks, out error) : null;

    private static FileStatus? OfPathAt(LinuxProcess process, int folder, ulong address, int flags, out int error)
    {
        if ((flags & EmptyPath) == 0)
            return process.ReadHostPath(folder, address, out error) is { } path ? FileStatus.Of(path, (flags & NoFollow) == 0, out error) : null;
        if (process.ReadPath(address, out error) is not { } text)
            return null;
        if (text.Length > 0)
            return process.Files.Resolve(folder, text, out error) is { } found ? FileStatus.Of(found, (flags & NoFollow) == 0, out error) : null;
        if (folder == FileTable.WorkingFolder)
            return FileStatus.Of(process.Files.Folder, followLinks: true, out error);
        error = Errno.BadFile;
        return process.Files[folder]?.Status(out error);
    }

    private static long WriteStat(LinuxProcess process, ulong address, FileStatus? status, int error) =>
        status is null ? -error : process.Write(address, status.ToStat());

    /// <summary>A terminal in line mode with echo, as Linux starts one (<c>struct termios</c>, asm-generic/termbits.h).</summary>
    private static byte[] TerminalSettings()
    {
        const uint Input = 0x4500;        // ICRNL, IXON, IUTF8
        const uint Output = 5;            // OPOST, ONLCR
        const uint Control = 0xbf;        // B38400, CS8, CREAD
        const uint Local = 0x8a3b;        // ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, IEXTEN
        byte[] settings = new byte[36];
        BinaryPrimitives.WriteUInt32LittleEndian(settings, Input);
        BinaryPrimitives.WriteUInt32LittleEndian(settings.AsSpan(4), Output);
        BinaryPrimitives.WriteUInt32LittleEndian(settings.AsSpan(8), Control);
        BinaryPrimitives.WriteUInt32LittleEndian(settings.AsSpan(12), Local);
        ReadOnlySpan<byte> keys = [3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0xf, 0x17, 0x16];
        keys.CopyTo(settings.AsSpan(17));
        return settings;
    }
}
