using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux.Calls;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Loading;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Linux.Tasks;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Linux;

/// <summary>
/// Runs one static x86-64 Linux program, with the threads and processes that it makes: their instructions on the
/// interpreter, one thread after the other, in page tables of their own; their system calls answered here. Nothing that a
/// program does reaches beyond its memory and the files that the user may use.
/// </summary>
public sealed unsafe class LinuxProgram : IDisposable
{
    /// <summary>Instructions after which another thread has its turn, and between two looks at whether the run was cancelled.</summary>
    private const ulong Slice = 1 << 20;

    private readonly ProgramOptions _options;
    private readonly PhysicalMemory _memory;
    private readonly UserCpu _cpu;
    private readonly InterpretedCpu _interpreter;
    private readonly LockStep? _lockStep;
    private readonly CancellationTokenSource _cancellation = new();
    private readonly LinuxSystem _system;
    private readonly LinuxProcess _first;
    private readonly ulong[] _refused = new ulong[64];
    private int _refusals;
    private bool _reached;

    /// <summary>Loads a program.</summary>
    /// <exception cref="ElfException">It does not fit.</exception>
    public LinuxProgram(ElfImage image, ProgramOptions options)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _memory = new PhysicalMemory(options.MemorySize);
        _cpu = new UserCpu(_memory, options.LockStep);
        _interpreter = new InterpretedCpu(_cpu.State, systemCallsLeave: true, tier: options.Tier, sensitive: new SensitiveCalls(_cpu.Table, options.Sensitive));
        if (options.StopAt is { } stop)
            _interpreter.Hooks.Add(stop, stop, StopHere);
        _lockStep = options.LockStep ? new LockStep(_cpu.State, _interpreter, _memory) : null;
        _system = new LinuxSystem(_cpu.State, _memory, options, _cancellation.Token);
        try
        {
            AddressSpace space = _system.NewSpace();
            var loaded = LoadedProgram.Load(space, image, new ProgramStart(options.Path, options.Arguments, options.Environment), options.Owner);
            _first = new LinuxProcess(_system, space, loaded.Heap, Path.GetFullPath(options.Path));
            _first.Files.Add(new StreamFile(options.Input, 0));
            _first.Files.Add(new StreamFile(options.Output, OpenFlags.WriteOnly));
            _first.Files.Add(new StreamFile(options.Error, OpenFlags.WriteOnly));
            var thread = new LinuxThread(_first.Id, _first) { Registers = UserRegisters.AtStart(loaded.Entry, loaded.Stack) };
            _system.TryAdd(thread);
            _system.Switch(thread);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The registers of the thread that runs.</summary>
    public CpuState* Cpu => _cpu.State;

    /// <summary>Instructions that were executed, by all threads.</summary>
    public ulong Instructions => _interpreter.Instructions;

    /// <summary>System calls that were made.</summary>
    public ulong SystemCalls { get; private set; }

    /// <summary>Where the translated code that there is now calls sensitive ops, and how.</summary>
    public PatchReport SensitiveSites => _interpreter.SensitiveSites;

    /// <summary>What the translator did.</summary>
    public TranslationStatistics Translation => _interpreter.Translation;

    /// <summary>Page faults that gave a page its memory.</summary>
    public ulong PageFaults { get; private set; }

    /// <summary>How often translations were taken from the TLB.</summary>
    public ulong TlbInvalidations => _cpu.State->TlbGeneration;

    /// <summary>Bytes of memory that all processes had at most at a time, with their page tables.</summary>
    public ulong MostResidentBytes => _system.MostBytes;

    /// <summary>The program waits for a read or a write of the host, which cancelling does not end.</summary>
    public bool IsInSystemCall { get; private set; }

    /// <summary>Runs the program to its end, which is that of its first process. A program runs once.</summary>
    public ProgramEnd Run(CancellationToken cancellation = default)
    {
        using CancellationTokenRegistration link = cancellation.Register(_cancellation.Cancel);
        ulong turnEnds = Slice;
        while (_first.End is null)
        {
            if (cancellation.IsCancellationRequested)
                return new ProgramEnd.Cancelled();
            ulong left = _options.MaxInstructions - _interpreter.Instructions;
            if (left == 0)
                return new ProgramEnd.LimitReached();
            _system.Current?.Process.RingAlarm();
            LinuxThread? thread = _system.Next(stay: _interpreter.Instructions < turnEnds);
            if (thread is null)
            {
                _system.Idle();
                continue;
            }

            if (thread != _system.Current || _interpreter.Instructions >= turnEnds)
                turnEnds = _interpreter.Instructions + Slice;
            _system.Switch(thread);
            SignalDelivery.DeliverDue(thread);
            if (!thread.HasEnded)
                Step(thread, Math.Min(left, turnEnds - _interpreter.Instructions));
            if (_reached)
                return new ProgramEnd.Reached();
            if (_lockStep?.Difference is { } difference)
                return new ProgramEnd.Differed(difference);
            if (thread.HasEnded)
                _system.Sweep();
        }

        return _first.End;
    }

    /// <summary>What becomes of the code at the next instruction; nothing of it is executed.</summary>
    public ExplainedRegion Explain() => _interpreter.Explain();

    /// <summary>Frees the memory and closes the files.</summary>
    public void Dispose()
    {
        foreach (LinuxProcess process in _system?.Processes.ToArray() ?? [])
            process.Files.Dispose();
        _lockStep?.Dispose();
        _interpreter.Dispose();
        _cpu.Dispose();
        _memory.Dispose();
        _cancellation.Dispose();
    }

    private void StopHere(CpuState* cpu)
    {
        _reached = true;
        _interpreter.Leave();
    }

    private void Step(LinuxThread thread, ulong atMost)
    {
        AddressSpace space = thread.Process.Space;
        if (_options.Trace is { } trace)
            trace(_cpu.State->Rip, GuestFault.TextAt(space, _cpu.State->Rip));
        atMost = _options.Trace is null ? atMost : 1;
        switch (_lockStep is null ? _interpreter.Run(atMost) : _lockStep.Run(atMost, _system.UsedFrames))
        {
            case StopReason.SystemCall:
                Answer(thread);
                break;
            case StopReason.Exception { Vector: Vectors.PageFault } fault when GuestFault.IsFromMemory(fault):
                Population found = space.Populate(fault.Address, GuestFault.Wanted(fault));
                if (found == Population.Done)
                    PageFaults++;
                else
                    Fault(thread, fault, found);
                break;
            case StopReason.Exception exception:
                Fault(thread, exception, Population.Done);
                break;
        }
    }

    private void Fault(LinuxThread thread, StopReason.Exception exception, Population found)
    {
        CpuState* cpu = _cpu.State;
        ProgramEnd.Faulted end = GuestFault.Describe(cpu, thread.Process.Space, exception, found);
        var fault = new FaultInfo(exception.Vector, exception.ErrorCode, exception.Address);
        if (end.Signal != Signal.Kill && SignalDelivery.TryHandleFault(thread, end.Signal, GuestFault.InfoOf(cpu, exception, found), fault))
            return;
        if (thread.Process != _first)
            _options.Note($"Process {thread.Process.Id} ended by signal {(int)end.Signal}: {end.Sentence}; at RIP 0x{end.Rip:x}: {end.Instruction}");
        thread.Process.Finish(end);
    }

    /// <summary>Whether a system call that is not there is asked for the first time; after many others it is not told.</summary>
    private bool IsRefusedFirst(ulong number)
    {
        for (int i = 0; i < _refusals; i++)
        {
            if (_refused[i] == number)
                return false;
        }

        if (_refusals == _refused.Length)
            return false;
        _refused[_refusals++] = number;
        return true;
    }

    private void Answer(LinuxThread thread)
    {
        CpuState* cpu = _cpu.State;
        SystemCalls++;
        thread.LastCall = cpu->Rax;
        if (SystemCallTable.Find(cpu->Rax) is not { } call)
        {
            if (IsRefusedFirst(cpu->Rax))
                _options.Note($"System call {cpu->Rax} is not there: ENOSYS, first at RIP 0x{cpu->Rip - 2:x}.");
            cpu->Rax = unchecked((ulong)-Errno.NotImplemented);
            return;
        }

        var arguments = new CallArguments(cpu->Rdi, cpu->Rsi, cpu->Rdx, cpu->Gpr[10], cpu->Gpr[8], cpu->Gpr[9]);
        IsInSystemCall = true;
        long result = call(thread.Process, arguments);
        IsInSystemCall = false;
        if (thread.Wait is null)
            cpu->Rax = (ulong)result;
    }
}
