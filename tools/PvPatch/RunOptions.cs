using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Translator;

namespace PvPatch.Tool;

/// <summary>What <c>run</c> was asked for.</summary>
internal sealed record RunOptions
{
    /// <summary>The program's file.</summary>
    public required string Program { get; init; }

    /// <summary>Its arguments.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Whether figures are printed at the end.</summary>
    public bool Stats { get; init; }

    /// <summary>Whether each instruction is printed.</summary>
    public bool Trace { get; init; }

    /// <summary>The most instructions.</summary>
    public ulong MaxInstructions { get; init; } = ulong.MaxValue;

    /// <summary>What executes the instructions.</summary>
    public ExecutionTier Tier { get; init; } = ExecutionTier.Automatic;

    /// <summary>How translated code calls the ops of sensitive instructions.</summary>
    public SensitiveBinding Sensitive { get; init; }

    /// <summary>Where the program is stopped to explain what becomes of its code: a symbol or a hexadecimal number.</summary>
    public string? Explain { get; init; }

    /// <summary>Whether translated code is compared with the interpreter, piece by piece.</summary>
    public bool LockStep { get; init; }

    /// <summary>Takes sentences about what the program asked for and is not there; without a log, nobody does.</summary>
    public Action<string> Note { get; init; } = static _ => { };

    /// <summary>MiB of memory.</summary>
    public ulong Memory { get; init; } = 1024;

    /// <summary>
    /// Reads a command line of nothing but <c>run</c>, perhaps <c>--stats</c>, and a program with its arguments without loading
    /// the library that reads all others: it takes longer to load than many a program to run. The answer is the same either way.
    /// </summary>
    /// <param name="args">The arguments.</param>
    /// <returns>Null when the command line is of another form.</returns>
    internal static RunOptions? FromPlainForm(ReadOnlySpan<string> args)
    {
        if (args is not ["run", .. var rest])
            return null;
        bool stats = rest is ["--stats", ..];
        if (stats)
            rest = rest[1..];
        return rest is [[not '-', ..] program, .. var arguments] ? new RunOptions { Program = program, Arguments = arguments.ToArray(), Stats = stats } : null;
    }
}
