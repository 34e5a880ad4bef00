using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>What a device tree tells of a hypervisor, on processors without CPUID.</summary>
/// <param name="Path">The file that tells it.</param>
/// <param name="Text">What stands there.</param>
/// <param name="Kind">Who that is.</param>
public sealed record DeviceTree(string Path, string Text, HypervisorKind Kind)
{
    private const string Root = "proc/device-tree";

    /// <summary>The beginning of the <c>compatible</c> of the node <c>/hypervisor</c>, and who it is.</summary>
    private static readonly (string Prefix, HypervisorKind Kind)[] Compatibles =
    [
        ("linux,kvm", HypervisorKind.Kvm),
        ("xen,", HypervisorKind.XenHvm),
        ("vmware", HypervisorKind.VMware),
        ("qcom,", HypervisorKind.Unknown),
    ];

    /// <summary>Reads the tree; null when there is none or it tells nothing.</summary>
    /// <param name="files">The system.</param>
    public static DeviceTree? Read(PlatformFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (!files.Exists(Root))
            return null;

        const string Hypervisor = $"{Root}/hypervisor/compatible";
        if (files.ReadText(Hypervisor) is { } compatible)
        {
            foreach ((string prefix, HypervisorKind kind) in Compatibles)
            {
                if (compatible.StartsWith(prefix, StringComparison.Ordinal))
                    return new DeviceTree(Hypervisor, compatible, kind);
            }

            return new DeviceTree(Hypervisor, compatible, HypervisorKind.Unknown);
        }

        const string Model = $"{Root}/model";
        if (files.ReadText(Model) is { } model && model.StartsWith("linux,dummy-virt", StringComparison.Ordinal))
            return new DeviceTree(Model, model, HypervisorKind.Qemu);
        foreach (string name in files.NamesIn(Root))
        {
            if (name.StartsWith("fw-cfg", StringComparison.Ordinal))
                return new DeviceTree(Root, name, HypervisorKind.Qemu);
        }

        return null;
    }
}
