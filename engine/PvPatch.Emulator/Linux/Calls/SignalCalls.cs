using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>What is done about signals, and sending them (rt_sigaction(2), rt_sigprocmask(2), sigaltstack(2), kill(2) and their kin).</summary>
internal static unsafe class SignalCalls
{
    private const int SetSize = 8;
    private const int StackDisabled = 2;
    private const int OnStack = 1;
    private const ulong LeastStack = 2048;

    public static long Sigaction(LinuxProcess process, in CallArguments call)
    {
        if (call.A0 is 0 or > SignalActions.Last || call.A3 != SetSize)
            return -Errno.Invalid;
        var signal = (Signal)call.A0;
        Span<byte> wanted = stackalloc byte[SignalActions.ActionSize];
        if (call.A1 != 0 && !process.TryRead(call.A1, wanted))
            return -Errno.BadAddress;
        if (call.A1 != 0 && signal is Signal.Kill or Signal.Stop)
            return -Errno.Invalid;
        if (call.A2 != 0 && process.Write(call.A2, process.Actions[signal]) is < 0 and long error)
            return error;
        if (call.A1 != 0)
            wanted.CopyTo(process.Actions[signal]);
        if (process.Actions.IsIgnored(signal))
            process.Pending.TryTake(signal, out _);
        return 0;
    }

    public static long Sigprocmask(LinuxProcess process, in CallArguments call)
    {
        if (call.A3 != SetSize)
            return -Errno.Invalid;
        ThreadSignals signals = process.Current.Signals;
        ulong before = signals.Blocked;
        ulong wanted = 0;
        if (call.A1 != 0 && !process.TryRead64(call.A1, out wanted))
            return -Errno.BadAddress;
        if (call.A1 != 0 && call.A0 > 2)
            return -Errno.Invalid;
        if (call.A2 != 0 && process.Write64(call.A2, before) is < 0 and long error)
            return error;
        if (call.A1 != 0)
        {
            signals.Blocked = call.A0 switch
            {
                0 => before | wanted,
                1 => before & ~wanted,
                _ => wanted,
            };
        }

        return 0;
    }

    public static long Sigpending(LinuxProcess process, in CallArguments call)
    {
        ThreadSignals signals = process.Current.Signals;
        return process.Write64(call.A0, (signals.Pending.Set | process.Pending.Set) & signals.Blocked);
    }

    public static long Sigsuspend(LinuxProcess process, in CallArguments call)
    {
        if (call.A1 != SetSize)
            return -Errno.Invalid;
        if (!process.TryRead64(call.A0, out ulong wanted))
            return -Errno.BadAddress;
        ThreadSignals signals = process.Current.Signals;
        signals.BlockedBefore = signals.Blocked;
        signals.Blocked = wanted;
        return Pause(process, call);
    }

    public static long Pause(LinuxProcess process, in CallArguments call) => process.Await(new Wait(() => null, Restarts: false));

    /// <summary>rt_sigtimedwait(2): takes a signal of a set without calling a function for it.</summary>
    public static long Sigtimedwait(LinuxProcess process, in CallArguments call)
    {
        if (call.A3 != SetSize)
            return -Errno.Invalid;
        if (!process.TryRead64(call.A0, out ulong set))
            return -Errno.BadAddress;
        long deadline = Wait.Never;
        if (call.A2 != 0)
        {
            if (TimeCalls.ReadTime(process, call.A2, out long error) is not { } time)
                return error;
            deadline = Wait.After(time);
        }

        ulong place = call.A1;
        LinuxThread thread = process.Current;
        return process.Await(new Wait(TryFinish, deadline, Restarts: false));

        long? TryFinish()
        {
            ulong due = (thread.Signals.Pending.Set | process.Pending.Set) & set;
            if (due == 0)
                return Wait.IsOver(deadline) ? -Errno.Again : null;
            var signal = (Signal)(System.Numerics.BitOperations.TrailingZeroCount(due) + 1);
            if (!thread.Signals.Pending.TryTake(signal, out SignalInfo info))
                process.Pending.TryTake(signal, out info);
            return place != 0 && process.Write(place, info.ToBytes(signal)) is < 0 and long failure ? failure : (long)signal;
        }
    }

    public static long Sigaltstack(LinuxProcess process, in CallArguments call)
    {
        ThreadSignals signals = process.Current.Signals;
        Span<byte> wanted = stackalloc byte[24];
        if (call.A0 != 0 && !process.TryRead(call.A0, wanted))
            return -Errno.BadAddress;
        bool isOn = signals.IsOnStack(process.Cpu->Rsp);
        if (call.A0 != 0 && isOn)
            return -Errno.NotPermitted;
        if (call.A1 != 0)
        {
            Span<byte> before = stackalloc byte[24];
            BinaryPrimitives.WriteUInt64LittleEndian(before, signals.StackStart);
            BinaryPrimitives.WriteUInt64LittleEndian(before[8..], signals.StackSize == 0 ? StackDisabled : isOn ? OnStack : 0u);
            BinaryPrimitives.WriteUInt64LittleEndian(before[16..], signals.StackSize);
            if (process.Write(call.A1, before) is < 0 and long error)
                return error;
        }

        if (call.A0 == 0)
            return 0;
        bool disables = (BinaryPrimitives.ReadInt32LittleEndian(wanted[8..]) & StackDisabled) != 0;
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(wanted[16..]);
        if (!disables && size < LeastStack)
            return -Errno.NoMemory;
        signals.StackStart = disables ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(wanted);
        signals.StackSize = disables ? 0 : size;
        return 0;
    }

    /// <summary>rt_sigreturn(2): the registers that the frame has, RAX too. Without a frame the program ends as by SIGSEGV.</summary>
    public static long Sigreturn(LinuxProcess process, in CallArguments call)
    {
        if (!SignalFrame.TryPop(process.Current))
            process.Finish(new ProgramEnd.Signalled(Signal.Segmentation));
        return (long)process.Cpu->Rax;
    }

    public static long Kill(LinuxProcess process, in CallArguments call)
    {
        int target = (int)call.A0;
        if (call.A1 > SignalActions.Last)
            return -Errno.Invalid;
        LinuxProcess[] targets = [.. process.System.Processes.Where(other => other.End is null && IsMeant(other))];
        if (targets.Length == 0)
            return -Errno.NoProcess;
        if (call.A1 == 0)
            return 0;
        foreach (LinuxProcess other in targets)
            SignalDelivery.Send(other, (Signal)call.A1, Sender(process, SignalInfo.ByUser));
        return 0;

        bool IsMeant(LinuxProcess other) => target switch
        {
            0 => other.Group == process.Group,
            -1 => other != process,
            < 0 => other.Group == -target,
            _ => other.Id == target,
        };
    }

    public static long Tkill(LinuxProcess process, in CallArguments call) => SendToThread(process, null, (int)call.A0, call.A1);

    public static long Tgkill(LinuxProcess process, in CallArguments call) => SendToThread(process, (int)call.A0, (int)call.A1, call.A2);

    private static long SendToThread(LinuxProcess process, int? owner, int target, ulong signal)
    {
        if (signal > SignalActions.Last)
            return -Errno.Invalid;
        if (process.System.Threads.FirstOrDefault(t => t.Id == target && !t.HasEnded && (owner is null || t.Process.Id == owner)) is not { } thread)
            return -Errno.NoProcess;
        if (signal != 0)
            SignalDelivery.Send(thread, (Signal)signal, Sender(process, SignalInfo.ByThread));
        return 0;
    }

    private static SignalInfo Sender(LinuxProcess process, int code) =>
        new(code, (uint)process.Id | ((ulong)process.Options.Owner.User << 32));
}
