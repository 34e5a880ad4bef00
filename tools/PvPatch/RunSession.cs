using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Results;

namespace PvPatch.Tool;

/// <summary>One program from its file to its exit code.</summary>
/// <param name="options">What was asked for.</param>
internal sealed unsafe class RunSession(RunOptions options)
{
    private const int SignalBase = 128;
    private const int LimitReached = 124;
    private const long LargestFile = 1 << 30;

    /// <summary>The runtime tells what it compiled some time later, on a thread of its own.</summary>
    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(10);

    private static readonly string[] RegisterNames =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private volatile bool _ended;
    private volatile int _stopSignal;

    /// <summary>Runs it; the exit code is the program's.</summary>
    internal ExitCode Run()
    {
        ElfImage image = ReadImage();
        ulong? stopAt = options.Explain is { } word ? AddressOf(word, image) : null;
        using LinuxProgram program = Load(image, stopAt);
        using var cancellation = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = Listen(PosixSignal.SIGINT, Signal.Interrupt, program, cancellation);
        using PosixSignalRegistration terminate = Listen(PosixSignal.SIGTERM, Signal.Terminate, program, cancellation);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        var wall = Stopwatch.StartNew();
        ProgramEnd end = program.Run(cancellation.Token);
        _ended = true;
        TimeSpan cpuTime = Environment.CpuUsage.TotalTime - before;
        ExitCode code = stopAt is { } asked ? Explain(program, end, asked) : Tell(program, end);
        if (options.Stats)
            PrintStats(program, cpuTime, wall.Elapsed);
        return code;
    }

    private ElfImage ReadImage()
    {
        if (Directory.Exists(options.Program))
            throw new ToolException(ExitCode.BadInput, $"'{options.Program}' can't be run: it is a folder.");
        try
        {
            if (new FileInfo(options.Program) is { Exists: true, Length: > LargestFile } file)
                throw new ToolException(ExitCode.BadInput, $"'{options.Program}' can't be run: its {file.Length} bytes are more than {LargestFile}.");
            return ElfImage.Read(File.ReadAllBytes(options.Program));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ToolException(ExitCode.BadInput, $"The program can't be read: {e.Message}", e);
        }
        catch (ElfException e)
        {
            throw Refused(e);
        }
    }

    private LinuxProgram Load(ElfImage image, ulong? stopAt)
    {
        try
        {
            return new LinuxProgram(image, new ProgramOptions
            {
                Path = options.Program,
                Arguments = [options.Program, .. options.Arguments],
                Environment = HostEnvironment(),
                MemorySize = options.Memory << 20,
                MaxInstructions = options.MaxInstructions,
                Tier = options.Tier,
                LockStep = options.LockStep,
                Sensitive = options.Sensitive,
                StopAt = stopAt,
                Input = StandardStreams.Input(),
                Output = StandardStreams.Output(),
                Error = StandardStreams.Error(),
                Owner = StandardStreams.Owner(),
                TerminalSize = TerminalSize(),
                Note = options.Note,
                Trace = options.Trace ? static (rip, text) => Console.Error.WriteLine($"{rip:x16}  {text}") : null,
            });
        }
        catch (ElfException e)
        {
            throw Refused(e);
        }
    }

    /// <summary>The address of a symbol, or of a hexadecimal number that no symbol is called.</summary>
    private ulong AddressOf(string word, ElfImage image)
    {
        ulong moved = image.PositionIndependent ? ElfImage.PositionIndependentBase : 0;
        if (image.AddressOf(word) is not { } address &&
            !ulong.TryParse(word.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? word.AsSpan(2) : word, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address))
        {
            throw new ToolException(ExitCode.BadInput, $"'{word}' is neither a symbol of '{options.Program}' nor a hexadecimal number.");
        }

        return image.Segments.Any(segment => segment.Executable && address - moved >= segment.Address && address - moved < segment.End)
            ? address
            : throw new ToolException(ExitCode.BadInput, $"0x{address:x} is not in the code of '{options.Program}'.");
    }

    private ExitCode Explain(LinuxProgram program, ProgramEnd end, ulong address)
    {
        if (end is not ProgramEnd.Reached)
        {
            ExitCode code = Tell(program, end);
            string how = end is ProgramEnd.Exited ? $"ended with status {(int)code}" : "was stopped";
            throw new ToolException(ExitCode.BadInput, $"0x{address:x} was not executed: the program {how} after {program.Instructions} instructions.");
        }

        using var map = new CodeMap();
        ExplainedRegion region = program.Explain();
        MachineCode? machineCode = null;
        SpinWait.SpinUntil(() => region.Code == 0 || (machineCode = map.At((ulong)region.Code)) is not null, MostWait);
        GC.KeepAlive(region.Owner);
        Console.Out.Write(ExplainText.Of(address, region, machineCode));
        return ExitCode.Success;
    }

    private static List<string> HostEnvironment()
    {
        var lines = new List<string>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            lines.Add(string.Concat((string)variable.Key, "=", (string?)variable.Value));
        return lines;
    }

    private ToolException Refused(ElfException e) => new(ExitCode.BadInput, $"'{options.Program}' can't be run: {e.Message}.", e);

    private static (ushort Rows, ushort Columns) TerminalSize() =>
        Console.IsOutputRedirected ? ((ushort)24, (ushort)80) : ((ushort)Console.WindowHeight, (ushort)Console.WindowWidth);

    /// <summary>
    /// A signal ends the run between two instructions, with its figures. While the program waits for the host the signal
    /// does what it always does: it ends this process.
    /// </summary>
    private PosixSignalRegistration Listen(PosixSignal posix, Signal signal, LinuxProgram program, CancellationTokenSource cancellation) =>
        PosixSignalRegistration.Create(posix, context =>
        {
            if (_ended)
                return;
            _stopSignal = (int)signal;
            context.Cancel = !program.IsInSystemCall;
            cancellation.Cancel();
        });

    private ExitCode Tell(LinuxProgram program, ProgramEnd end)
    {
        switch (end)
        {
            case ProgramEnd.Exited exited:
                return (ExitCode)exited.Status;
            case ProgramEnd.Signalled signalled:
                if (signalled.Signal != Signal.Pipe)
                    Failure.Say($"The program ended by signal {(int)signalled.Signal}, {NameOf(signalled.Signal)}, which it sent to itself.");
                return CodeOf(signalled.Signal);
            case ProgramEnd.Faulted fault:
                Failure.Say($"The program ended by signal {(int)fault.Signal}, {NameOf(fault.Signal)}: {fault.Sentence}; at RIP 0x{fault.Rip:x}: {fault.Instruction}");
                PrintRegisters(program);
                return CodeOf(fault.Signal);
            case ProgramEnd.Differed differed:
                Failure.Say(differed.Difference);
                return ExitCode.InternalError;
            case ProgramEnd.LimitReached:
                Failure.Say($"The program was stopped at RIP 0x{program.Cpu->Rip:x} after {program.Instructions} instructions, as --max-instructions says.");
                return (ExitCode)LimitReached;
            default:
                Failure.Say($"The program was stopped at RIP 0x{program.Cpu->Rip:x} after {program.Instructions} instructions, by signal {_stopSignal}.");
                return CodeOf((Signal)_stopSignal);
        }
    }

    private static ExitCode CodeOf(Signal signal) => (ExitCode)(SignalBase + (int)signal);

    private static string NameOf(Signal signal) => signal switch
    {
        Signal.Hangup => "SIGHUP",
        Signal.Interrupt => "SIGINT",
        Signal.IllegalInstruction => "SIGILL",
        Signal.Trap => "SIGTRAP",
        Signal.Abort => "SIGABRT",
        Signal.Bus => "SIGBUS",
        Signal.Arithmetic => "SIGFPE",
        Signal.Kill => "SIGKILL",
        Signal.Segmentation => "SIGSEGV",
        Signal.Pipe => "SIGPIPE",
        Signal.Terminate => "SIGTERM",
        _ => "of no name here",
    };

    private static void PrintRegisters(LinuxProgram program)
    {
        CpuState* cpu = program.Cpu;
        for (int row = 0; row < 4; row++)
        {
            string[] words = new string[4];
            for (int column = 0; column < 4; column++)
            {
                int number = (row * 4) + column;
                words[column] = $"{RegisterNames[number],-3}={cpu->Gpr[number]:x16}";
            }

            Console.Error.WriteLine($"  {string.Join(' ', words)}");
        }

        Console.Error.WriteLine($"  rip={cpu->Rip:x16} rfl={cpu->RFlags:x16} fs ={cpu->Fs.Base:x16} gs ={cpu->Gs.Base:x16}");
    }

    private void PrintStats(LinuxProgram program, TimeSpan cpuTime, TimeSpan wall)
    {
        double mips = program.Instructions / Math.Max(cpuTime.TotalSeconds, 1e-6) / 1e6;
        Console.Error.WriteLine($"PvPatch: {program.Instructions:n0} instructions in {cpuTime.TotalSeconds:f3} s of CPU time ({wall.TotalSeconds:f3} s in all): {mips:f1} MIPS");
        Console.Error.WriteLine($"PvPatch: {program.SystemCalls:n0} system calls, {program.PageFaults:n0} page faults, {program.TlbInvalidations:n0} TLB invalidations, at most {program.MostResidentBytes / 1024:n0} KiB resident");
        if (options.Tier == ExecutionTier.Interpreted)
            return;
        TranslationStatistics translation = program.Translation;
        Console.Error.WriteLine($"PvPatch: {translation.Regions:n0} regions of {translation.Instructions:n0} instructions, compiled in {translation.CompileTime.TotalSeconds:f3} s; about {translation.TranslatedTime.TotalSeconds:f3} s in translated code, {translation.InterpretedTime.TotalSeconds:f3} s in other");
        Console.Error.WriteLine($"PvPatch: side exits: {translation.MemoryExits:n0} memory, {translation.InstructionExits:n0} instruction, {translation.BudgetExits:n0} limit, {translation.TargetExits:n0} target");
        foreach (var sites in program.SensitiveSites.Sites.GroupBy(site => (site.Op, site.Replacement)).OrderBy(group => group.Key.Op, StringComparer.Ordinal))
            Console.Error.WriteLine($"PvPatch: {sites.Key.Op} in {sites.Count()} places: {sites.Key.Replacement}");
    }
}
