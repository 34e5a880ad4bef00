namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>What the CPUID rules must be told because no CPUID leaf says it.</summary>
/// <param name="EnteredAsXenPv">The kernel was entered through Xen's paravirtual entry point.</param>
/// <param name="EnteredAsXenPvh">The kernel was entered through Xen's PVH entry point.</param>
/// <param name="NoParavirt">The kernel parameter <c>nopv</c> was given.</param>
public readonly record struct CpuidCircumstances(bool EnteredAsXenPv = false, bool EnteredAsXenPvh = false, bool NoParavirt = false);

/// <summary>What CPUID alone says about the hypervisor.</summary>
/// <param name="Kind">Who it is, with or without a Linux back end.</param>
/// <param name="Name">Its name: Linux's word where Linux has one.</param>
/// <param name="PickedByLinux">Linux would install this hypervisor's back end; otherwise it runs as on bare hardware.</param>
/// <param name="BannerName">What Linux's boot banner calls it (<c>Booting paravirtualized kernel on ...</c>).</param>
/// <param name="HypervisorBit">CPUID.1:ECX[31].</param>
/// <param name="Base">The base leaf of its interface; 0 when there is none.</param>
/// <param name="MaxLeaf">The highest leaf of its interface; 0 when there is none.</param>
/// <param name="Signature">The base leaf's 12 bytes; all zero when there is no such leaf.</param>
public readonly record struct CpuidVerdict(
    HypervisorKind Kind,
    string Name,
    bool PickedByLinux,
    string BannerName,
    bool HypervisorBit,
    uint Base,
    uint MaxLeaf,
    CpuidSignature Signature);

/// <summary>One interface that a hypervisor shows: there may be several, Hyper-V's for Windows and KVM's for Linux for example.</summary>
/// <param name="Base">Its base leaf.</param>
/// <param name="MaxLeaf">EAX of the base leaf, as it was returned.</param>
/// <param name="Signature">Its signature.</param>
public sealed record CpuidInterface(uint Base, uint MaxLeaf, CpuidSignature Signature);
