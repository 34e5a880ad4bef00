using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Linux.Files;

/// <summary>A stream that the program was started with: its standard input, output or error.</summary>
/// <param name="standard">The stream; it stays open.</param>
/// <param name="flags">The flags it would have been opened with.</param>
internal sealed class StreamFile(StandardStream standard, int flags) : OpenFile(flags)
{
    private const int UserMayReadAndWrite = 0x180;

    private readonly Stream _stream = standard.Stream;

    public override bool IsTerminal => standard.IsTerminal;

    public override FileStatus? Status(out int error)
    {
        error = 0;
        if (standard.Path is { } path && FileStatus.Of(path, followLinks: true, out _) is { } known)
            return known;
        return FileStatus.OfStream((standard.IsTerminal ? FileStatus.CharacterDevice : FileStatus.Pipe) | UserMayReadAndWrite, (ulong)Flags + 1);
    }

    public override int Read(Span<byte> target)
    {
        if (!_stream.CanRead)
            throw new IOException("The stream is for writing.", Errno.BadFile);
        return _stream.Read(target);
    }

    public override void Write(ReadOnlySpan<byte> source)
    {
        if (!_stream.CanWrite)
            throw new IOException("The stream is for reading.", Errno.BadFile);
        _stream.Write(source);
        _stream.Flush();
    }

    public override long Seek(long offset, SeekOrigin origin) =>
        _stream.CanSeek ? _stream.Seek(offset, origin) : throw new IOException("A stream has no places.", Errno.IllegalSeek);
}
