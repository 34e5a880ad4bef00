using BenchmarkDotNet.Attributes;
using Iced.Intel;
using PvPatch.Emulator;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Perf.Measuring;
using PvPatch.Perf.Yardsticks;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Perf;

/// <summary>
/// What one instruction costs on the emulator's tier 0, by kind, in nanoseconds: endless loops of 64-bit code with paging on,
/// run by a machine for a million instructions. <see cref="Devices"/> is a loop of which every second instruction is an IN.
/// </summary>
[Launches(2)]
public class InterpreterCosts : IMeasuredCode
{
    private const int Instructions = 1_000_000;

    private readonly List<Machine> _machines = [];
    private Machine _registers = null!;
    private Machine _memory = null!;
    private Machine _calls = null!;
    private Machine _strings = null!;
    private Machine _devices = null!;

    /// <summary>The interpreter is not one method.</summary>
    public Delegate? Measured => null;

    /// <summary>Builds a machine for each loop.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _registers = Build(a =>
        {
            a.add(rax, rbx);
            a.xor(rbx, rcx);
            a.rol(rcx, 5);
            a.lea(rdx, __[rax + (rbx * 4) + 1]);
            a.cmp(rdx, rax);
        });
        _memory = Build(a =>
        {
            a.mov(rax, __qword_ptr[rsi + 8]);
            a.add(__qword_ptr[rsi], rax);
            a.mov(__dword_ptr[rsi + 16], eax);
            a.movzx(ecx, __byte_ptr[rsi + 3]);
            a.cmp(__qword_ptr[rsi + 24], rcx);
        });
        _calls = Build(a =>
        {
            Label function = a.CreateLabel();
            Label behind = a.CreateLabel();
            a.push(rbx);
            a.call(function);
            a.pop(rbx);
            a.jmp(behind);
            a.Label(ref function);
            a.ret();
            a.Label(ref behind);
            a.nop();
        });
        _strings = Build(a =>
        {
            a.mov(edi, LoopMachine.Data);
            a.mov(ecx, 64);
            a.rep.stosb();
        });
        _devices = Build(a => a.@in(al, 0x80));
    }

    /// <summary>Frees the machines.</summary>
    [GlobalCleanup]
    public void CleanUp() => _machines.ForEach(machine => machine.Dispose());

    /// <summary>Arithmetic between registers.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Instructions)]
    public void Registers() => Run(_registers);

    /// <summary>Loads, stores and changes in memory.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public void Memory() => Run(_memory);

    /// <summary>Pushes, calls, returns and pops.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public void Calls() => Run(_calls);

    /// <summary>REP STOSB of 64 bytes, which counts one instruction, and its setting up.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public void Strings() => Run(_strings);

    /// <summary>IN, which is executed by itself.</summary>
    [Benchmark(OperationsPerInvoke = Instructions)]
    public void Devices() => Run(_devices);

    private static void Run(Machine machine)
    {
        MachineExit exit = machine.Run(Instructions);
        if (exit is not MachineExit.InstructionLimit) throw new InvalidOperationException($"The loop ended: {exit}.");
    }

    private Machine Build(Action<Assembler> body)
    {
        Machine machine = LoopMachine.Build(body, tier: ExecutionTier.Interpreted);
        _machines.Add(machine);
        return machine;
    }
}
