using System.Runtime.InteropServices;
using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Tool;

/// <summary>
/// The process's own three streams for a program that runs in it. On Unix they are read and written by descriptor, so that
/// every error reaches the program, the file's place is shared with other processes, and not a byte waits in between.
/// </summary>
internal static partial class StandardStreams
{
    /// <summary>Standard input.</summary>
    internal static StandardStream Input() => new(Unix(0, canRead: true) ?? Console.OpenStandardInput(), !Console.IsInputRedirected, PathOf(0));

    /// <summary>Standard output.</summary>
    internal static StandardStream Output() => new(Unix(1, canRead: false) ?? Console.OpenStandardOutput(), !Console.IsOutputRedirected, PathOf(1));

    /// <summary>Standard error.</summary>
    internal static StandardStream Error() => new(Unix(2, canRead: false) ?? Console.OpenStandardError(), !Console.IsErrorRedirected, PathOf(2));

    /// <summary>The user and the group that this process runs as.</summary>
    internal static (uint User, uint Group) Owner() => OperatingSystem.IsWindows() ? (1000, 1000) : (GetUser(), GetGroup());

    private static string? PathOf(int descriptor) => OperatingSystem.IsLinux() ? $"/proc/self/fd/{descriptor}" : null;

    private static DescriptorStream? Unix(int descriptor, bool canRead) =>
        OperatingSystem.IsWindows() ? null : new DescriptorStream(descriptor, canRead);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint GetUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint GetGroup();

    /// <summary>A stream over a descriptor of the host; it stays open.</summary>
    private sealed unsafe partial class DescriptorStream(int descriptor, bool canRead) : Stream
    {
        private const int Interrupted = 4;

        public override bool CanRead => canRead;

        public override bool CanWrite => !canRead;

        public override bool CanSeek => HostSeek(descriptor, 0, (int)SeekOrigin.Current) >= 0;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            fixed (byte* bytes = buffer)
            {
                // SAFETY: the span has as many bytes as the call is told.
                while (true)
                {
                    nint count = HostRead(descriptor, bytes, (nuint)buffer.Length);
                    if (count >= 0)
                        return (int)count;
                    ThrowUnlessInterrupted();
                }
            }
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            fixed (byte* bytes = buffer)
            {
                // SAFETY: the span has as many bytes from `done` on as the call is told.
                for (int done = 0; done < buffer.Length;)
                {
                    nint count = HostWrite(descriptor, bytes + done, (nuint)(buffer.Length - done));
                    if (count >= 0)
                        done += (int)count;
                    else
                        ThrowUnlessInterrupted();
                }
            }
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
            // Nothing waits.
        }

        public override long Seek(long offset, SeekOrigin origin)
        {
            long place = HostSeek(descriptor, offset, (int)origin);
            int error = Marshal.GetLastPInvokeError();
            return place >= 0 ? place : throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        private static void ThrowUnlessInterrupted()
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
                throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        }

        [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static partial nint HostRead(int descriptor, byte* bytes, nuint count);

        [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static partial long HostSeek(int descriptor, long offset, int origin);

        [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static partial nint HostWrite(int descriptor, byte* bytes, nuint count);
    }
}
