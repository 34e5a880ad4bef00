using System.Runtime.InteropServices;

namespace PvPatch.Emulator.Linux.Files;

/// <summary>Calls of the host's C library that .NET has no like for. On other systems than 64-bit Linux they answer ENOSYS.</summary>
internal static unsafe partial class HostCalls
{
    /// <summary>Bytes of <c>struct statfs</c>, which is the same on all 64-bit architectures but s390.</summary>
    public const int StatfsSize = 120;

    /// <summary>link(2): 0, or a negative error.</summary>
    public static long Link(string existing, string created)
    {
        if (!OperatingSystem.IsLinux())
            return -Errno.NotImplemented;
        return HostLink(existing, created) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    /// <summary>statfs(2): 0, or a negative error.</summary>
    public static long Statfs(string path, Span<byte> status)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            return -Errno.NotImplemented;
        fixed (byte* buffer = status[..StatfsSize])
        {
            // SAFETY: the buffer has the 120 bytes that the call fills.
            return HostStatfs(path, buffer) == 0 ? 0 : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>getrandom(2): whether all bytes were filled. The framework's own way is a library that takes longer to load than many a program runs.</summary>
    public static bool TryGetRandom(Span<byte> bytes)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        fixed (byte* buffer = bytes)
        {
            // SAFETY: the buffer has as many bytes as the call is told.
            return HostGetRandom(buffer, (nuint)bytes.Length, 0) == bytes.Length;
        }
    }

    [LibraryImport("libc", EntryPoint = "getrandom")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint HostGetRandom(byte* bytes, nuint count, uint flags);

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int HostLink(string existing, string created);

    [LibraryImport("libc", EntryPoint = "statfs", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int HostStatfs(string path, byte* status);
}
