using System.Buffers.Binary;
using System.Text;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>A process, as system calls see it.</summary>
internal sealed unsafe class LinuxProcess
{
    /// <summary>The path by which a program finds its own file.</summary>
    public const string OwnProgram = "/proc/self/exe";

    private const int LongestPath = 4096;

    /// <summary>A process without threads.</summary>
    /// <param name="system">What all processes share.</param>
    /// <param name="space">Its memory.</param>
    /// <param name="heap">Where its heap starts.</param>
    /// <param name="path">The program's file, as an absolute path of the host.</param>
    /// <param name="parent">The process that made it; null for the first one.</param>
    public LinuxProcess(LinuxSystem system, AddressSpace space, ulong heap, string path, LinuxProcess? parent = null)
    {
        System = system;
        Space = space;
        Parent = parent;
        Path = path;
        HeapStart = HeapEnd = heap;
        Id = system.NewId();
        Group = parent?.Group ?? Id;
        Session = parent?.Session ?? Id;
        system.Processes.Add(this);
    }

    /// <summary>What all processes share.</summary>
    public LinuxSystem System { get; }

    /// <summary>Its number, as getpid(2) gives it.</summary>
    public int Id { get; }

    /// <summary>The number of its group of processes.</summary>
    public int Group { get; set; }

    /// <summary>The number of its session.</summary>
    public int Session { get; set; }

    /// <summary>The process that made it; null for the first one and for those whose parent has ended.</summary>
    public LinuxProcess? Parent { get; set; }

    /// <summary>The program's file, as an absolute path of the host.</summary>
    public string Path { get; set; }

    /// <summary>The CPU, with the registers of the thread that makes a call.</summary>
    public CpuState* Cpu => System.Cpu;

    /// <summary>The thread that makes a call.</summary>
    public LinuxThread Current => System.Current!;

    /// <summary>Its threads that have not ended.</summary>
    public IEnumerable<LinuxThread> Threads => System.Threads.Where(thread => thread.Process == this && !thread.HasEnded);

    /// <summary>Its memory.</summary>
    public AddressSpace Space { get; private set; }

    /// <summary>What the run was started with.</summary>
    public ProgramOptions Options => System.Options;

    /// <summary>Its descriptors.</summary>
    public FileTable Files { get; init; } = new();

    /// <summary>What it does about signals.</summary>
    public SignalActions Actions { get; init; } = new();

    /// <summary>The signals that were sent to it and that no thread has handled yet.</summary>
    public PendingSignals Pending { get; } = new();

    /// <summary>When SIGALRM comes (alarm(2)), in ticks of <see cref="Environment.TickCount64"/>.</summary>
    public long AlarmAt { get; set; } = Wait.Never;

    /// <summary>Milliseconds from one SIGALRM to the next; 0: there is one only.</summary>
    public long AlarmEvery { get; set; }

    /// <summary>Where its heap starts.</summary>
    public ulong HeapStart { get; private set; }

    /// <summary>Its program break (brk(2)).</summary>
    public ulong HeapEnd { get; set; }

    /// <summary>How new files' permissions are cut; the host cuts them by its own, too.</summary>
    public int FileModeMask { get; set; }

    /// <summary>Its name (prctl(2), PR_SET_NAME).</summary>
    public byte[] Name { get; set; } = [];

    /// <summary>Set once it has ended.</summary>
    public ProgramEnd? End { get; private set; }

    /// <summary>The signal its parent gets when it ends (clone(2)).</summary>
    public Signal EndSignal { get; init; } = Signal.Child;

    /// <summary>It still uses its parent's memory, and the parent waits for that to end (vfork(2)).</summary>
    public bool BorrowsMemory { get; set; }

    /// <summary>What wait(2) tells of its end.</summary>
    public int WaitStatus => End switch
    {
        ProgramEnd.Exited exited => exited.Status << 8,
        ProgramEnd.Signalled signalled => (int)signalled.Signal,
        ProgramEnd.Faulted faulted => (int)faulted.Signal,
        _ => 0,
    };

    /// <summary>Waits in the present call for a result, if there is none at once.</summary>
    /// <returns>The result, if there is one.</returns>
    public long Await(Wait wait)
    {
        if (wait.TryFinish() is { } result)
            return result;
        Current.Wait = wait;
        return 0;
    }

    /// <summary>Takes another program's memory in place of its own.</summary>
    public void Replace(AddressSpace space, ulong heap, string path)
    {
        Space.Release();
        Space = space;
        space.Enter();
        HeapStart = HeapEnd = heap;
        Path = path;
        BorrowsMemory = false;
        Actions.ForgetHandlers();
        Files.CloseForExec();
    }

    /// <summary>A copy without threads, as fork(2) makes it; null if there is no memory for it.</summary>
    /// <param name="borrow">It uses the same memory until it runs another program or ends.</param>
    /// <param name="endSignal">The signal for the parent when it ends.</param>
    public LinuxProcess? Fork(bool borrow, Signal endSignal)
    {
        if ((borrow ? Space.Share() : Space.Copy()) is not { } space)
            return null;
        return new LinuxProcess(System, space, HeapStart, Path, this)
        {
            HeapEnd = HeapEnd,
            Files = Files.Copy(),
            Actions = Actions.Copy(),
            FileModeMask = FileModeMask,
            Name = Name,
            EndSignal = endSignal,
            BorrowsMemory = borrow,
        };
    }

    /// <summary>Ends it with all its threads.</summary>
    public void Finish(ProgramEnd end)
    {
        if (End is not null)
            return;
        End = end;
        foreach (LinuxThread thread in System.Threads)
            thread.HasEnded |= thread.Process == this;
        Files.Dispose();
        Space.Release();
        BorrowsMemory = false;
        foreach (LinuxProcess child in System.Processes.FindAll(process => process.Parent == this))
        {
            child.Parent = null;
            child.ForgetIfUnwaited();
        }

        if (Parent is { } parent && EndSignal != Signal.None)
            SignalDelivery.Send(parent, EndSignal);
        ForgetIfUnwaited();
    }

    /// <summary>Sends SIGALRM if its time has come.</summary>
    public void RingAlarm()
    {
        if (AlarmAt == Wait.Never || !Wait.IsOver(AlarmAt))
            return;
        AlarmAt = AlarmEvery == 0 ? Wait.Never : AlarmAt + AlarmEvery;
        SignalDelivery.Send(this, Signal.Alarm);
    }

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

    /// <summary>Writes an int into its memory: 0, or a negative error.</summary>
    public long Write32(ulong address, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Write(address, bytes);
    }

    /// <summary>Writes bytes into its memory: 0, or a negative error.</summary>
    public long Write(ulong address, ReadOnlySpan<byte> bytes) => Space.TryWrite(address, bytes) ? 0 : -Errno.BadAddress;

    /// <summary>Reads a text of its memory that ends with a zero; null with a positive error.</summary>
    /// <param name="address">Where it starts.</param>
    /// <param name="longest">The most bytes, with the zero.</param>
    /// <param name="error">EFAULT, or ENAMETOOLONG.</param>
    public string? ReadText(ulong address, int longest, out int error)
    {
        var bytes = new List<byte>();
        error = Errno.BadAddress;
        while (bytes.Count < longest)
        {
            if (!Space.TryReach(address, 1, Protection.Read))
                return null;
            Span<byte> piece = Space.BytesAt(address, longest - bytes.Count);
            int end = piece.IndexOf((byte)0);
            foreach (byte character in end < 0 ? piece : piece[..end])
                bytes.Add(character);
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

    /// <summary>Reads a path of its memory; null with a positive error.</summary>
    public string? ReadPath(ulong address, out int error) => ReadText(address, LongestPath, out error);

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

        return path == OwnProgram ? Path : Files.Resolve(folder, path, out error);
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

    /// <summary>Nobody will ask for its end: there is no parent any more, or it ignores SIGCHLD.</summary>
    private void ForgetIfUnwaited()
    {
        if (End is not null && (Parent is null || Parent.Actions.HandlerOf(Signal.Child) == SignalActions.Ignored))
            System.Processes.Remove(this);
    }
}
