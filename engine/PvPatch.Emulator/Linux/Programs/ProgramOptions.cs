using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Linux.Programs;

/// <summary>A stream that a program is started with.</summary>
/// <param name="Stream">The stream; it is not closed.</param>
/// <param name="IsTerminal">The program is told that it is a terminal.</param>
/// <param name="Path">A path of the host that leads to the same file, for what the program asks of it; without one it is told of a terminal or a pipe.</param>
public sealed record StandardStream(Stream Stream, bool IsTerminal = false, string? Path = null);

/// <summary>What a program is started with.</summary>
public sealed record ProgramOptions
{
    /// <summary>Path of the program, as it is told to itself.</summary>
    public required string Path { get; init; }

    /// <summary>The arguments; the first one is the program's name.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The environment, NAME=VALUE.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Bytes of memory for everything: the program, its data, page tables.</summary>
    public ulong MemorySize { get; init; } = 1ul << 30;

    /// <summary>The most instructions; then the run ends with <see cref="ProgramEnd.LimitReached"/>.</summary>
    public ulong MaxInstructions { get; init; } = ulong.MaxValue;

    /// <summary>Where to stop: before the instruction at this address is executed first.</summary>
    public ulong? StopAt { get; init; }

    /// <summary>What executes the instructions.</summary>
    public ExecutionTier Tier { get; init; } = ExecutionTier.Automatic;

    /// <summary>How translated code calls the sensitive ops.</summary>
    public SensitiveBinding Sensitive { get; init; }

    /// <summary>Whether the interpreter executes all instructions too, on a copy, and both are compared piece by piece.</summary>
    public bool LockStep { get; init; }

    /// <summary>Standard input.</summary>
    public StandardStream Input { get; init; } = new(Stream.Null);

    /// <summary>Standard output.</summary>
    public StandardStream Output { get; init; } = new(Stream.Null);

    /// <summary>Standard error.</summary>
    public StandardStream Error { get; init; } = new(Stream.Null);

    /// <summary>The user's and the group's number, which only the program sees: files are opened with the host user's rights.</summary>
    public (uint User, uint Group) Owner { get; init; } = (1000, 1000);

    /// <summary>Rows and columns of a terminal.</summary>
    public (ushort Rows, ushort Columns) TerminalSize { get; init; } = (24, 80);

    /// <summary>Takes a sentence for each kind of system call that was refused because it is not there.</summary>
    public Action<string> Note { get; init; } = static _ => { };

    /// <summary>Takes each instruction before it is executed: its address and its text. None: nothing is traced.</summary>
    public Action<ulong, string>? Trace { get; init; }
}
