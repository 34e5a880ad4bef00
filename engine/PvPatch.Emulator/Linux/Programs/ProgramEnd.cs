namespace PvPatch.Emulator.Linux.Programs;

/// <summary>How a program ended: a closed set.</summary>
public abstract record ProgramEnd
{
    private ProgramEnd()
    {
    }

    /// <summary>The program ended itself.</summary>
    /// <param name="Status">Its exit status, 0 to 255.</param>
    public sealed record Exited(int Status) : ProgramEnd;

    /// <summary>A signal ended it that it had sent to itself, or that a system call had raised.</summary>
    /// <param name="Signal">The signal.</param>
    public sealed record Signalled(Signal Signal) : ProgramEnd;

    /// <summary>An instruction could not be executed.</summary>
    /// <param name="Signal">The signal that Linux would have sent.</param>
    /// <param name="Sentence">What happened, in words.</param>
    /// <param name="Rip">Where.</param>
    /// <param name="Instruction">The instruction there, as text.</param>
    public sealed record Faulted(Signal Signal, string Sentence, ulong Rip, string Instruction) : ProgramEnd;

    /// <summary>The most instructions were executed.</summary>
    public sealed record LimitReached : ProgramEnd;

    /// <summary>The instruction at <see cref="ProgramOptions.StopAt"/> is the next one.</summary>
    public sealed record Reached : ProgramEnd;

    /// <summary>Translated code did not do what the interpreter does.</summary>
    /// <param name="Difference">Where, and both states.</param>
    public sealed record Differed(string Difference) : ProgramEnd;

    /// <summary>The run was cancelled from outside.</summary>
    public sealed record Cancelled : ProgramEnd;
}
