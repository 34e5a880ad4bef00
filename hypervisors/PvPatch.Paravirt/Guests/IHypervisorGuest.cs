using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Paravirt.Guests;

/// <summary>What a kernel does on one hypervisor (Linux: struct hypervisor_x86).</summary>
public unsafe interface IHypervisorGuest
{
    /// <summary>The hypervisor.</summary>
    HypervisorKind Kind { get; }

    /// <summary>The ops it installs over the native ones, as the hypervisor's feature bits allow.</summary>
    /// <param name="cpuid">Who answers CPUID.</param>
    /// <param name="leaves">The base of the hypervisor's leaves.</param>
    /// <param name="cpuCount">CPUs of the machine: some ops are of use only with more than one.</param>
    IReadOnlyDictionary<string, PvTarget> Targets(ICpuidSource cpuid, uint leaves, int cpuCount);

    /// <summary>Starts what those ops need before they are installed, such as a clock.</summary>
    /// <param name="cpu">The boot CPU, its per-CPU page in place, native ops in every slot.</param>
    /// <param name="cpuid">Who answers CPUID.</param>
    /// <param name="leaves">The base of the hypervisor's leaves.</param>
    void InitPlatform(CpuState* cpu, ICpuidSource cpuid, uint leaves);
}
