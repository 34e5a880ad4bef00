using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;

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
