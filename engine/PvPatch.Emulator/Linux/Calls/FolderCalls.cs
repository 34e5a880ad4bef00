using System.Text;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>Names in folders, and what changes files: unlink, rename, mkdir, chmod, readlink, access, chdir (the man pages of section 2).</summary>
internal static class FolderCalls
{
    private const int RemoveFolder = 0x200;
    private const int MayExecute = 1;
    private const int MayWrite = 2;

    public static long Getcwd(LinuxProcess process, in CallArguments call)
    {
        byte[] path = Encoding.UTF8.GetBytes(process.Files.Folder + "\0");
        if ((ulong)path.Length > call.A1)
            return -Errno.OutOfRange;
        return process.Write(call.A0, path) is < 0 and long error ? error : path.Length;
    }

    public static long Chdir(LinuxProcess process, in CallArguments call)
    {
        if (process.ReadHostPath(FileTable.WorkingFolder, call.A0, out int error) is not { } path)
            return -error;
        if (!Directory.Exists(path))
            return File.Exists(path) ? -Errno.NotDirectory : -Errno.NoEntry;
        process.Files.Folder = Path.GetFullPath(path);
        return 0;
    }

    public static long Readlink(LinuxProcess process, in CallArguments call) =>
        ReadLink(process, FileTable.WorkingFolder, call.A0, call.A1, call.A2);

    public static long Readlinkat(LinuxProcess process, in CallArguments call) =>
        ReadLink(process, call.Descriptor, call.A1, call.A2, call.A3);

    public static long Access(LinuxProcess process, in CallArguments call) =>
        Check(process, FileTable.WorkingFolder, call.A0, (int)call.A1);

    public static long Faccessat(LinuxProcess process, in CallArguments call) =>
        Check(process, call.Descriptor, call.A1, (int)call.A2);

    public static long Unlink(LinuxProcess process, in CallArguments call) =>
        Remove(process, FileTable.WorkingFolder, call.A0, folder: false);

    public static long Rmdir(LinuxProcess process, in CallArguments call) =>
        Remove(process, FileTable.WorkingFolder, call.A0, folder: true);

    public static long Unlinkat(LinuxProcess process, in CallArguments call) =>
        Remove(process, call.Descriptor, call.A1, (call.A2 & RemoveFolder) != 0);

    public static long Mkdir(LinuxProcess process, in CallArguments call) =>
        MakeFolder(process, FileTable.WorkingFolder, call.A0, (int)call.A1);

    public static long Mkdirat(LinuxProcess process, in CallArguments call) =>
        MakeFolder(process, call.Descriptor, call.A1, (int)call.A2);

    public static long Rename(LinuxProcess process, in CallArguments call) =>
        Move(process, FileTable.WorkingFolder, call.A0, FileTable.WorkingFolder, call.A1);

    public static long Renameat(LinuxProcess process, in CallArguments call) =>
        Move(process, call.Descriptor, call.A1, (int)call.A2, call.A3);

    public static long Ftruncate(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        long length = (long)call.A1;
        return LinuxProcess.Try(() =>
        {
            file.SetLength(length);
            return 0;
        });
    }

    public static long Fsync(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        return LinuxProcess.Try(() =>
        {
            file.Flush();
            return 0;
        });
    }

    public static long Truncate(LinuxProcess process, in CallArguments call)
    {
        if (process.ReadHostPath(FileTable.WorkingFolder, call.A0, out int error) is not { } path)
            return -error;
        long length = (long)call.A1;
        return LinuxProcess.Try(() =>
        {
            using HostFile file = HostFile.Open(path, OpenFlags.WriteOnly, 0);
            file.SetLength(length);
            return 0;
        });
    }

    public static long Fchdir(LinuxProcess process, in CallArguments call)
    {
        if (process.Files[call.Descriptor] is not { } file)
            return -Errno.BadFile;
        if (file is not HostFolder folder)
            return -Errno.NotDirectory;
        process.Files.Folder = folder.Path;
        return 0;
    }

    public static long Chmod(LinuxProcess process, in CallArguments call) => ChangeMode(process, FileTable.WorkingFolder, call.A0, call.A1);

    public static long Fchmodat(LinuxProcess process, in CallArguments call) => ChangeMode(process, call.Descriptor, call.A1, call.A2);

    public static long Fchmod(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is { } file ? ChangeMode(file.Path, call.A1) : -Errno.BadFile;

    public static long Symlink(LinuxProcess process, in CallArguments call) => MakeLink(process, call.A0, FileTable.WorkingFolder, call.A1);

    public static long Symlinkat(LinuxProcess process, in CallArguments call) => MakeLink(process, call.A0, (int)call.A1, call.A2);

    public static long Link(LinuxProcess process, in CallArguments call) =>
        MakeHardLink(process, FileTable.WorkingFolder, call.A0, FileTable.WorkingFolder, call.A1);

    public static long Linkat(LinuxProcess process, in CallArguments call) =>
        MakeHardLink(process, call.Descriptor, call.A1, (int)call.A2, call.A3);

    public static long Statfs(LinuxProcess process, in CallArguments call) =>
        process.ReadHostPath(FileTable.WorkingFolder, call.A0, out int error) is { } path ? WriteStatfs(process, path, call.A1) : -error;

    public static long Fstatfs(LinuxProcess process, in CallArguments call) =>
        process.Files[call.Descriptor] is not { } file ? -Errno.BadFile
        : file.Path.Length == 0 ? -Errno.NotImplemented
        : WriteStatfs(process, file.Path, call.A1);

    /// <summary>utimensat(2) with a path, or with a descriptor alone.</summary>
    public static long Utimensat(LinuxProcess process, in CallArguments call)
    {
        const ulong Now = 0x3fff_ffff;
        const ulong Omit = 0x3fff_fffe;
        int error = 0;
        string? path = call.A1 == 0 ? process.Files[call.Descriptor]?.Path : process.ReadHostPath(call.Descriptor, call.A1, out error);
        if (path is null)
            return call.A1 == 0 ? -Errno.BadFile : -error;
        if (!Path.Exists(path))
            return -Errno.NoEntry;
        DateTime?[] times = [DateTime.UtcNow, DateTime.UtcNow];
        for (int i = 0; i < times.Length && call.A2 != 0; i++)
        {
            ulong place = call.A2 + (ulong)(16 * i);
            if (!process.TryRead64(place, out ulong seconds) || !process.TryRead64(place + 8, out ulong nanoseconds))
                return -Errno.BadAddress;
            if (nanoseconds is >= 1_000_000_000 and not (Now or Omit) || seconds > uint.MaxValue)
                return -Errno.Invalid;
            if (nanoseconds == Omit)
                times[i] = null;
            else if (nanoseconds != Now)
                times[i] = DateTime.UnixEpoch.AddSeconds(seconds).AddTicks((long)nanoseconds / 100);
        }

        return LinuxProcess.Try(() =>
        {
            if (times[0] is { } accessed)
                File.SetLastAccessTimeUtc(path, accessed);
            if (times[1] is { } written)
                File.SetLastWriteTimeUtc(path, written);
            return 0;
        });
    }

    public static long Umask(LinuxProcess process, in CallArguments call)
    {
        int before = process.FileModeMask;
        process.FileModeMask = (int)call.A0 & 0x1ff;
        return before;
    }

    private static long ChangeMode(LinuxProcess process, int folder, ulong address, ulong mode) =>
        process.ReadHostPath(folder, address, out int error) is { } path ? ChangeMode(path, mode) : -error;

    private static long ChangeMode(string path, ulong mode)
    {
        if (!Path.Exists(path))
            return path.Length == 0 ? -Errno.Invalid : -Errno.NoEntry;
        return LinuxProcess.Try(() =>
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, (UnixFileMode)(mode & 0xfff));
            return 0;
        });
    }

    private static long MakeHardLink(LinuxProcess process, int fromFolder, ulong from, int toFolder, ulong to)
    {
        if (process.ReadHostPath(fromFolder, from, out int error) is not { } existing || process.ReadHostPath(toFolder, to, out error) is not { } created)
            return -error;
        return HostCalls.Link(existing, created);
    }

    private static long WriteStatfs(LinuxProcess process, string path, ulong address)
    {
        Span<byte> status = stackalloc byte[HostCalls.StatfsSize];
        return HostCalls.Statfs(path, status) is < 0 and long error ? error : process.Write(address, status);
    }

    private static long MakeLink(LinuxProcess process, ulong content, int folder, ulong address)
    {
        if (process.ReadPath(content, out int error) is not { } target || process.ReadHostPath(folder, address, out error) is not { } path)
            return -error;
        if (target.Length == 0)
            return -Errno.NoEntry;
        if (FileStatus.Of(path, followLinks: false, out _) is not null)
            return -Errno.Exists;
        return LinuxProcess.Try(() =>
        {
            File.CreateSymbolicLink(path, target);
            return 0;
        });
    }

    private static long ReadLink(LinuxProcess process, int folder, ulong address, ulong target, ulong size)
    {
        if (process.ReadPath(address, out int error) is not { } given || process.ReadHostPath(folder, address, out error) is not { } path)
            return -error;
        if (size == 0)
            return -Errno.Invalid;
        byte[] text = [];
        if (given == LinuxProcess.OwnProgram)
        {
            text = Encoding.UTF8.GetBytes(process.Path);
        }
        else
        {
            long result = LinuxProcess.Try(() =>
            {
                if (new FileInfo(path).LinkTarget is not { } link)
                    return Path.Exists(path) ? -Errno.Invalid : -Errno.NoEntry;
                text = Encoding.UTF8.GetBytes(link);
                return 0;
            });
            if (result != 0)
                return result;
        }

        int count = (int)Math.Min((ulong)text.Length, size);
        return process.Write(target, text.AsSpan(0, count)) is < 0 and long failure ? failure : count;
    }

    private static long Check(LinuxProcess process, int folder, ulong address, int wanted)
    {
        if (process.ReadHostPath(folder, address, out int error) is not { } path)
            return -error;
        if (FileStatus.Of(path, followLinks: true, out error) is not { } status)
            return -error;
        const int AnyExecute = 0x49;
        const int AnyWrite = 0x92;
        bool refused = ((wanted & MayExecute) != 0 && (status.Mode & AnyExecute) == 0) ||
            ((wanted & MayWrite) != 0 && (status.Mode & AnyWrite) == 0);
        return refused ? -Errno.AccessDenied : 0;
    }

    private static long Remove(LinuxProcess process, int from, ulong address, bool folder)
    {
        if (process.ReadHostPath(from, address, out int error) is not { } path)
            return -error;
        if (FileStatus.Of(path, followLinks: false, out error) is not { } status)
            return -error;
        bool isFolder = (status.Mode & 0xf000) == FileStatus.Directory;
        if (isFolder != folder)
            return folder ? -Errno.NotDirectory : -Errno.IsDirectory;
        return LinuxProcess.Try(() =>
        {
            if (folder)
            {
                if (Directory.EnumerateFileSystemEntries(path).Any())
                    return -Errno.NotEmpty;
                Directory.Delete(path);
            }
            else
            {
                File.Delete(path);
            }

            return 0;
        });
    }

    private static long MakeFolder(LinuxProcess process, int from, ulong address, int mode)
    {
        if (process.ReadHostPath(from, address, out int error) is not { } path)
            return -error;
        if (Path.Exists(path))
            return -Errno.Exists;
        if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))) is { } parent && !Directory.Exists(parent))
            return File.Exists(parent) ? -Errno.NotDirectory : -Errno.NoEntry;
        return LinuxProcess.Try(() =>
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(path);
            else
                Directory.CreateDirectory(path, (UnixFileMode)(mode & ~process.FileModeMask & 0xfff));
            return 0;
        });
    }

    private static long Move(LinuxProcess process, int fromFolder, ulong from, int toFolder, ulong to)
    {
        if (process.ReadHostPath(fromFolder, from, out int error) is not { } source || process.ReadHostPath(toFolder, to, out error) is not { } target)
            return -error;
        return LinuxProcess.Try(() =>
        {
            if (Directory.Exists(source))
                Directory.Move(source, target);
            else
                File.Move(source, target, overwrite: true);
            return 0;
        });
    }
}
