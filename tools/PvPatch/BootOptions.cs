namespace PvPatch.Tool;

/// <summary>What <c>boot</c> was asked for.</summary>
internal sealed record BootOptions
{
    /// <summary>The hypervisor to boot on; null for the one that was detected.</summary>
    public string? Hypervisor { get; init; }

    /// <summary>Whether call sites are patched.</summary>
    public bool Patch { get; init; } = true;

    /// <summary>In which way.</summary>
    public BootMode Mode { get; init; } = BootMode.Image;

    /// <summary>The workload.</summary>
    public string Workload { get; init; } = "irq";

    /// <summary>What its choices start from.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Whether to tell what the runtime made of the patched code.</summary>
    public bool Diagnose { get; init; }

    /// <summary>Where the JSON report goes; null for nowhere.</summary>
    public string? Report { get; init; }

    /// <summary>The kernel's image; null for the one beside the program.</summary>
    public string? Guest { get; init; }

    /// <summary>Only the result.</summary>
    public bool Quiet { get; init; }

    /// <summary>Also each site's IL before and after.</summary>
    public bool Verbose { get; init; }
}
