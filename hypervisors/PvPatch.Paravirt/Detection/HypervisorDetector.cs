using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Paravirt.Detection;

/// <summary>
/// Says what runs a system from everything a program can see. CPUID goes first, by Linux's rules; Xen's files tell a
/// paravirtual domain apart; firmware names the machine and the cloud and speaks where CPUID is silent; containers are
/// reported beside. Only two machines are believed over CPUID, those that show another hypervisor's leaves to their guests.
/// </summary>
public static class HypervisorDetector
{
    /// <summary>Looks at everything.</summary>
    /// <param name="cpuid">Who answers CPUID.</param>
    /// <param name="files">The files of the same system; <see cref="PlatformFiles.Nothing"/> for a bare CPUID dump.</param>
    public static DetectionResult Detect(ICpuidSource cpuid, PlatformFiles files)
    {
        ArgumentNullException.ThrowIfNull(cpuid);
        ArgumentNullException.ThrowIfNull(files);
        var evidence = new EvidenceList();

        XenFiles xen = XenFiles.Read(files);
        var circumstances = new CpuidCircumstances(xen.EnteredAsPv, xen.EnteredAsPvh, HasNopv(files));
        var interfaces = new List<CpuidInterface>();
        CpuidVerdict verdict = CpuidRules.Detect(cpuid, circumstances, interfaces);
        evidence.AddCpuid(cpuid, verdict, interfaces, circumstances);
        evidence.AddXen(xen);

        DmiStrings dmi = DmiStrings.Read(files);
        IReadOnlyList<string> acpiOems = AcpiOems.Read(files);
        DeviceTree? tree = DeviceTree.Read(files);
        evidence.AddFirmware(dmi, acpiOems, tree);

        string? flag = verdict.HypervisorBit ? null : CpuInfo.Tell(files);
        if (flag is not null)
            evidence.Add("/proc/cpuinfo", "hypervisor", flag);

        IReadOnlyList<ContainerSign> containers = Containers.Find(files);
        evidence.AddContainers(containers);

        PlatformSign? stronger = PlatformSigns.Find(SignMeaning.MachineOverCpuid, dmi, acpiOems);
        PlatformSign? machine = stronger ?? PlatformSigns.Find(SignMeaning.Machine, dmi, acpiOems);
        HypervisorKind kind = Decide(verdict, xen, dmi, stronger, machine, tree, flag);
        bool isPv = kind == HypervisorKind.XenPv;
        return new DetectionResult
        {
            Kind = kind,
            Name = kind == HypervisorKind.XenHvm && xen.EnteredAsPvh ? "Xen PVH" : KnownHypervisors.NameOf(kind),
            Cpuid = verdict,
            LinuxName = verdict.PickedByLinux ? verdict.Name : isPv ? KnownHypervisors.NameOf(kind) : null,
            BannerName = isPv ? "Xen" : verdict.BannerName,
            Evidence = evidence.Lines,
            Features = ParavirtFeatures.Read(cpuid, verdict),
            Machine = machine?.Name,
            Cloud = PlatformSigns.Find(SignMeaning.Cloud, dmi, acpiOems)?.Name,
            Containers = NamesOf(containers),
            IsControlDomain = xen.IsControlDomain,
        };
    }

    /// <summary>
    /// Whether a hypervisor runs the system: the same answer as <see cref="DetectionResult.IsVirtual"/>, but two CPUID
    /// leaves are all that is read where a hypervisor shows itself.
    /// </summary>
    /// <param name="cpuid">Who answers CPUID.</param>
    /// <param name="files">The files of the same system.</param>
    public static bool IsVirtual(ICpuidSource cpuid, PlatformFiles files) =>
        CpuidRules.HasHypervisorBit(cpuid) || Detect(cpuid, files).IsVirtual;

    private static HypervisorKind Decide(
        CpuidVerdict verdict, XenFiles xen, DmiStrings dmi, PlatformSign? stronger, PlatformSign? machine, DeviceTree? tree, string? flag)
    {
        if (stronger is not null)
            return stronger.Kind;
        if (verdict.Kind is not (HypervisorKind.BareHardware or HypervisorKind.Unknown))
            return verdict.Kind;
        if (xen.IsXen)
            return xen.EnteredAsPv ? HypervisorKind.XenPv : HypervisorKind.XenHvm;
        if (machine is not null)
            return machine.Kind;
        if (tree is not null)
            return tree.Kind;
        if (string.Equals(flag, CpuInfo.UserModeLinux, StringComparison.Ordinal))
            return HypervisorKind.UserModeLinux;
        return verdict.HypervisorBit || flag is not null || dmi.VirtualMachineBit is true
            ? HypervisorKind.Unknown
            : HypervisorKind.BareHardware;
    }

    private static bool HasNopv(PlatformFiles files)
    {
        foreach (string word in files.ReadText("proc/cmdline")?.Split(' ') ?? [])
        {
            if (string.Equals(word, "nopv", StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static string[] NamesOf(IReadOnlyList<ContainerSign> containers)
    {
        string[] names = new string[containers.Count];
        for (int i = 0; i < names.Length; i++)
            names[i] = EscapedText.From(containers[i].Name, limit: 60);
        return names;
    }
}
