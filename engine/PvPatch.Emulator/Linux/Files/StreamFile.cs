namespace PvPatch.Emulator.Linux.Files;

/// <summary>A stream that the program was started with: its standard input, output or error.</summary>
/// <param name="stream">The stream; it stays open.</param>
/// <param name="isTerminal">It is a terminal.</param>
/// <param name="flags">The flags it would have been opened with.</param>
internal sealed class StreamFile(Stream stream, bool isTerminal, int flags) : OpenFile(flags)
{
    private const int UserMayReadAndWrite = 0x180;

    public override bool IsTerminal => isTerminal;

    public override FileStatus? Status(out int error)
    {
        error = 0;
        return FileStatus.OfStream((isTerminal ? FileStatus.CharacterDevice : FileStatus.Pipe) | UserMayReadAndWrite, (ulong)Flags + 1);
    }

    public override int Read(Span<byte> target)
    {
        if (!stream.CanRead)
            throw new IOException("The stream is for writing.", Errno.BadFile);
        return stream.Read(target);
    }

    public override void Write(ReadOnlySpan<byte> source)
    {
        if (!stream.CanWrite)
            throw new IOException("The stream is for reading.", Errno.BadFile);
        stream.Write(source);
        stream.Flush();
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new IOException("A stream has no places.", Errno.IllegalSeek);
}
