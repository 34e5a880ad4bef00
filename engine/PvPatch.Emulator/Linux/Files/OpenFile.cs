namespace PvPatch.Emulator.Linux.Files;

/// <summary>
/// An open file description (open(2)), shared by the descriptors that were duplicated from each other. Operations throw what
/// the host's file system throws, which <see cref="Errno.Of"/> turns into numbers.
/// </summary>
/// <param name="flags">The flags it was opened with.</param>
internal abstract class OpenFile(int flags) : IDisposable
{
    /// <summary>The flags it was opened with, as fcntl(2) tells and changes them.</summary>
    public int Flags { get; set; } = flags;

    /// <summary>It is a terminal.</summary>
    public virtual bool IsTerminal => false;

    /// <summary>The path it was opened by; empty if it has none.</summary>
    public virtual string Path => string.Empty;

    /// <summary>A read would give bytes, the end or an error at once. Waiting for the host's files counts as at once.</summary>
    public virtual bool CanRead => true;

    /// <summary>How many bytes a write would take at once.</summary>
    public virtual int Room => int.MaxValue;

    /// <summary>The other side is closed, and nothing more will come.</summary>
    public virtual bool IsHungUp => false;

    /// <summary>The other side is closed, and nothing more is taken.</summary>
    public virtual bool IsBroken => false;

    /// <summary>How many descriptors lead here.</summary>
    public int Users { get; set; }

    /// <summary>What is known of the file; a positive error if nothing is.</summary>
    public abstract FileStatus? Status(out int error);

    /// <summary>Reads at the place that the description remembers.</summary>
    public virtual int Read(Span<byte> target) => throw new IOException("A folder has no bytes.", Errno.IsDirectory);

    /// <summary>Writes at the place that the description remembers.</summary>
    public virtual void Write(ReadOnlySpan<byte> source) => throw new IOException("The file is not writable.", Errno.BadFile);

    /// <summary>Reads at a place.</summary>
    public virtual int ReadAt(Span<byte> target, long offset) => throw new NotSupportedException();

    /// <summary>Writes at a place.</summary>
    public virtual void WriteAt(ReadOnlySpan<byte> source, long offset) => throw new NotSupportedException();

    /// <summary>Moves the place and returns it.</summary>
    public virtual long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Cuts or extends the file.</summary>
    public virtual void SetLength(long length) => throw new ArgumentException("Only files have a length.", nameof(length));

    /// <summary>Writes to the disk what is kept in memory.</summary>
    public virtual void Flush()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the host's file.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
