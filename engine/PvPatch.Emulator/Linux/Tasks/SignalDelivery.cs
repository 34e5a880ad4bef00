using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>Sends signals, and does what a process wants done about them (signal(7)).</summary>
internal static unsafe class SignalDelivery
{
    /// <summary>Sends a signal to a process: any thread that lets it through takes it.</summary>
    public static void Send(LinuxProcess process, Signal signal, SignalInfo? info = null)
    {
        if (!process.Actions.IsIgnored(signal))
            process.Pending.Add(signal, info ?? new SignalInfo(SignalInfo.ByKernel, 0));
    }

    /// <summary>Sends a signal to one thread.</summary>
    public static void Send(LinuxThread thread, Signal signal, SignalInfo info)
    {
        if (!thread.Process.Actions.IsIgnored(signal))
            thread.Signals.Pending.Add(signal, info);
    }

    /// <summary>A signal came while a thread waits: what the call ends with, or the call's number if it is to start again.</summary>
    public static long Interrupted(LinuxThread thread, Wait wait)
    {
        if (!wait.Restarts || !thread.Process.Actions.FlagsOf(thread.DueSignal).HasFlag(SignalActions.Flag.Restart))
            return -Errno.Interrupted;
        thread.StepBack();
        return (long)thread.LastCall;
    }

    /// <summary>Handles all signals that the thread which has the CPU lets through. It, or its process, may have ended then.</summary>
    public static void DeliverDue(LinuxThread thread)
    {
        while (!thread.HasEnded && thread.DueSignal is not Signal.None and var signal)
        {
            if (!thread.Signals.Pending.TryTake(signal, out SignalInfo info))
                thread.Process.Pending.TryTake(signal, out info);
            LinuxProcess process = thread.Process;
            if (process.Actions.HasHandler(signal))
                Handle(thread, signal, info, new FaultInfo());
            else if (!process.Actions.IsIgnored(signal))
                process.Finish(new ProgramEnd.Signalled(signal));
        }

        RestoreBlocked(thread);
    }

    /// <summary>Lets the program handle a fault of its own.</summary>
    /// <returns>Whether it does.</returns>
    public static bool TryHandleFault(LinuxThread thread, Signal signal, SignalInfo info, FaultInfo fault)
    {
        bool isBlocked = (thread.Signals.Blocked & PendingSignals.Bit(signal)) != 0;
        return !isBlocked && thread.Process.Actions.HasHandler(signal) && Handle(thread, signal, info, fault);
    }

    /// <summary>Calls the function for a signal.</summary>
    /// <returns>False: there was no room on the stack, and the process has ended.</returns>
    private static bool Handle(LinuxThread thread, Signal signal, SignalInfo info, FaultInfo fault)
    {
        LinuxProcess process = thread.Process;
        SignalActions actions = process.Actions;
        SignalActions.Flag flags = actions.FlagsOf(signal);
        ulong blocked = thread.Signals.BlockedBefore ?? thread.Signals.Blocked;
        bool done = flags.HasFlag(SignalActions.Flag.Restorer) && SignalFrame.TryPush(thread, signal, info, fault, blocked);
        thread.Signals.BlockedBefore = null;
        if (!done)
        {
            process.Finish(new ProgramEnd.Signalled(Signal.Segmentation));
            return false;
        }

        thread.Signals.Blocked |= actions.MaskOf(signal) | (flags.HasFlag(SignalActions.Flag.NoDefer) ? 0 : PendingSignals.Bit(signal));
        if (flags.HasFlag(SignalActions.Flag.ResetHandler))
            actions[signal].Clear();
        return true;
    }

    /// <summary>sigsuspend(2) was interrupted by a signal without a function.</summary>
    private static void RestoreBlocked(LinuxThread thread)
    {
        if (thread.Wait is not null || thread.Signals.BlockedBefore is not { } before)
            return;
        thread.Signals.Blocked = before;
        thread.Signals.BlockedBefore = null;
    }
}
