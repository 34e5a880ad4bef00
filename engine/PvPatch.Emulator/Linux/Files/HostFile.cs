namespace PvPatch.Emulator.Linux.Files;

/// <summary>A file of the host.</summary>
internal sealed class HostFile : OpenFile
{
    private readonly FileStream _stream;

    private HostFile(FileStream stream, int flags)
        : base(flags) => _stream = stream;

    public override string Path => _stream.Name;

    /// <summary>Opens a file with the user's rights.</summary>
    public static HostFile Open(string path, int flags, int mode)
    {
        bool create = (flags & OpenFlags.Create) != 0;
        bool truncate = (flags & OpenFlags.Truncate) != 0;
        var options = new FileStreamOptions
        {
            BufferSize = 0,
            // Sharing everything keeps the runtime from locking the file, which Linux's open does not do either.
            Share = FileShare.ReadWrite | FileShare.Delete,
            Access = (flags & OpenFlags.AccessMask) switch
            {
                OpenFlags.WriteOnly => FileAccess.Write,
                OpenFlags.ReadWrite => FileAccess.ReadWrite,
                _ => FileAccess.Read,
            },
            Mode = (create, truncate, (flags & OpenFlags.Exclusive) != 0) switch
            {
                (true, _, true) => FileMode.CreateNew,
                (true, _, _) => FileMode.OpenOrCreate,
                _ => FileMode.Open,
            },
        };
        if (create && !OperatingSystem.IsWindows())
            options.UnixCreateMode = (UnixFileMode)(mode & 0xfff);
        var stream = new FileStream(path, options);
        if (truncate && stream.CanWrite && FileStatus.Of(path, followLinks: true, out _) is { IsRegularFile: true })
            stream.SetLength(0);
        return new HostFile(stream, flags);
    }

    public override FileStatus? Status(out int error) => FileStatus.Of(_stream.Name, followLinks: true, out error);

    public override int Read(Span<byte> target)
    {
        RequireReadable();
        return _stream.Read(target);
    }

    public override void Write(ReadOnlySpan<byte> source)
    {
        RequireWritable();
        if ((Flags & OpenFlags.Append) != 0 && _stream.CanSeek)
            _stream.Seek(0, SeekOrigin.End);
        _stream.Write(source);
    }

    public override int ReadAt(Span<byte> target, long offset)
    {
        RequireReadable();
        return RandomAccess.Read(_stream.SafeFileHandle, target, offset);
    }

    public override void WriteAt(ReadOnlySpan<byte> source, long offset)
    {
        RequireWritable();
        RandomAccess.Write(_stream.SafeFileHandle, source, offset);
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        if (!_stream.CanSeek)
            throw new IOException("The file has no places.", Errno.IllegalSeek);
        return _stream.Seek(offset, origin);
    }

    public override void SetLength(long length)
    {
        RequireWritable();
        _stream.SetLength(length);
    }

    public override void Flush() => _stream.Flush(flushToDisk: true);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _stream.Dispose();
        base.Dispose(disposing);
    }

    private void RequireReadable()
    {
        if (!_stream.CanRead)
            throw new IOException("The file is not open for reading.", Errno.BadFile);
    }

    private void RequireWritable()
    {
        if (!_stream.CanWrite)
            throw new IOException("The file is not open for writing.", Errno.BadFile);
    }
}
