using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Yardsticks;

namespace PvPatch.Perf.Rows;

/// <summary>
/// The emulator beside the processor and QEMU: one repetition of a program's work, which each does in a process of its own, its
/// start-up taken off. All must print the same checksum. What compiles while it runs pays for that.
/// </summary>
[Launches(1, Seconds = 35, QuickSeconds = 20)]
[QuickValues(nameof(Program), "bytecode")]
public class EmulatorPrograms : IMeasuredTime, IMeasuredCode, IEventCounts, IQuickRun
{
    /// <summary>No contender is so much slower than the processor that fewer of its repetitions are enough.</summary>
    private const int Slowest = 16;

    private readonly Dictionary<string, RepeatedRuns> _runs = new(StringComparer.Ordinal);
    private string _folder = "";
    private Yardstick _yardstick = null!;
    private RepeatedRuns _native = null!;
    private long _instructions;

    /// <summary>The programs.</summary>
    public static IEnumerable<string> Programs => Yardstick.Names;

    /// <summary>What runs.</summary>
    [ParamsSource(nameof(Programs))]
    public string Program { get; set; } = "";

    /// <inheritdoc/>
    public bool IsQuick { get; set; }

    /// <inheritdoc/>
    public double Nanoseconds { get; private set; }

    /// <summary>It is code of other processes.</summary>
    public Delegate? Measured => null;

    /// <summary>Compiles the program.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new PlatformNotSupportedException("The programs that the emulator is measured with are for Linux on x86-64.");
        _folder = Directory.CreateTempSubdirectory("pvpatch-yardsticks-").FullName;
        try
        {
            _yardstick = Yardstick.Compile(Program, _folder);
            _native = new RepeatedRuns(Contender.Native, _yardstick, 1, Seconds);
            _runs.Add(Contender.Native.Name, _native);
            _instructions = OwnProgram.IsPvPatch ? GuestInstructions.OfRepetition(_yardstick) : 0;
        }
        catch
        {
            CleanUp();
            throw;
        }
    }

    /// <summary>Deletes it.</summary>
    [GlobalCleanup]
    public void CleanUp() => Directory.Delete(_folder, recursive: true);

    /// <summary>The processor.</summary>
    [Benchmark(Description = "native", Baseline = true)]
    public void Native() => Measure(Contender.Native);

    /// <summary>QEMU's user mode.</summary>
    [Benchmark(Description = "qemu-x86_64")]
    public void QemuUser() => Measure(Contender.QemuUser);

    /// <summary>QEMU's system emulation: the same work as a kernel of its own, in long mode with paging.</summary>
    [Benchmark(Description = "qemu-system-x86_64")]
    public void QemuSystem() => Measure(Contender.QemuSystem);

    /// <summary>The interpreter alone.</summary>
    [Benchmark(Description = "PvPatch run --tier 0")]
    public void Interpreted() => Measure(Contender.Tool("0"));

    /// <summary>The interpreter, and the translator for what runs often.</summary>
    [Benchmark(Description = "PvPatch run")]
    public void Run() => Measure(Contender.Tool("auto"));

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> TakeEvents() => _instructions == 0
        ? new Dictionary<string, long>(StringComparer.Ordinal)
        : new Dictionary<string, long>(StringComparer.Ordinal) { ["instructions"] = _instructions };

    private double Seconds => IsQuick ? 0.4 : 1;

    private void Measure(Contender contender) => Nanoseconds = RunsOf(contender).Measure() * 1e9;

    private RepeatedRuns RunsOf(Contender contender)
    {
        if (_runs.TryGetValue(contender.Name, out RepeatedRuns? known))
            return known;
        var runs = new RepeatedRuns(contender, _yardstick, Math.Max(1, _native.Repetitions / Slowest), Seconds);
        if (runs.Checksum != _native.Checksum)
            throw new InvalidOperationException($"{contender.Name} computes {runs.Checksum.Trim()}, the processor {_native.Checksum.Trim()}.");
        _runs.Add(contender.Name, runs);
        return runs;
    }
}
