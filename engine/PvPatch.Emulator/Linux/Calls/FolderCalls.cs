using System.Text;
using PvPatch.Emulator.Linux.Files;

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

    public static long Umask(LinuxProcess process, in CallArguments call)
    {
        int before = process.FileModeMask;
        process.FileModeMask = (int)call.A0 & 0x1ff;
        return before;
    }

    private static long ReadLink(LinuxProcess process, int folder, ulong address, ulong target, ulong size)
    {
        if (process.ReadHostPath(folder, address, out int error) is not { } path)
            return -error;
        if (size == 0)
            return -Errno.Invalid;
        byte[] text = [];
        if (path == "/proc/self/exe")
        {
            text = Encoding.UTF8.GetBytes(Path.GetFullPath(process.Options.Path));
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
