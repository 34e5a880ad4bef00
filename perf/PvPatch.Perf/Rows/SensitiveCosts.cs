using BenchmarkDotNet.Attributes;
using Iced.Intel;
using PvPatch.Emulator;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Translator;
using PvPatch.Hosts;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Yardsticks;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Perf.Rows;

/// <summary>
/// What a guest's sensitive instructions cost in translated code, an instruction of a loop of them, on every hypervisor: their ops bound
/// as the engine's rules say, called through the slots, and executed by the interpreter.
/// </summary>
[Launches(2)]
public class SensitiveCosts : IMeasuredCode
{
    private const int Instructions = 20_000;
    private const int Repeats = 8;

    private static readonly Dictionary<string, Action<Assembler>> Bodies = new(StringComparer.Ordinal)
    {
        ["cli; sti"] = a => { a.cli(); a.sti(); a.inc(rbx); },
        ["pushfq; pop"] = a => { a.pushfq(); a.pop(rax); },
        ["mov cr3"] = a => { a.mov(rax, cr3); a.mov(cr3, rax); },
        ["rdmsr"] = a => { a.mov(ecx, 0xc000_0103); a.rdmsr(); },
        ["cpuid"] = a => { a.xor(eax, eax); a.cpuid(); },
        ["in"] = a => a.@in(al, 0x80),
        ["out"] = a => a.@out(0x80, al),
        ["wbinvd"] = a => a.wbinvd(),
    };

    private readonly Dictionary<(ExecutionTier Tier, SensitiveBinding Binding), Machine> _machines = [];

    /// <summary>The hypervisors.</summary>
    public static IEnumerable<string> Hypervisors => KnownHosts.All.Select(host => host.Key);

    /// <summary>The loops.</summary>
    public static IEnumerable<string> Loops => Bodies.Keys;

    /// <summary>What the guest runs on.</summary>
    [ParamsSource(nameof(Hypervisors))]
    public string Hypervisor { get; set; } = "";

    /// <summary>What it does for ever.</summary>
    [ParamsSource(nameof(Loops))]
    public string Loop { get; set; } = "";

    /// <summary>A region is not one method of ours; <c>PvPatch run --explain</c> shows what becomes of code.</summary>
    public Delegate? Measured => null;

    /// <summary>Builds a machine for each way.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        foreach ((ExecutionTier tier, SensitiveBinding binding) in
            (ReadOnlySpan<(ExecutionTier, SensitiveBinding)>)[(ExecutionTier.Translated, SensitiveBinding.Patched), (ExecutionTier.Translated, SensitiveBinding.Indirect), (ExecutionTier.Interpreted, default)])
        {
            _machines[(tier, binding)] = LoopMachine.Build(Repeated, KnownHosts.Find(Hypervisor)!.Create(), tier, binding);
        }

        foreach (Machine machine in _machines.Values)
            Run(machine);
        if (_machines.Values.Select(machine => machine.Instructions).Distinct().Count() > 1)
            throw new InvalidOperationException("The counts differ.");
    }

    /// <summary>Frees the machines.</summary>
    [GlobalCleanup]
    public void CleanUp()
    {
        foreach (Machine machine in _machines.Values)
            machine.Dispose();
    }

    /// <summary>As what the slots hold asks for.</summary>
    [Benchmark(Description = "patched", Baseline = true, OperationsPerInvoke = Instructions)]
    public void Patched() => Run(_machines[(ExecutionTier.Translated, SensitiveBinding.Patched)]);

    /// <summary>Through the slots.</summary>
    [Benchmark(Description = "indirect", OperationsPerInvoke = Instructions)]
    public void Indirect() => Run(_machines[(ExecutionTier.Translated, SensitiveBinding.Indirect)]);

    /// <summary>Through the slots too, and nothing is translated.</summary>
    [Benchmark(Description = "interpreter", OperationsPerInvoke = Instructions)]
    public void Interpreted() => Run(_machines[(ExecutionTier.Interpreted, default)]);

    private static void Run(Machine machine)
    {
        MachineExit exit = machine.Run(Instructions);
        if (exit is not MachineExit.InstructionLimit)
            throw new InvalidOperationException($"The loop ended: {exit}.");
    }

    private void Repeated(Assembler assembler)
    {
        for (int i = 0; i < Repeats; i++)
            Bodies[Loop](assembler);
    }
}
