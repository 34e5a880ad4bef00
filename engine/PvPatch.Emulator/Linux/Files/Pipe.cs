namespace PvPatch.Emulator.Linux.Files;

/// <summary>The bytes between the two ends of a pipe (pipe(7)).</summary>
internal sealed class Pipe
{
    /// <summary>The most bytes it holds.</summary>
    public const int Capacity = 1 << 16;

    private readonly byte[] _bytes = new byte[Capacity];
    private int _first;

    private Pipe()
    {
    }

    /// <summary>How many bytes it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Whether it can still be read.</summary>
    public bool HasReader { get; private set; } = true;

    /// <summary>Whether it can still be written.</summary>
    public bool HasWriter { get; private set; } = true;

    /// <summary>Makes a pipe with its two ends.</summary>
    public static (OpenFile Reader, OpenFile Writer) Open(int flags)
    {
        var pipe = new Pipe();
        return (new ReadEnd(pipe, flags), new WriteEnd(pipe, flags | OpenFlags.WriteOnly));
    }

    private int Take(Span<byte> target)
    {
        int taken = Math.Min(target.Length, Count);
        for (int i = 0; i < taken; i++)
            target[i] = _bytes[(_first + i) % Capacity];
        _first = (_first + taken) % Capacity;
        Count -= taken;
        return taken;
    }

    private void Put(ReadOnlySpan<byte> source)
    {
        if (!HasReader)
            throw new IOException("Nobody reads the pipe any more.", Errno.BrokenPipe);
        for (int i = 0; i < source.Length; i++)
            _bytes[(_first + Count + i) % Capacity] = source[i];
        Count += source.Length;
    }

    private static FileStatus PipeStatus(out int error)
    {
        const int UserMayReadAndWrite = 0x180;
        error = 0;
        return FileStatus.OfStream(FileStatus.Pipe | UserMayReadAndWrite, 1);
    }

    private sealed class ReadEnd(Pipe pipe, int flags) : OpenFile(flags)
    {
        public override bool CanRead => pipe.Count > 0 || !pipe.HasWriter;

        public override int Room => 0;

        public override bool IsHungUp => !pipe.HasWriter;

        public override FileStatus? Status(out int error) => PipeStatus(out error);

        public override int Read(Span<byte> target) => pipe.Take(target);

        public override long Seek(long offset, SeekOrigin origin) => throw new IOException("A pipe has no places.", Errno.IllegalSeek);

        protected override void Dispose(bool disposing)
        {
            pipe.HasReader = false;
            base.Dispose(disposing);
        }
    }

    private sealed class WriteEnd(Pipe pipe, int flags) : OpenFile(flags)
    {
        public override bool CanRead => false;

        /// <summary>Without a reader there is room for the error.</summary>
        public override int Room => pipe.HasReader ? Capacity - pipe.Count : int.MaxValue;

        public override bool IsBroken => !pipe.HasReader;

        public override FileStatus? Status(out int error) => PipeStatus(out error);

        public override int Read(Span<byte> target) => throw new IOException("The end of the pipe is for writing.", Errno.BadFile);

        public override void Write(ReadOnlySpan<byte> source) => pipe.Put(source);

        public override long Seek(long offset, SeekOrigin origin) => throw new IOException("A pipe has no places.", Errno.IllegalSeek);

        protected override void Dispose(bool disposing)
        {
            pipe.HasWriter = false;
            base.Dispose(disposing);
        }
    }
}
