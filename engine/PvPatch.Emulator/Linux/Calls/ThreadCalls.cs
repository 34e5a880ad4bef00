using System.Buffers.Binary;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Tasks;

namespace PvPatch.Emulator.Linux.Calls;

/// <summary>New threads and processes, their end, and waiting for it (clone(2), fork(2), vfork(2), wait4(2), set_tid_address(2)).</summary>
internal static unsafe class ThreadCalls
{
    private const int Clone3Size = 64;
    private const ulong EndSignal = 0xff;
    private const int NoHang = 1;
    private const int OptionsKnown = 0x6000_000b;                        // WNOHANG, WUNTRACED, WCONTINUED, __WCLONE, __WALL

    /// <summary>The flags of clone(2) (linux/include/uapi/linux/sched.h).</summary>
    [Flags]
    private enum Flag : ulong
    {
        None = 0,
        SharesMemory = 0x100,
        ParentWaits = 0x4000,
        IsThread = 0x1_0000,
        SetsTls = 0x8_0000,
        TellsParent = 0x10_0000,
        ClearsChild = 0x20_0000,
        TellsChild = 0x100_0000,
    }

    public static long Fork(LinuxProcess process, in CallArguments call) => Make(process, new Wanted((Flag)Signal.Child, 0, 0, 0, 0));

    public static long Vfork(LinuxProcess process, in CallArguments call) =>
        Make(process, new Wanted(Flag.SharesMemory | Flag.ParentWaits | (Flag)Signal.Child, 0, 0, 0, 0));

    public static long Clone(LinuxProcess process, in CallArguments call) =>
        Make(process, new Wanted((Flag)call.A0, call.A1, call.A2, call.A3, call.A4));

    public static long Clone3(LinuxProcess process, in CallArguments call)
    {
        Span<byte> words = stackalloc byte[Clone3Size];
        if (call.A1 < Clone3Size)
            return -Errno.Invalid;
        if (!process.TryRead(call.A0, words))
            return -Errno.BadAddress;
        ulong stack = Word(words, 5);
        var flags = (Flag)((Word(words, 0) & ~EndSignal) | Word(words, 4));
        return Make(process, new Wanted(flags, stack == 0 ? 0 : stack + Word(words, 6), Word(words, 3), Word(words, 2), Word(words, 7)));
    }

    public static long SetTidAddress(LinuxProcess process, in CallArguments call)
    {
        process.Current.ClearedAtEnd = call.A0;
        return process.Current.Id;
    }

    public static long Gettid(LinuxProcess process, in CallArguments call) => process.Current.Id;

    /// <summary>sched_yield(2): all others have their turn first.</summary>
    public static long Yield(LinuxProcess process, in CallArguments call)
    {
        bool asked = false;
        process.Await(new Wait(() =>
        {
            bool before = asked;
            asked = true;
            return before ? 0 : null;
        }));
        return 0;
    }

    /// <summary>exit(2): ends the thread, and with the last one the process.</summary>
    public static long Exit(LinuxProcess process, in CallArguments call)
    {
        LinuxThread thread = process.Current;
        if (IsLast(thread))
            return ExitGroup(process, call);
        thread.HasEnded = true;
        if (thread.ClearedAtEnd != 0 && process.Write32(thread.ClearedAtEnd, 0) == 0)
            process.System.Futexes.Wake(process.Space.PhysicalOf(thread.ClearedAtEnd), 1, uint.MaxValue);
        return 0;
    }

    private static bool IsLast(LinuxThread ending)
    {
        foreach (LinuxThread thread in ending.Process.System.Threads)
        {
            if (thread.Process == ending.Process && thread != ending && !thread.HasEnded)
                return false;
        }

        return true;
    }

    public static long ExitGroup(LinuxProcess process, in CallArguments call)
    {
        process.Finish(new ProgramEnd.Exited((byte)call.A0));
        return 0;
    }

    public static long Wait4(LinuxProcess process, in CallArguments call)
    {
        int wanted = (int)call.A0;
        ulong status = call.A1;
        ulong usage = call.A3;
        if (((int)call.A2 & ~OptionsKnown) != 0)
            return -Errno.Invalid;
        bool waits = ((int)call.A2 & NoHang) == 0;
        return process.Await(new Wait(TryFinish));

        long? TryFinish()
        {
            LinuxProcess[] children = [.. process.System.Processes.Where(child => child.Parent == process && IsWanted(child))];
            if (children.Length == 0)
                return -Errno.NoChild;
            if (Array.Find(children, child => child.End is not null) is not { } ended)
                return waits ? null : 0;
            if (status != 0 && process.Write32(status, ended.WaitStatus) is < 0 and long error)
                return error;
            if (usage != 0 && process.Write(usage, new byte[ProcessCalls.UsageSize]) is < 0 and long failure)
                return failure;
            process.System.Processes.Remove(ended);
            return ended.Id;
        }

        bool IsWanted(LinuxProcess child) => wanted switch
        {
            -1 => true,
            0 => child.Group == process.Group,
            < 0 => child.Group == -wanted,
            _ => child.Id == wanted,
        };
    }

    private static long Make(LinuxProcess process, Wanted wanted)
    {
        LinuxSystem system = process.System;
        LinuxThread maker = process.Current;
        bool isThread = wanted.Flags.HasFlag(Flag.IsThread);
        if (isThread && !wanted.Flags.HasFlag(Flag.SharesMemory))
            return -Errno.Invalid;
        LinuxProcess? owner = isThread ? process : process.Fork(wanted.Flags.HasFlag(Flag.SharesMemory), (Signal)((ulong)wanted.Flags & EndSignal));
        if (owner is null)
            return -Errno.NoMemory;
        var thread = new LinuxThread(isThread ? system.NewId() : owner.Id, owner)
        {
            ClearedAtEnd = wanted.Flags.HasFlag(Flag.ClearsChild) ? wanted.ChildId : 0,
        };
        if (!system.TryAdd(thread))
        {
            if (!isThread)
                owner.Finish(new ProgramEnd.Exited(0));
            return -Errno.Again;
        }

        thread.Signals.Blocked = maker.Signals.Blocked;
        if (!isThread)
        {
            thread.Signals.StackStart = maker.Signals.StackStart;
            thread.Signals.StackSize = maker.Signals.StackSize;
        }

        thread.Registers = UserRegisters.Of(process.Cpu);
        thread.Registers.SetResult(0);
        if (wanted.Stack != 0)
            thread.Registers.SetStack(wanted.Stack);
        if (wanted.Flags.HasFlag(Flag.SetsTls))
            thread.Registers.FsBase = wanted.Tls;
        if (wanted.Flags.HasFlag(Flag.TellsChild))
            owner.Write32(wanted.ChildId, thread.Id);
        if (wanted.Flags.HasFlag(Flag.TellsParent))
            process.Write32(wanted.ParentId, thread.Id);
        return wanted.Flags.HasFlag(Flag.ParentWaits)
            ? process.Await(new Wait(() => owner.BorrowsMemory ? null : thread.Id))
            : thread.Id;
    }

    private static ulong Word(ReadOnlySpan<byte> words, int number) => BinaryPrimitives.ReadUInt64LittleEndian(words[(8 * number)..]);

    /// <summary>What clone(2) is asked for.</summary>
    /// <param name="Flags">What is shared, and what is written where.</param>
    /// <param name="Stack">The new stack pointer; 0: the same.</param>
    /// <param name="ParentId">Where the parent finds the new number.</param>
    /// <param name="ChildId">Where the child finds it, and where it is cleared at the end.</param>
    /// <param name="Tls">The base of FS.</param>
    private sealed record Wanted(Flag Flags, ulong Stack, ulong ParentId, ulong ChildId, ulong Tls);
}
