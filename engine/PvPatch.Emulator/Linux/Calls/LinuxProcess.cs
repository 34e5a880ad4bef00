using System.Buffers.Binary;
using System.Text;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>What system calls know of the program that makes them.</summary>
internal sealed unsafe class LinuxProcess : IDisposable
{
    /// <summary>The number that the program is told to have.</summary>
    public const int Id = 1000;

    private const int LongestPath = 4096;

    /// <summary>A program that is about to start.</summary>
    public LinuxProcess(CpuState* cpu, AddressSpace space, ProgramOptions options, ulong heap, CancellationToken cancellation)
    {
        Cpu = cpu;
        Space = space;
        Options = options;
        HeapStart = HeapEnd = heap;
        Cancellation = cancellation;
        Files.Add(new StreamFile(options.Input.Stream, options.Input.IsTerminal, 0));
        Files.Add(new StreamFile(options.Output.Stream, options.Output.IsTerminal, OpenFlags.WriteOnly));
        Files.Add(new StreamFile(options.Error.Stream, options.Error.IsTerminal, OpenFlags.WriteOnly));
    }

    /// <summary>Its CPU.</summary>
    public CpuState* Cpu { get; }

    /// <summary>Its memory.</summary>
    public AddressSpace Space { get; }

    /// <summary>What it was started with.</summary>
    public ProgramOptions Options { get; }

    /// <summary>Its descriptors.</summary>
    public FileTable Files { get; } = new();

    /// <summary>What it does about signals.</summary>
    public SignalActions Signals { get; } = new();

    /// <summary>Where its heap starts.</summary>
    public ulong HeapStart { get; }

    /// <summary>Its program break (brk(2)).</summary>
    public ulong HeapEnd { get; set; }

    /// <summary>How new files' permissions are cut; the host cuts them by its own, too.</summary>
    public int FileModeMask { get; set; }

    /// <summary>Set once it has ended.</summary>
    public ProgramEnd? End { get; set; }

    /// <summary>Ends its waiting.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Reads bytes of its memory.</summary>
    public bool TryRead(ulong address, Span<byte> target) => Space.TryRead(address, target);

    /// <summary>Reads a word of its memory.</summary>
    public bool TryRead64(ulong address, out ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        bool done = Space.TryRead(address, bytes);
        value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return done;
    }

    /// <summary>Writes a word into its memory: 0, or a negative error.</summary>
    public long Write64(ulong address, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return Write(address, bytes);
    }

    /// <summary>Writes bytes into its memory: 0, or a negative error.</summary>
    public long Write(ulong address, ReadOnlySpan<byte> bytes) => Space.TryWrite(address, bytes) ? 0 : -Errno.BadAddress;

    /// <summary>Reads a path of its memory; null with a positive error.</summary>
    public string? ReadPath(ulong address, out int error)
    {
        var bytes = new List<byte>();
        error = Errno.BadAddress;
        while (bytes.Count < LongestPath)
        {
            if (!Space.TryReach(address, 1, Protection.Read))
                return null;
            Span<byte> piece = Space.BytesAt(address, LongestPath - bytes.Count);
            int end = piece.IndexOf((byte)0);
            bytes.AddRange(end < 0 ? piece : piece[..end]);
            if (end >= 0)
            {
                error = 0;
                return Encoding.UTF8.GetString([.. bytes]);
            }

            address += (ulong)piece.Length;
        }

        error = Errno.NameTooLong;
        return null;
    }

    /// <summary>Reads a path that must not be empty and makes it one of the host; null with a positive error.</summary>
    public string? ReadHostPath(long folder, ulong address, out int error)
    {
        if (ReadPath(address, out error) is not { } path)
            return null;
        if (path.Length == 0)
        {
            error = Errno.NoEntry;
            return null;
        }

        return Files.Resolve(folder, path, out error);
    }

    /// <summary>Does something with the host's files: its result, or the error it ended with.</summary>
    public static long Try(Func<long> action)
    {
        try
        {
            return action();
        }
        catch (Exception failure) when (Errno.Knows(failure))
        {
            return -Errno.Of(failure);
        }
    }

    public void Dispose() => Files.Dispose();
}
