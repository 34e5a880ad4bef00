using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace PvPatch.Emulator.Linux.Files;

/// <summary>
/// What is known of a file, in the form of statx(2), which is the same on every architecture; and as the older
/// <c>struct stat</c> of x86-64.
/// </summary>
internal sealed unsafe partial class FileStatus
{
    /// <summary>Bytes of <c>struct statx</c>.</summary>
    public const int Size = 256;

    /// <summary>Bytes of <c>struct stat</c>.</summary>
    public const int StatSize = 144;

    /// <summary>The mode's type of a directory.</summary>
    public const int Directory = 0x4000;

    /// <summary>The mode's type of a character device.</summary>
    public const int CharacterDevice = 0x2000;

    /// <summary>The mode's type of a pipe.</summary>
    public const int Pipe = 0x1000;

    private const int RegularFile = 0x8000;
    private const int SymbolicLink = 0xa000;
    private const int BasicFields = 0x7ff;
    private const int BlockSize = 4096;
    private const int AtCurrentFolder = -100;
    private const int AtNoFollow = 0x100;
    private const int ModeOffset = 28;
    private const int InodeOffset = 32;
    private const int SizeOffset = 40;

    private readonly byte[] _statx = new byte[Size];

    private FileStatus()
    {
    }

    /// <summary>The status as <c>struct statx</c>.</summary>
    public ReadOnlySpan<byte> Statx => _statx;

    /// <summary>Type and permissions.</summary>
    public int Mode => BinaryPrimitives.ReadUInt16LittleEndian(_statx.AsSpan(ModeOffset));

    /// <summary>It is neither a folder nor a device nor a pipe.</summary>
    public bool IsRegularFile => (Mode & 0xf000) == RegularFile;

    /// <summary>The inode's number.</summary>
    public ulong Inode => BinaryPrimitives.ReadUInt64LittleEndian(_statx.AsSpan(InodeOffset));

    /// <summary>The status of what a path leads to; a positive error in <paramref name="error"/> if there is none.</summary>
    public static FileStatus? Of(string path, bool followLinks, out int error)
    {
        error = 0;
        if (OperatingSystem.IsLinux())
        {
            var status = new FileStatus();
            fixed (byte* buffer = status._statx)
            {
                // SAFETY: the buffer has the 256 bytes that the call fills.
                if (HostStatx(AtCurrentFolder, path, followLinks ? 0 : AtNoFollow, BasicFields, buffer) == 0)
                    return status;
            }

            error = Marshal.GetLastPInvokeError();
            return null;
        }

        return OfPortable(path, followLinks, out error);
    }

    /// <summary>The status of something that is no file of the host: a terminal, a pipe.</summary>
    public static FileStatus OfStream(int mode, ulong inode)
    {
        var status = new FileStatus();
        status.Fill(mode, inode, 0, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        return status;
    }

    /// <summary>The status as <c>struct stat</c> of x86-64 (Linux, arch/x86/include/uapi/asm/stat.h).</summary>
    public byte[] ToStat()
    {
        byte[] stat = new byte[StatSize];
        Put64(stat, 0, Device(136));
        Copy(stat, 8, InodeOffset, 8);
        Copy(stat, 16, 16, 4);
        Copy(stat, 24, ModeOffset, 2);
        Copy(stat, 28, 20, 8);
        Put64(stat, 40, Device(128));
        Copy(stat, 48, SizeOffset, 8);
        Copy(stat, 56, 4, 4);
        Copy(stat, 64, 48, 8);
        Copy(stat, 72, 64, 12);
        Copy(stat, 88, 112, 12);
        Copy(stat, 104, 96, 12);
        return stat;
    }

    /// <summary>What .NET knows of a file on any system: no owner, one link, an inode number made of its path.</summary>
    private static FileStatus? OfPortable(string path, bool followLinks, out int error)
    {
        error = 0;
        try
        {
            FileSystemInfo info = System.IO.Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            if (followLinks && info.LinkTarget != null && info.ResolveLinkTarget(returnFinalTarget: true) is { } target)
                info = target;
            if (!info.Exists && info.LinkTarget == null)
            {
                error = Errno.NoEntry;
                return null;
            }

            int type = info.LinkTarget != null ? SymbolicLink : info is DirectoryInfo ? Directory : RegularFile;
            int rights = OperatingSystem.IsWindows() ? WindowsRights(info) : (int)info.UnixFileMode;
            long size = info is FileInfo { Exists: true } file ? file.Length : 0;
            var status = new FileStatus();
            status.Fill(type | rights, InodeOf(info.FullName), size, new DateTimeOffset(info.LastAccessTimeUtc), new DateTimeOffset(info.LastWriteTimeUtc));
            return status;
        }
        catch (Exception failure) when (Errno.Knows(failure))
        {
            error = Errno.Of(failure);
            return null;
        }
    }

    private static int WindowsRights(FileSystemInfo info)
    {
        const int Readable = 0x124;
        const int Writable = 0x92;
        const int Executable = 0x49;
        int rights = Readable | (!info.Attributes.HasFlag(FileAttributes.ReadOnly) ? Writable : 0);
        return rights | (info is DirectoryInfo || info.Extension.Equals(".exe", StringComparison.OrdinalIgnoreCase) ? Executable : 0);
    }

    /// <summary>FNV-1a over the path.</summary>
    private static ulong InodeOf(string path)
    {
        ulong hash = 0xcbf2_9ce4_8422_2325;
        foreach (char letter in path)
            hash = (hash ^ letter) * 0x100_0000_01b3;
        return hash | 1;
    }

    private void Fill(int mode, ulong inode, long size, DateTimeOffset accessed, DateTimeOffset written)
    {
        Put32(0, BasicFields);
        Put32(4, BlockSize);
        Put32(16, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(_statx.AsSpan(ModeOffset), (ushort)mode);
        Put64(_statx, InodeOffset, inode);
        Put64(_statx, SizeOffset, (ulong)size);
        Put64(_statx, 48, ((ulong)size + 511) / 512);
        PutTime(64, accessed);
        PutTime(96, written);
        PutTime(112, written);
    }

    private void PutTime(int offset, DateTimeOffset time)
    {
        Put64(_statx, offset, (ulong)time.ToUnixTimeSeconds());
        Put32(offset + 8, (uint)(time.Ticks % TimeSpan.TicksPerSecond * 100));
    }

    /// <summary>A device's number from its major and minor ones, as makedev(3) joins them.</summary>
    private ulong Device(int offset)
    {
        ulong major = BinaryPrimitives.ReadUInt32LittleEndian(_statx.AsSpan(offset));
        ulong minor = BinaryPrimitives.ReadUInt32LittleEndian(_statx.AsSpan(offset + 4));
        return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xfful) << 12) | ((major & ~0xffful) << 32);
    }

    private void Copy(byte[] stat, int to, int from, int count) => _statx.AsSpan(from, count).CopyTo(stat.AsSpan(to));

    private void Put32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_statx.AsSpan(offset), value);

    private static void Put64(byte[] bytes, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), value);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int HostStatx(int folder, string path, int flags, uint mask, byte* status);
}
