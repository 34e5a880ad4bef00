namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>The one list of hypervisors that CPUID can show.</summary>
public static class KnownHypervisors
{
    /// <summary>What Linux's boot banner says without a hypervisor (<c>pv_info.name</c>).</summary>
    public const string BareHardwareBanner = "bare hardware";

    /// <summary>
    /// The rows. Those with a Linux back end come first and in the order of Linux's <c>hypervisors[]</c>: on equal bases the
    /// earlier one wins. The conditions are those of each back end's <c>detect()</c>.
    /// </summary>
    internal static readonly KnownHypervisor[] Rows =
    [
        new(HypervisorKind.XenPv,      "Xen PV",                "XenVMMXenVMM") { HasLinuxBackEnd = true, BannerName = "Xen",               Scanned = true, LeavesNeeded = 2, NeedsHypervisorBit = false, XenEntry = XenEntryRule.OnlyPv, IgnoresNopv = true },
        new(HypervisorKind.XenHvm,     "Xen HVM",               "XenVMMXenVMM") { HasLinuxBackEnd = true, BannerName = "Xen HVM",           Scanned = true, LeavesNeeded = 2, NeedsHypervisorBit = false, XenEntry = XenEntryRule.NotPv,  IgnoresNopv = true },
        new(HypervisorKind.VMware,     "VMware",                "VMwareVMware") { HasLinuxBackEnd = true, BannerName = "VMware hypervisor" },
        new(HypervisorKind.HyperV,     "Microsoft Hyper-V",     "Microsoft Hv") { HasLinuxBackEnd = true, BannerName = "Hyper-V",           LowestMaxLeaf = 0x40000005, HighestMaxLeaf = 0x4000ffff, NeededPrivileges = (1 << 5) | (1 << 6) },
        new(HypervisorKind.Kvm,        "KVM",                   "KVMKVMKVM")    { HasLinuxBackEnd = true, BannerName = "KVM",               Scanned = true, GuaranteedLeaves = 1 },
        new(HypervisorKind.Jailhouse,  "Jailhouse",             "Jailhouse")    { HasLinuxBackEnd = true, Scanned = true, IgnoresNopv = true },
        new(HypervisorKind.Acrn,       "ACRN",                  "ACRNACRNACRN") { HasLinuxBackEnd = true, Scanned = true, GuaranteedLeaves = 1 },
        new(HypervisorKind.Bhyve,      "Bhyve",                 "bhyve bhyve ") { HasLinuxBackEnd = true, Scanned = true },

        // Recognised only. The signatures are those their authors publish or their sources return.
        new(HypervisorKind.Kvm,        "KVM",                   "Linux KVM Hv") { Scanned = true },
        new(HypervisorKind.QemuTcg,    "QEMU TCG",              "TCGTCGTCGTCG") { Scanned = true },
        new(HypervisorKind.VirtualBox, "VirtualBox",            "VBoxVBoxVBox") { Scanned = true },
        new(HypervisorKind.Parallels,  "Parallels",             " lrpepyh  vr") { Scanned = true },
        new(HypervisorKind.Parallels,  "Parallels",             "prl hyperv  ") { Scanned = true },
        new(HypervisorKind.Qnx,        "QNX hypervisor",        "QNXQVMBSQG")   { Scanned = true },
        new(HypervisorKind.Apple,      "Apple virtualization",  "VirtualApple") { Scanned = true },
        new(HypervisorKind.Apple,      "Apple virtualization",  "Apple VZ")     { Scanned = true },
        new(HypervisorKind.Haxm,       "Intel HAXM",            "HAXMHAXMHAXM") { Scanned = true },
        new(HypervisorKind.OpenBsdVmm, "OpenBSD vmm",           "OpenBSDVMM58") { Scanned = true },
        new(HypervisorKind.Nvmm,       "NetBSD NVMM",           "___ NVMM ___") { Scanned = true },
        new(HypervisorKind.Sre,        "SRE",                   "SRESRESRESRE") { Scanned = true },
    ];

    /// <summary>The rows, those with a Linux back end first, in Linux's order.</summary>
    public static IReadOnlyList<KnownHypervisor> All => Rows;

    /// <summary>Whether Linux has a back end that looks for this signature.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="signature">The signature.</param>
    public static bool HasLinuxBackEnd(HypervisorKind kind, CpuidSignature signature)
    {
        foreach (KnownHypervisor row in Rows)
        {
            if (row.Kind == kind && row.Signature == signature)
                return row.HasLinuxBackEnd;
        }

        return false;
    }

    /// <summary>The name for people of a kind: Linux's word where Linux has one.</summary>
    /// <param name="kind">The kind.</param>
    public static string NameOf(HypervisorKind kind)
    {
        foreach (KnownHypervisor row in Rows)
        {
            if (row.Kind == kind)
                return row.Name;
        }

        return kind switch
        {
            HypervisorKind.BareHardware => "Bare hardware",
            HypervisorKind.Qemu => "QEMU",
            HypervisorKind.Bochs => "Bochs",
            HypervisorKind.UserModeLinux => "User-mode Linux",
            _ => "Unknown hypervisor",
        };
    }
}
