using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Guests;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Native;

namespace PvPatch.Paravirt;

/// <summary>The hypervisors that kernels have a guest side for. A new one is a folder and a word here.</summary>
public static class KnownGuests
{
    private static readonly IHypervisorGuest[] All = [new KvmGuest()];

    /// <summary>The guest side for what was detected; null where the native ops stay.</summary>
    public static IHypervisorGuest? For(CpuidVerdict verdict) =>
        verdict.PickedByLinux ? Array.Find(All, guest => guest.Kind == verdict.Kind) : null;

    /// <summary>What every op would be on a machine: the native ops, and over them what the detected hypervisor's side installs.</summary>
    /// <param name="cpuid">Who answers CPUID.</param>
    /// <param name="verdict">What was detected.</param>
    /// <param name="cpuCount">CPUs of the machine.</param>
    public static IReadOnlyDictionary<string, PvTarget> TargetsOn(ICpuidSource cpuid, CpuidVerdict verdict, int cpuCount)
    {
        var targets = new Dictionary<string, PvTarget>(NativeOps.Targets, StringComparer.Ordinal);
        foreach ((string op, PvTarget target) in For(verdict)?.Targets(cpuid, verdict.Base, cpuCount) ?? new Dictionary<string, PvTarget>(StringComparer.Ordinal))
            targets[op] = target;
        return targets;
    }
}
