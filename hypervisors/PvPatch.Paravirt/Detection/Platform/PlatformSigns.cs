using PvPatch.Paravirt.Detection.Cpuid;
using static PvPatch.Paravirt.Detection.Platform.DmiField;
using static PvPatch.Paravirt.Detection.Platform.SignMatch;
using static PvPatch.Paravirt.Detection.Platform.SignMeaning;

namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>
/// The signs in firmware by which machines and clouds are known, a row each. Within a meaning the first row that is found
/// counts, so the more telling ones stand first.
/// </summary>
public static class PlatformSigns
{
    private static readonly PlatformSign[] Rows =
    [
        new(MachineOverCpuid, "VirtualBox",            HypervisorKind.VirtualBox,   ProductName,     Is,         "VirtualBox"),
        new(MachineOverCpuid, "VirtualBox",            HypervisorKind.VirtualBox,   SystemVendor,    Is,         "innotek GmbH"),
        new(MachineOverCpuid, "Parallels",             HypervisorKind.Parallels,    SystemVendor,    StartsWith, "Parallels"),
        new(MachineOverCpuid, "VirtualBox",            HypervisorKind.VirtualBox,   null,            Is,         "VBOX"),

        new(Machine,          "Apple Virtualization",  HypervisorKind.Apple,        ProductName,     StartsWith, "Apple Virtualization"),
        new(Machine,          "VMware",                HypervisorKind.VMware,       SystemVendor,    StartsWith, "VMware"),
        new(Machine,          "VMware",                HypervisorKind.VMware,       ProductSerial,   Contains,   "VMware"),
        new(Machine,          "Hyper-V",               HypervisorKind.HyperV,       ProductName,     Is,         "Virtual Machine"),
        new(Machine,          "Xen",                   HypervisorKind.XenHvm,       SystemVendor,    Is,         "Xen"),
        new(Machine,          "bhyve",                 HypervisorKind.Bhyve,        SystemVendor,    Is,         "BHYVE"),
        new(Machine,          "bhyve",                 HypervisorKind.Bhyve,        ProductName,     Is,         "BHYVE"),
        new(Machine,          "Cloud Hypervisor",      HypervisorKind.Kvm,          SystemVendor,    Is,         "Cloud Hypervisor"),
        new(Machine,          "Nutanix AHV",           HypervisorKind.Kvm,          ProductName,     Is,         "AHV"),
        new(Machine,          "QEMU",                  HypervisorKind.Qemu,         SystemVendor,    Is,         "QEMU"),
        new(Machine,          "KVM",                   HypervisorKind.Kvm,          ProductName,     Is,         "KVM"),
        new(Machine,          "OpenStack Nova",        HypervisorKind.Kvm,          ProductName,     Is,         "OpenStack Nova"),
        new(Machine,          "Google Compute Engine", HypervisorKind.Kvm,          ProductName,     Is,         "Google Compute Engine"),
        new(Machine,          "Bochs",                 HypervisorKind.Bochs,        BiosVendor,      Is,         "Bochs"),
        new(Machine,          "Bochs",                 HypervisorKind.Bochs,        SystemVendor,    Is,         "Bochs"),
        new(Machine,          "Firecracker",           HypervisorKind.Kvm,          null,            Is,         "FIRECK"),
        new(Machine,          "Cloud Hypervisor",      HypervisorKind.Kvm,          null,            Is,         "CLOUDH"),
        new(Machine,          "crosvm",                HypervisorKind.Kvm,          null,            Is,         "CROSVM"),
        new(Machine,          "Hyper-V",               HypervisorKind.HyperV,       null,            Is,         "VRTUAL"),
        new(Machine,          "bhyve",                 HypervisorKind.Bhyve,        null,            Is,         "BHYVE"),
        new(Machine,          "Xen",                   HypervisorKind.XenHvm,       null,            Is,         "Xen"),
        new(Machine,          "QEMU",                  HypervisorKind.Qemu,         null,            Is,         "BOCHS"),

        new(Cloud,            "Amazon EC2 (Nitro)",    HypervisorKind.BareHardware, SystemVendor,    Is,         "Amazon EC2"),
        new(Cloud,            "Amazon EC2 (Nitro)",    HypervisorKind.BareHardware, BiosVendor,      Is,         "Amazon EC2"),
        new(Cloud,            "Amazon EC2 (Xen)",      HypervisorKind.BareHardware, BiosVersion,     Contains,   "amazon"),
        new(Cloud,            "Amazon EC2",            HypervisorKind.BareHardware, null,            Is,         "AMAZON"),
        new(Cloud,            "Google Cloud",          HypervisorKind.BareHardware, ProductName,     Is,         "Google Compute Engine"),
        new(Cloud,            "Microsoft Azure",       HypervisorKind.BareHardware, ChassisAssetTag, Is,         "7783-7084-3265-9085-8269-3286-77"),
        new(Cloud,            "DigitalOcean",          HypervisorKind.BareHardware, SystemVendor,    Is,         "DigitalOcean"),
        new(Cloud,            "Hetzner",               HypervisorKind.BareHardware, SystemVendor,    Is,         "Hetzner"),
        new(Cloud,            "Oracle Cloud",          HypervisorKind.BareHardware, ChassisAssetTag, Is,         "OracleCloud.com"),
        new(Cloud,            "Alibaba Cloud",         HypervisorKind.BareHardware, SystemVendor,    Is,         "Alibaba Cloud"),
        new(Cloud,            "Tencent Cloud",         HypervisorKind.BareHardware, SystemVendor,    Is,         "Tencent Cloud"),
        new(Cloud,            "Huawei Cloud",          HypervisorKind.BareHardware, ChassisAssetTag, Is,         "HUAWEICLOUD"),
        new(Cloud,            "Open Telekom Cloud",    HypervisorKind.BareHardware, ChassisAssetTag, Is,         "OpenTelekomCloud"),
        new(Cloud,            "SAP Converged Cloud",   HypervisorKind.BareHardware, ChassisAssetTag, Is,         "SAP CCloud VM"),
        new(Cloud,            "IBM Cloud",             HypervisorKind.BareHardware, ChassisAssetTag, Is,         "ibmcloud"),
        new(Cloud,            "Scaleway",              HypervisorKind.BareHardware, SystemVendor,    Is,         "Scaleway"),
        new(Cloud,            "Vultr",                 HypervisorKind.BareHardware, SystemVendor,    Is,         "Vultr"),
        new(Cloud,            "Akamai (Linode)",       HypervisorKind.BareHardware, SystemVendor,    Is,         "Akamai"),
        new(Cloud,            "Akamai (Linode)",       HypervisorKind.BareHardware, SystemVendor,    Is,         "Linode"),
        new(Cloud,            "UpCloud",               HypervisorKind.BareHardware, SystemVendor,    Is,         "UpCloud"),
        new(Cloud,            "Exoscale",              HypervisorKind.BareHardware, SystemVendor,    Is,         "Exoscale"),
        new(Cloud,            "OVHcloud",              HypervisorKind.BareHardware, SystemVendor,    Is,         "OVH"),
        new(Cloud,            "CloudStack",            HypervisorKind.BareHardware, ProductName,     StartsWith, "CloudStack"),
        new(Cloud,            "Nutanix",               HypervisorKind.BareHardware, SystemVendor,    Is,         "Nutanix"),
        new(Cloud,            "OpenStack",             HypervisorKind.BareHardware, ProductName,     StartsWith, "OpenStack"),
        new(Cloud,            "OpenStack",             HypervisorKind.BareHardware, SystemVendor,    StartsWith, "OpenStack"),
    ];

    /// <summary>All rows.</summary>
    public static IReadOnlyList<PlatformSign> All => Rows;

    /// <summary>The first row of a meaning whose sign is shown; null when there is none.</summary>
    /// <param name="meaning">What to look for.</param>
    /// <param name="dmi">The DMI strings.</param>
    /// <param name="acpiOems">The OEM ids of the ACPI tables.</param>
    public static PlatformSign? Find(SignMeaning meaning, DmiStrings dmi, IReadOnlyList<string> acpiOems)
    {
        ArgumentNullException.ThrowIfNull(dmi);
        ArgumentNullException.ThrowIfNull(acpiOems);
        foreach (PlatformSign sign in Rows)
        {
            if (sign.Meaning != meaning)
                continue;
            if (sign.Field is { } field ? sign.IsIn(dmi[field]) : IsInAny(sign, acpiOems))
                return sign;
        }

        return null;
    }

    private static bool IsInAny(PlatformSign sign, IReadOnlyList<string> acpiOems)
    {
        foreach (string oem in acpiOems)
        {
            if (sign.IsIn(oem))
                return true;
        }

        return false;
    }
}
