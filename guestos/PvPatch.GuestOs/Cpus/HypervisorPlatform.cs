using PvPatch.Emulator.State;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Paravirt;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Log;

namespace PvPatch.GuestOs.Cpus;

/// <summary>Finds out what the kernel runs on and installs that hypervisor's ops (Linux: init_hypervisor_platform).</summary>
public static unsafe class HypervisorPlatform
{
    /// <summary>Detects by CPUID, says so, starts the hypervisor's guest side and installs its ops over the native ones.</summary>
    public static void Init(CpuState* cpu, PvOpTable ops)
    {
        ArgumentNullException.ThrowIfNull(ops);
        var cpuid = new MachineCpuid(cpu);
        int cpuCount = Math.Min(CpuidTopology.CountCpus(cpuid), SecondCpu.Number + 1);     // nobody may wait for a CPU that is never started
        PerCpu.Of(cpu)->CpuCount = cpuCount;
        CpuidVerdict verdict = CpuidRules.Detect(cpuid);
        if (verdict.PickedByLinux)
            KernelLog.Print(cpu, $"Hypervisor detected: {verdict.Name}");
        if (KnownGuests.For(verdict) is not { } guest)
            return;
        guest.InitPlatform(cpu, cpuid, verdict.Base);
        ops.Install(guest.Targets(cpuid, verdict.Base, cpuCount));
    }
}
