using PvPatch.Emulator.State;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Cpus;

/// <summary>The kernel's own CPU as a source for the detection's rules.</summary>
/// <param name="cpu">The CPU that executes.</param>
internal sealed unsafe class MachineCpuid(CpuState* cpu) : ICpuidSource
{
    public CpuidRegisters Read(uint leaf, uint subleaf)
    {
        CpuidRegisters registers;
        PvCpu.Cpuid(cpu, leaf, subleaf, &registers);
        return registers;
    }
}
