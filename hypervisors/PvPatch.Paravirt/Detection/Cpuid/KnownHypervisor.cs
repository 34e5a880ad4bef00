namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>How a Xen domain decides between Xen's two rows.</summary>
public enum XenEntryRule
{
    /// <summary>Has nothing to do with Xen.</summary>
    Any,

    /// <summary>Only when the kernel was entered through Xen's paravirtual entry point.</summary>
    OnlyPv,

    /// <summary>Only when it was not.</summary>
    NotPv,
}

/// <summary>One hypervisor as CPUID shows it: a row of <see cref="KnownHypervisors"/>. A new hypervisor is a new row.</summary>
/// <param name="Kind">Which one.</param>
/// <param name="Name">Its name as Linux prints it after <c>Hypervisor detected:</c>.</param>
/// <param name="SignatureText">The 12 bytes of its base leaf; fewer characters mean zero bytes at the end.</param>
public sealed record KnownHypervisor(HypervisorKind Kind, string Name, string SignatureText)
{
    /// <summary>The signature as CPUID returns it.</summary>
    public CpuidSignature Signature { get; } = CpuidSignature.From(SignatureText);

    /// <summary>Linux has a back end for it: it stands in <c>hypervisors[]</c> (arch/x86/kernel/cpu/hypervisor.c).</summary>
    public bool HasLinuxBackEnd { get; init; }

    /// <summary>What Linux's boot banner calls it (<c>pv_info.name</c>). A back end that doesn't set it keeps "bare hardware".</summary>
    public string BannerName { get; init; } = KnownHypervisors.BareHardwareBanner;

    /// <summary>The base leaf is searched at 0x40000000, 0x40000100 ... 0x4000ff00; otherwise it is 0x40000000.</summary>
    public bool Scanned { get; init; }

    /// <summary>Counts only while the hypervisor bit, CPUID.1:ECX[31], is set.</summary>
    public bool NeedsHypervisorBit { get; init; } = true;

    /// <summary>The base leaf's EAX minus the base must reach this (an unsigned difference, as in Linux); 0 asks nothing.</summary>
    public uint LeavesNeeded { get; init; }

    /// <summary>The smallest EAX the base leaf may have.</summary>
    public uint LowestMaxLeaf { get; init; }

    /// <summary>The largest EAX the base leaf may have.</summary>
    public uint HighestMaxLeaf { get; init; } = uint.MaxValue;

    /// <summary>Bits that EAX of leaf base + 3 must have; 0 asks nothing (Hyper-V's mandatory MSRs).</summary>
    public uint NeededPrivileges { get; init; }

    /// <summary>Leaves above the base that are there whatever EAX says (KVM: EAX = 0 means one).</summary>
    public uint GuaranteedLeaves { get; init; }

    /// <summary>What it asks of the way the kernel was entered.</summary>
    public XenEntryRule XenEntry { get; init; }

    /// <summary>The kernel parameter <c>nopv</c> doesn't switch it off.</summary>
    public bool IgnoresNopv { get; init; }
}
