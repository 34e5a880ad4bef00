using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;

namespace PvPatch.Tool;

/// <summary>A platform that counts how often the guest comes to it: each time would be an exit from guest to hypervisor on a real processor.</summary>
/// <param name="inner">The platform that answers.</param>
internal sealed unsafe class CountingPlatform(IPlatform inner) : IPlatform
{
    /// <summary>CPUID, MSR and port accesses, and hypercalls.</summary>
    public long Exits { get; private set; }

    /// <summary>VMCALL and VMMCALL.</summary>
    public long Hypercalls { get; private set; }

    public string Name => inner.Name;

    public void Attach(IMachineControl machine) => inner.Attach(machine);

    public CpuidRegisters Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters native)
    {
        Exits++;
        return inner.Cpuid(cpu, leaf, subleaf, native);
    }

    public MsrAnswer ReadMsr(CpuState* cpu, uint msr, out ulong value)
    {
        Exits++;
        return inner.ReadMsr(cpu, msr, out value);
    }

    public MsrAnswer WriteMsr(CpuState* cpu, uint msr, ulong value)
    {
        Exits++;
        return inner.WriteMsr(cpu, msr, value);
    }

    public bool Hypercall(CpuState* cpu)
    {
        Exits++;
        Hypercalls++;
        return inner.Hypercall(cpu);
    }

    public bool In(CpuState* cpu, ushort port, uint size, out uint value)
    {
        Exits++;
        return inner.In(cpu, port, size, out value);
    }

    public void Enter(CpuState* cpu) => inner.Enter(cpu);

    public void Leave(CpuState* cpu, bool runnable) => inner.Leave(cpu, runnable);

    public void OfferLazyEoi(CpuState* cpu) => inner.OfferLazyEoi(cpu);

    public bool TakeLazyEoi(CpuState* cpu) => inner.TakeLazyEoi(cpu);
}
