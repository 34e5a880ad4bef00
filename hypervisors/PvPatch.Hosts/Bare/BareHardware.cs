using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;

namespace PvPatch.Hosts.Bare;

/// <summary>No hypervisor: the processor answers everything, hypercalls are invalid opcodes.</summary>
public sealed unsafe class BareHardware : IPlatform
{
    /// <inheritdoc/>
    public string Name => "bare hardware";

    /// <inheritdoc/>
    public void Attach(IMachineControl machine)
    {
    }

    /// <summary>Nobody is asked: the processor answers.</summary>
    public void Fill(IDictionary<string, PvTarget> ops)
    {
        ArgumentNullException.ThrowIfNull(ops);
        ops["cpu.cpuid"] = NativeAnswers.Cpuid;
        ops["cpu.read_msr"] = NativeAnswers.ReadMsr;
        ops["cpu.write_msr"] = NativeAnswers.WriteMsr;
        ops["io.in"] = NativeAnswers.In;
    }

    /// <inheritdoc/>
    public CpuidRegisters Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters native) => native;

    /// <inheritdoc/>
    public MsrAnswer ReadMsr(CpuState* cpu, uint msr, out ulong value)
    {
        value = 0;
        return MsrAnswer.Native;
    }

    /// <inheritdoc/>
    public MsrAnswer WriteMsr(CpuState* cpu, uint msr, ulong value) => MsrAnswer.Native;

    /// <inheritdoc/>
    public bool Hypercall(CpuState* cpu) => false;

    /// <inheritdoc/>
    public bool In(CpuState* cpu, ushort port, uint size, out uint value)
    {
        value = 0;
        return false;
    }

    /// <inheritdoc/>
    public void Enter(CpuState* cpu)
    {
    }

    /// <inheritdoc/>
    public void Leave(CpuState* cpu, bool runnable)
    {
    }

    /// <inheritdoc/>
    public void OfferLazyEoi(CpuState* cpu)
    {
    }

    /// <inheritdoc/>
    public bool TakeLazyEoi(CpuState* cpu) => false;
}
