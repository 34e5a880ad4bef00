using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Emulation;

/// <summary>Runs cases in the emulator, in pages at the addresses that they have in the helper process.</summary>
internal sealed unsafe class EmulatedOracle : IDisposable
{
    /// <summary>More than any case takes: one that goes on is wrong, and must not reach the host.</summary>
    private const int MostInstructions = 20_000;

    private readonly CaseCpu _cpu = new();
    private readonly InterpretedCpu _interpreter;

    public EmulatedOracle(ExecutionTier tier = ExecutionTier.Interpreted) => _interpreter = new InterpretedCpu(_cpu.State, tier: tier);

    /// <summary>Runs a case. One that does not end has <see cref="MachineCase.Endless"/> as its vector.</summary>
    public MachineCase Run(MachineCase given)
    {
        CpuState* cpu = _cpu.State;
        Load(given);
        StopReason stop = _interpreter.Run(MostInstructions);
        var result = new MachineCase { Rip = cpu->Rip, Flags = cpu->RFlags, Vector = MachineCase.Endless };
        if (stop is StopReason.Exception exception)
        {
            result.Vector = exception.Vector;
            result.ErrorCode = exception.ErrorCode;
            result.Cr2 = exception.Address;
        }

        for (int i = 0; i < 16; i++)
            result.General[i] = cpu->Gpr[i];
        for (int i = 0; i < result.Memory.Length; i++)
            _cpu.Window(CaseLayout.Windows[i]).CopyTo(result.Memory[i]);
        X87Image.Store(cpu, result.Fpu);
        result.Mxcsr = cpu->Mxcsr;
        new ReadOnlySpan<ulong>(cpu->Xmm, 32).CopyTo(result.Xmm);
        new ReadOnlySpan<ulong>(cpu->YmmHigh, 32).CopyTo(result.YmmHigh);
        return result;
    }

    public void Dispose()
    {
        _interpreter.Dispose();
        _cpu.Dispose();
    }

    private void Load(MachineCase given)
    {
        CpuState* cpu = _cpu.State;
        for (int i = 0; i < 16; i++)
            cpu->Gpr[i] = given.General[i];
        cpu->Rip = given.Rip;
        cpu->RFlags = given.Flags | RFlags.Fixed | RFlags.InterruptEnable;
        given.Code.CopyTo(_cpu.CodePage[(int)(CaseLayout.CodeStart - CaseLayout.CodePage)..]);
        _cpu.CodeChanged();
        for (int i = 0; i < given.Memory.Length; i++)
            given.Memory[i].CopyTo(_cpu.Window(CaseLayout.Windows[i]));
        X87Image.Load(cpu, given.Fpu);
        cpu->Mxcsr = given.Mxcsr;
        given.Xmm.CopyTo(new Span<ulong>(cpu->Xmm, 32));
        given.YmmHigh.CopyTo(new Span<ulong>(cpu->YmmHigh, 32));
    }
}
