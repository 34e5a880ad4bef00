using PvPatch.Emulator;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Guests;
using PvPatch.Engine.Diagnosis;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Hosts;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Tool;

/// <summary>One boot: the machine, the kernel through its slots, its patched text, the figures.</summary>
/// <param name="options">What was asked for.</param>
internal sealed unsafe class BootSession(BootOptions options)
{
    private const int Cpus = 2;                         // the second one gives the locks something to wait for

    private readonly BootText _text = new(Console.Out, Ink.ForStandardOutput(), options);

    /// <summary>Boots, patches, measures, prints.</summary>
    internal ExitCode Run()
    {
        using BootReportFile? report = options.Report is { } path ? BootReportFile.Open(path) : null;
        using PatchDiagnosis? diagnosis = options.Diagnose ? PatchDiagnosis.Start() : null;
        var image = new GuestImage(options.Guest);
        IGuestKernel kernel = image.LoadUnpatched();
        CheckWorkload(kernel);
        KnownHost host = ChooseHost();

        using var machine = new Machine(new MachineOptions { Platform = host.Create(), Cpus = Cpus, Console = _text.GuestLine });
        var boot = new BootParameters(machine.Cpu(0), $"workload={options.Workload} seed={options.Seed}");
        Do(machine, () => kernel.Boot(boot));

        _text.Progress($"running the {options.Workload} workload through the slots");
        var meter = MeterOf(machine, kernel);
        int rounds = meter.FindRounds();
        IReadOnlyDictionary<string, long> calls = kernel.Ops.CountCalls(() => RunWorkload(machine, kernel, rounds));
        WorkloadTiming slots = meter.Measure(rounds);

        using GuestPatch? patch = options.Patch ? GuestPatch.Of(options.Mode, image, kernel) : null;
        WorkloadTiming? patched = null;
        if (patch is not null)
        {
            PvOpTable installed = kernel.Ops;
            if (patch.Kernel != kernel)
                Do(machine, () => patch.Kernel.Resume(boot, installed));
            kernel = patch.Kernel;
            _text.Progress($"running the {options.Workload} workload patched");
            patched = MeterOf(machine, kernel).Measure(rounds);
            foreach (string note in patch.Notes)
                _text.Note(note);
        }

        DiagnosisReport? diagnosed = diagnosis is null ? null : patch?.Diagnosed(diagnosis);
        MachineExit end = machine.Run(kernel.Shutdown);
        if (end is not MachineExit.PoweredOff)
            throw Stopped(end);
        var result = new BootResult(machine.PlatformName, kernel.Ops, rounds, calls, slots, patch?.Report, patched, diagnosed);
        _text.Write(result);
        report?.Write(options, result);
        return result.ChecksumsEqual
            ? ExitCode.Success
            : throw new ToolException(ExitCode.InternalError, $"The checksums differ: {slots.Checksum:x16} and {slots.TimedChecksum:x16} through the slots, {patched!.Checksum:x16} and {patched.TimedChecksum:x16} patched.");
    }

    private WorkloadMeter MeterOf(Machine machine, IGuestKernel kernel) => new(rounds => RunWorkload(machine, kernel, rounds));

    private ulong RunWorkload(Machine machine, IGuestKernel kernel, int rounds)
    {
        ulong checksum = 0;
        Do(machine, () => checksum = kernel.Run(options.Workload, options.Seed, rounds));
        return checksum;
    }

    /// <summary>Runs guest code to its end.</summary>
    /// <param name="machine">On which machine.</param>
    /// <param name="guest">What to run.</param>
    /// <exception cref="ToolException">The guest stopped otherwise.</exception>
    internal static void Do(Machine machine, Action guest)
    {
        MachineExit exit = machine.Run(guest);
        if (exit is not MachineExit.Returned)
            throw Stopped(exit);
    }

    private static ToolException Stopped(MachineExit exit) => exit switch
    {
        MachineExit.Panicked panic => new ToolException(ExitCode.InternalError, $"The guest kernel panicked: {PanicLine(panic.Message)}"),
        MachineExit.TripleFault fault => new ToolException(ExitCode.InternalError, $"The guest stopped with a triple fault: {fault.Detail}"),
        MachineExit.Threw threw => new ToolException(ExitCode.InternalError, $"The guest stopped with an exception: {threw.Cause.Message}", threw.Cause),
        _ => new ToolException(ExitCode.InternalError, $"The guest stopped unexpectedly: {exit}"),
    };

    /// <summary>Of the console's last lines the one that says why; all of them where a guest has other words for it.</summary>
    private static string PanicLine(string lastLines) =>
        Array.FindLast(lastLines.Split('\n'), line => line.Contains("Kernel panic", StringComparison.Ordinal)) ?? lastLines;

    private void CheckWorkload(IGuestKernel kernel)
    {
        if (!kernel.Workloads.Contains(options.Workload, StringComparer.Ordinal))
            throw new ToolException(ExitCode.WrongUsage, $"'{options.Workload}' is no workload; there are {string.Join(", ", kernel.Workloads)}.");
    }

    /// <summary>The hypervisor that was asked for, else the detected one, else bare hardware with a line that says so.</summary>
    private KnownHost ChooseHost()
    {
        if (options.Hypervisor is { } name)
            return KnownHosts.Find(name)!;
        DetectionResult detected = HypervisorDetector.Detect(HostCpuid.Instance, PlatformFiles.ThisMachine);
        KnownHost bare = KnownHosts.Find("bare")!;
        if (!detected.IsVirtual)
        {
            _text.Note("No hypervisor detected: booting on bare hardware.");
            return bare;
        }

        if (KnownHosts.Find(detected.Kind.ToString()) is { } host)
        {
            _text.Note($"This system runs on {detected.Name}: booting on the same.");
            return host;
        }

        _text.Note($"This system runs on {detected.Name}, which the guest has no ops for: booting on bare hardware.");
        return bare;
    }
}
