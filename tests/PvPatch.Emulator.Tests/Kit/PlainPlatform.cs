using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>A platform that leaves everything to the processor.</summary>
internal unsafe class PlainPlatform : IPlatform
{
    public string Name => "plain";

    public IMachineControl? Control { get; private set; }

    public void Attach(IMachineControl machine) => Control = machine;

    public CpuidRegisters Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters native) => native;

    public virtual MsrAnswer ReadMsr(CpuState* cpu, uint msr, out ulong value)
    {
        value = 0;
        return MsrAnswer.Native;
    }

    public MsrAnswer WriteMsr(CpuState* cpu, uint msr, ulong value) => MsrAnswer.Native;

    public bool Hypercall(CpuState* cpu) => false;

    public bool In(CpuState* cpu, ushort port, uint size, out uint value)
    {
        value = 0;
        return false;
    }

    public virtual void Enter(CpuState* cpu)
    {
    }

    public virtual void Leave(CpuState* cpu, bool runnable)
    {
    }

    public void OfferLazyEoi(CpuState* cpu)
    {
    }

    public bool TakeLazyEoi(CpuState* cpu) => false;
}
