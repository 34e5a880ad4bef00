using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>What a process does about signals: kept as rt_sigaction(2) gives it.</summary>
internal sealed class SignalActions
{
    /// <summary>Bytes of the kernel's <c>struct sigaction</c>: handler, flags, restorer, mask.</summary>
    public const int ActionSize = 32;

    /// <summary>The highest signal.</summary>
    public const int Last = 64;

    /// <summary>Stands for a function: nothing is done.</summary>
    public const ulong Ignored = 1;

    private const ulong Default = 0;

    private readonly byte[][] _actions = NewActions();

    /// <summary>The flags of an action (linux/include/uapi/asm-generic/signal-defs.h).</summary>
    [Flags]
    internal enum Flag : ulong
    {
        None = 0,
        Restorer = 0x0400_0000,
        OnStack = 0x0800_0000,
        Restart = 0x1000_0000,
        NoDefer = 0x4000_0000,
        ResetHandler = 0x8000_0000,
    }

    /// <summary>What was asked for a signal.</summary>
    public Span<byte> this[Signal signal] => _actions[(int)signal];

    /// <summary>A copy, as fork(2) makes it.</summary>
    public SignalActions Copy()
    {
        var copy = new SignalActions();
        for (int i = 0; i <= Last; i++)
            _actions[i].CopyTo(copy._actions[i], 0);
        return copy;
    }

    /// <summary>Functions of the program that was are forgotten (execve(2)); what is ignored stays so.</summary>
    public void ForgetHandlers()
    {
        foreach (byte[] action in _actions.Where(a => BitConverter.ToUInt64(a) > Ignored))
            Array.Clear(action);
    }

    /// <summary>Whether a signal does nothing: it is ignored, or nothing is what it does by default.</summary>
    public bool IsIgnored(Signal signal)
    {
        ulong handler = HandlerOf(signal);
        bool quietByDefault = signal is Signal.Child or Signal.Continue or Signal.Urgent or Signal.WindowChanged
            or Signal.Stop or Signal.TerminalStop or Signal.TerminalInput or Signal.TerminalOutput;
        return handler == Ignored || (handler == Default && quietByDefault);
    }

    /// <summary>Whether the program has a function for a signal.</summary>
    public bool HasHandler(Signal signal) => HandlerOf(signal) > Ignored;

    /// <summary>The address of the function for a signal.</summary>
    public ulong HandlerOf(Signal signal) => BinaryPrimitives.ReadUInt64LittleEndian(this[signal]);

    /// <summary>The flags of a signal's action.</summary>
    public Flag FlagsOf(Signal signal) => (Flag)BinaryPrimitives.ReadUInt64LittleEndian(this[signal][8..]);

    /// <summary>Where a function for a signal returns to.</summary>
    public ulong RestorerOf(Signal signal) => BinaryPrimitives.ReadUInt64LittleEndian(this[signal][16..]);

    /// <summary>What is blocked while a function for a signal runs.</summary>
    public ulong MaskOf(Signal signal) => BinaryPrimitives.ReadUInt64LittleEndian(this[signal][24..]);

    private static byte[][] NewActions()
    {
        byte[][] actions = new byte[Last + 1][];
        for (int i = 0; i < actions.Length; i++)
            actions[i] = new byte[ActionSize];
        return actions;
    }
}
