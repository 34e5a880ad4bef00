using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>What a program asked to be done about signals: kept as rt_sigaction(2) and rt_sigprocmask(2) give it.</summary>
internal sealed class SignalActions
{
    /// <summary>Bytes of the kernel's <c>struct sigaction</c>: handler, flags, restorer, mask.</summary>
    public const int ActionSize = 32;

    /// <summary>The highest signal.</summary>
    public const int Last = 64;

    private const ulong Default = 0;
    private const ulong Ignore = 1;

    private readonly byte[][] _actions = [.. Enumerable.Range(0, Last + 1).Select(_ => new byte[ActionSize])];

    /// <summary>The signals that are blocked, a bit each; signal 1 is bit 0.</summary>
    public ulong Blocked { get; set; }

    /// <summary>What was asked for a signal.</summary>
    public Span<byte> this[int signal] => _actions[signal];

    /// <summary>Whether a signal does nothing: it is blocked or ignored, or nothing is what it does by default.</summary>
    public bool IsQuiet(Signal signal)
    {
        if (signal == Signal.None || (signal != Signal.Kill && (Blocked >> ((int)signal - 1) & 1) != 0))
            return true;
        ulong handler = HandlerOf(signal);
        bool quietByDefault = signal is Signal.Child or Signal.Continue or Signal.Urgent or Signal.WindowChanged;
        return handler == Ignore || (handler == Default && quietByDefault);
    }

    /// <summary>Whether the program has a function for a signal.</summary>
    public bool HasHandler(Signal signal) => HandlerOf(signal) is not (Default or Ignore);

    private ulong HandlerOf(Signal signal) => BitConverter.ToUInt64(_actions[(int)signal]);
}
