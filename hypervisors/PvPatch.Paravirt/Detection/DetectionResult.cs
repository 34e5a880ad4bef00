using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Paravirt.Detection;

/// <summary>One thing that was seen.</summary>
/// <param name="Source">Where: a CPUID leaf, a file, a firmware table, a variable.</param>
/// <param name="What">What was looked at there.</param>
/// <param name="Value">What it says, safe to print.</param>
public sealed record Evidence(string Source, string What, string Value);

/// <summary>What runs this system, and how that is known.</summary>
public sealed record DetectionResult
{
    /// <summary>The hypervisor, all evidence taken together.</summary>
    public required HypervisorKind Kind { get; init; }

    /// <summary>Its name, in Linux's words where Linux has one.</summary>
    public required string Name { get; init; }

    /// <summary>What CPUID alone says; a Linux kernel goes by it.</summary>
    public required CpuidVerdict Cpuid { get; init; }

    /// <summary>What a Linux kernel prints after <c>Hypervisor detected:</c> here; null when it prints no such line.</summary>
    public required string? LinuxName { get; init; }

    /// <summary>What a Linux kernel prints after <c>Booting paravirtualized kernel on</c> here.</summary>
    public required string BannerName { get; init; }

    /// <summary>What was seen, in the order in which it was looked at.</summary>
    public required IReadOnlyList<Evidence> Evidence { get; init; }

    /// <summary>The features of the interface that CPUID shows, offered or not.</summary>
    public required IReadOnlyList<FeatureState> Features { get; init; }

    /// <summary>The program that builds the virtual machine (QEMU, Firecracker ...), when the firmware tells.</summary>
    public required string? Machine { get; init; }

    /// <summary>The cloud, when the firmware tells.</summary>
    public required string? Cloud { get; init; }

    /// <summary>The containers around this program; they don't replace the hypervisor.</summary>
    public required IReadOnlyList<string> Containers { get; init; }

    /// <summary>This is Xen's control domain, dom0.</summary>
    public required bool IsControlDomain { get; init; }

    /// <summary>A hypervisor runs this system.</summary>
    public bool IsVirtual => Kind != HypervisorKind.BareHardware;
}
