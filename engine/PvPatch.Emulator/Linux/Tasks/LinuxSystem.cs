using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Tasks;

/// <summary>
/// What all processes of a run share: the CPU, the memory, the list of threads, who waits at which futex. One CPU serves
/// all threads in turn, so a run without outside influence is the same every time.
/// </summary>
/// <param name="cpu">The CPU.</param>
/// <param name="memory">Its RAM.</param>
/// <param name="options">What the first program was started with.</param>
/// <param name="cancellation">Ends the run.</param>
internal sealed unsafe class LinuxSystem(CpuState* cpu, PhysicalMemory memory, ProgramOptions options, CancellationToken cancellation)
{
    /// <summary>The number of the first process.</summary>
    public const int FirstId = 1000;

    /// <summary>The most threads of all processes.</summary>
    private const int MostThreads = 4096;

    private readonly FrameAllocator _frames = new(memory);
    private readonly List<LinuxThread> _threads = [];
    private int _nextId = FirstId;

    /// <summary>The CPU.</summary>
    public CpuState* Cpu => cpu;

    /// <summary>What the first program was started with.</summary>
    public ProgramOptions Options => options;

    /// <summary>Ends the run.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>Who waits at which futex.</summary>
    public Futexes Futexes { get; } = new();

    /// <summary>The thread that has the CPU.</summary>
    public LinuxThread? Current { get; private set; }

    /// <summary>The threads that have not ended.</summary>
    public IReadOnlyList<LinuxThread> Threads => _threads;

    /// <summary>The processes whose end was told to their parent, or that have not ended.</summary>
    public List<LinuxProcess> Processes { get; } = [];

    /// <summary>Bytes that frames are left for.</summary>
    public ulong FreeBytes => _frames.Free * AddressSpace.PageSize;

    /// <summary>The most bytes that had frames at a time.</summary>
    public ulong MostBytes => _frames.Most * AddressSpace.PageSize;

    /// <summary>The pages of guest RAM that were ever used.</summary>
    public IEnumerable<ulong> UsedFrames => _frames.Used;

    /// <summary>Addresses in which nothing is mapped.</summary>
    public AddressSpace NewSpace() => new(cpu, memory, _frames);

    /// <summary>The next number for a process or a thread.</summary>
    public int NewId() => _nextId++;

    /// <summary>Makes a thread known; false if there are too many.</summary>
    public bool TryAdd(LinuxThread thread)
    {
        if (_threads.Count >= MostThreads)
            return false;
        _threads.Add(thread);
        return true;
    }

    /// <summary>The process of a number; null if there is none, or if it has ended.</summary>
    public LinuxProcess? Find(int id) => Processes.Find(process => process.Id == id && process.End is null);

    /// <summary>Gives the CPU to a thread.</summary>
    public void Switch(LinuxThread thread)
    {
        if (thread == Current)
            return;
        if (Current is { HasEnded: false } before)
            before.Registers = UserRegisters.Of(cpu);
        if (Current?.Process.Space != thread.Process.Space)
            thread.Process.Space.Enter();
        thread.Registers.Load(cpu);
        Current = thread;
    }

    /// <summary>Forgets the threads that have ended.</summary>
    public void Sweep() => _threads.RemoveAll(thread => thread.HasEnded);

    /// <summary>
    /// The next thread that can run, from the one after the current one on; null if all wait. The current one comes last, or
    /// first if it is to stay.
    /// </summary>
    /// <param name="stay">The current thread goes on if it can.</param>
    public LinuxThread? Next(bool stay)
    {
        if (stay && Current is { HasEnded: false, Wait: null })
            return Current;
        int first = Current is null ? 0 : _threads.IndexOf(Current) + 1;
        for (int i = 0; i < _threads.Count; i++)
        {
            LinuxThread thread = _threads[(first + i) % _threads.Count];
            if (!thread.HasEnded && TryWake(thread))
                return thread;
        }

        return null;
    }

    /// <summary>Waits until the first deadline, or until the run is cancelled.</summary>
    public void Idle()
    {
        const int LongestNap = 1000;
        long deadline = _threads.Select(thread => Math.Min(thread.Wait?.Deadline ?? Wait.Never, thread.Process.AlarmAt)).Min();
        cancellation.WaitHandle.WaitOne((int)Math.Clamp(deadline - Environment.TickCount64, 0, LongestNap));
    }

    private bool TryWake(LinuxThread thread)
    {
        thread.Process.RingAlarm();
        if (thread.Wait is not { } wait)
            return true;
        long? result = wait.TryFinish();
        if (result is null && thread.DueSignal != Signal.None)
            result = wait.GiveUp() ?? SignalDelivery.Interrupted(thread, wait);
        if (result is null)
            return false;
        thread.Wait = null;
        if (thread == Current)
            cpu->Rax = (ulong)result.Value;
        else
            thread.Registers.SetResult((ulong)result.Value);
        return true;
    }
}
