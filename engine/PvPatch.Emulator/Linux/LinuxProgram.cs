using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux.Calls;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Files;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Linux.Spaces;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux;

/// <summary>
/// Runs one static x86-64 Linux program: its instructions on the interpreter, in page tables of its own, its system calls
/// answered here. Nothing that the program does reaches beyond its memory and the files that the user may use.
/// </summary>
public sealed unsafe class LinuxProgram : IDisposable
{
    /// <summary>Instructions between two looks at whether the run was cancelled.</summary>
    private const ulong Slice = 1 << 20;

    private readonly ProgramOptions _options;
    private readonly PhysicalMemory _memory;
    private readonly UserCpu _cpu;
    private readonly AddressSpace _space;
    private readonly InterpretedCpu _interpreter;
    private readonly ulong _heap;
    private readonly Dictionary<ulong, SystemCall> _calls = SystemCallTable.All.ToDictionary(call => (ulong)call.Number);
    private readonly HashSet<ulong> _refused = [];

    /// <summary>Loads a program.</summary>
    /// <exception cref="ElfException">It does not fit.</exception>
    public LinuxProgram(ElfImage image, ProgramOptions options)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _memory = new PhysicalMemory(options.MemorySize);
        _cpu = new UserCpu(_memory);
        _space = new AddressSpace(_cpu.State, _memory);
        _interpreter = new InterpretedCpu(_cpu.State, systemCallsLeave: true);
        try
        {
            ulong slide = image.PositionIndependent ? ElfImage.PositionIndependentBase : 0;
            LoadSegments(image, slide);
            Protection stack = Protection.Read | Protection.Write | (image.ExecutableStack ? Protection.Execute : Protection.None);
            _space.Map(AddressSpace.StackBottom, AddressSpace.StackSize, stack);
            _cpu.State->Rsp = InitialStack.Fill(_space, image, slide, options);
            _cpu.State->Rip = image.Entry + slide;
            _heap = AddressSpace.RoundUp(image.Segments[^1].End + slide);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The registers.</summary>
    public CpuState* Cpu => _cpu.State;

    /// <summary>Instructions that were executed.</summary>
    public ulong Instructions => _interpreter.Instructions;

    /// <summary>System calls that were made.</summary>
    public ulong SystemCalls { get; private set; }

    /// <summary>Page faults that gave a page its memory.</summary>
    public ulong PageFaults { get; private set; }

    /// <summary>How often translations were taken from the TLB.</summary>
    public ulong TlbInvalidations => _cpu.State->TlbGeneration;

    /// <summary>Bytes of memory that the program has at present.</summary>
    public ulong ResidentBytes => _space.Populated * AddressSpace.PageSize;

    /// <summary>The program waits for a read or a write of the host, which cancelling does not end.</summary>
    public bool IsInSystemCall { get; private set; }

    /// <summary>Runs the program to its end. A program runs once.</summary>
    public ProgramEnd Run(CancellationToken cancellation = default)
    {
        using var process = new LinuxProcess(_cpu.State, _space, _options, _heap, cancellation);
        while (true)
        {
            if (cancellation.IsCancellationRequested)
                return new ProgramEnd.Cancelled();
            ulong left = _options.MaxInstructions - _interpreter.Instructions;
            if (left == 0)
                return new ProgramEnd.LimitReached();
            if (Step(process, left) is { } end)
                return end;
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _interpreter.Dispose();
        _cpu.Dispose();
        _memory.Dispose();
    }

    private ProgramEnd? Step(LinuxProcess process, ulong left)
    {
        if (_options.Trace is { } trace)
            trace(_cpu.State->Rip, GuestFault.TextAt(_space, _cpu.State->Rip));
        switch (_interpreter.Run(_options.Trace is null ? Math.Min(left, Slice) : 1))
        {
            case StopReason.SystemCall:
                Answer(process);
                return process.End;
            case StopReason.Exception { Vector: Vectors.PageFault } fault when GuestFault.IsFromMemory(fault):
                Population found = _space.Populate(fault.Address, GuestFault.Wanted(fault));
                if (found != Population.Done)
                    return GuestFault.Describe(_cpu.State, _space, fault, found);
                PageFaults++;
                return null;
            case StopReason.Exception exception:
                return GuestFault.Describe(_cpu.State, _space, exception, Population.Done);
            default:
                return null;
        }
    }

    private void Answer(LinuxProcess process)
    {
        CpuState* cpu = _cpu.State;
        SystemCalls++;
        if (!_calls.TryGetValue(cpu->Rax, out SystemCall? found))
        {
            if (_refused.Count < 64 && _refused.Add(cpu->Rax))
                _options.Note($"System call {cpu->Rax} is not there: ENOSYS, first at RIP 0x{cpu->Rip - 2:x}.");
            cpu->Rax = unchecked((ulong)-Errno.NotImplemented);
            return;
        }

        var arguments = new CallArguments(cpu->Rdi, cpu->Rsi, cpu->Rdx, cpu->Gpr[10], cpu->Gpr[8], cpu->Gpr[9]);
        IsInSystemCall = true;
        cpu->Rax = (ulong)found.Method(process, arguments);
        IsInSystemCall = false;
    }

    private void LoadSegments(ElfImage image, ulong slide)
    {
        foreach (ElfSegment segment in image.Segments)
        {
            Protection protection = (segment.Readable ? Protection.Read : Protection.None) |
                (segment.Writable ? Protection.Write : Protection.None) |
                (segment.Executable ? Protection.Execute : Protection.None);
            ulong start = AddressSpace.PageOf(segment.Address + slide);
            _space.Map(start, AddressSpace.RoundUp(segment.End + slide) - start, protection);
            if (!_space.TryLoad(segment.Address + slide, image.BytesOf(segment)))
                throw new ElfException(ElfError.NoRoom, $"it does not fit into {_options.MemorySize >> 20} MiB of memory");
        }
    }
}
