using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;

namespace PvPatch.GuestOs.Tests.Kit;

/// <summary>A host that counts the MSR writes that reach it.</summary>
internal sealed unsafe class CountingPlatform(IPlatform inner) : IPlatform
{
    private readonly Dictionary<uint, int> _writes = [];

    public string Name => inner.Name;

    public int WritesOf(uint msr) => _writes.GetValueOrDefault(msr);

    public void Attach(IMachineControl machine) => inner.Attach(machine);

    public CpuidRegisters Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters native) => inner.Cpuid(cpu, leaf, subleaf, native);

    public MsrAnswer ReadMsr(CpuState* cpu, uint msr, out ulong value) => inner.ReadMsr(cpu, msr, out value);

    public MsrAnswer WriteMsr(CpuState* cpu, uint msr, ulong value)
    {
        _writes[msr] = WritesOf(msr) + 1;
        return inner.WriteMsr(cpu, msr, value);
    }

    public bool Hypercall(CpuState* cpu) => inner.Hypercall(cpu);

    public bool In(CpuState* cpu, ushort port, uint size, out uint value) => inner.In(cpu, port, size, out value);

    public void Enter(CpuState* cpu) => inner.Enter(cpu);

    public void Leave(CpuState* cpu, bool runnable) => inner.Leave(cpu, runnable);

    public void OfferLazyEoi(CpuState* cpu) => inner.OfferLazyEoi(cpu);

    public bool TakeLazyEoi(CpuState* cpu) => inner.TakeLazyEoi(cpu);
}
