using static PvPatch.Paravirt.Detection.Cpuid.HypervisorKind;
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
        new(MachineOverCpuid, "VirtualBox",       VirtualBox,   ProductName,     Is,         "VirtualBox"),
        new(MachineOverCpuid, "VirtualBox",       VirtualBox,   SystemVendor,    Is,         "innotek GmbH"),
        new(MachineOverCpuid, "Parallels",        Parallels,    SystemVendor,    StartsWith, "Parallels"),
        new(MachineOverCpuid, "VirtualBox",       VirtualBox,   null,            Is,         "VBOX"),

        new(Machine,          "Apple Virtualization", Apple,    ProductName,     StartsWith, "Apple Virtualization"),
        new(Machine,          "VMware",           VMware,       SystemVendor,    StartsWith, "VMware"),
        new(Machine,          "VMware",           VMware,       ProductSerial,   Contains,   "VMware"),
        new(Machine,          "Hyper-V",          HyperV,       ProductName,     Is,         "Virtual Machine"),
        new(Machine,          "Xen",              XenHvm,       SystemVendor,    Is,         "Xen"),
        new(Machine,          "bhyve",            Bhyve,        SystemVendor,    Is,         "BHYVE"),
        new(Machine,          "bhyve",            Bhyve,        ProductName,     Is,         "BHYVE"),
        new(Machine,          "Cloud Hypervisor", Kvm,          SystemVendor,    Is,         "Cloud Hypervisor"),
        new(Machine,          "Nutanix AHV",      Kvm,          ProductName,     Is,         "AHV"),
        new(Machine,          "QEMU",             Qemu,         SystemVendor,    Is,         "QEMU"),
        new(Machine,          "KVM",              Kvm,          ProductName,     Is,         "KVM"),
        new(Machine,          "OpenStack Nova",   Kvm,          ProductName,     Is,         "OpenStack Nova"),
        new(Machine,          "Google Compute Engine", Kvm,     ProductName,     Is,         "Google Compute Engine"),
        new(Machine,          "Bochs",            Bochs,        BiosVendor,      Is,         "Bochs"),
        new(Machine,          "Bochs",            Bochs,        SystemVendor,    Is,         "Bochs"),
        new(Machine,          "Firecracker",      Kvm,          null,            Is,         "FIRECK"),
        new(Machine,          "Cloud Hypervisor", Kvm,          null,            Is,         "CLOUDH"),
        new(Machine,          "crosvm",           Kvm,          null,            Is,         "CROSVM"),
        new(Machine,          "Hyper-V",          HyperV,       null,            Is,         "VRTUAL"),
        new(Machine,          "bhyve",            Bhyve,        null,            Is,         "BHYVE"),
        new(Machine,          "Xen",              XenHvm,       null,            Is,         "Xen"),
        new(Machine,          "QEMU",             Qemu,         null,            Is,         "BOCHS"),

        new(Cloud,            "Amazon EC2 (Nitro)", BareHardware, SystemVendor,  Is,         "Amazon EC2"),
        new(Cloud,            "Amazon EC2 (Nitro)", BareHardware, BiosVendor,    Is,         "Amazon EC2"),
        new(Cloud,            "Amazon EC2 (Xen)", BareHardware, BiosVersion,     Contains,   "amazon"),
        new(Cloud,            "Amazon EC2",       BareHardware, null,            Is,         "AMAZON"),
        new(Cloud,            "Google Cloud",     BareHardware, ProductName,     Is,         "Google Compute Engine"),
        new(Cloud,            "Microsoft Azure",  BareHardware, ChassisAssetTag, Is,         "7783-7084-3265-9085-8269-3286-77"),
        new(Cloud,            "DigitalOcean",     BareHardware, SystemVendor,    Is,         "DigitalOcean"),
        new(Cloud,            "Hetzner",          BareHardware, SystemVendor,    Is,         "Hetzner"),
        new(Cloud,            "Oracle Cloud",     BareHardware, ChassisAssetTag, Is,         "OracleCloud.com"),
        new(Cloud,            "Alibaba Cloud",    BareHardware, SystemVendor,    Is,         "Alibaba Cloud"),
        new(Cloud,            "Tencent Cloud",    BareHardware, SystemVendor,    Is,         "Tencent Cloud"),
        new(Cloud,            "Huawei Cloud",     BareHardware, ChassisAssetTag, Is,         "HUAWEICLOUD"),
        new(Cloud,            "Open Telekom Cloud", BareHardware, ChassisAssetTag, Is,       "OpenTelekomCloud"),
        new(Cloud,            "SAP Converged Cloud", BareHardware, ChassisAssetTag, Is,      "SAP CCloud VM"),
        new(Cloud,            "IBM Cloud",        BareHardware, ChassisAssetTag, Is,         "ibmcloud"),
        new(Cloud,            "Scaleway",         BareHardware, SystemVendor,    Is,         "Scaleway"),
        new(Cloud,            "Vultr",            BareHardware, SystemVendor,    Is,         "Vultr"),
        new(Cloud,            "Akamai (Linode)",  BareHardware, SystemVendor,    Is,         "Akamai"),
        new(Cloud,            "Akamai (Linode)",  BareHardware, SystemVendor,    Is,         "Linode"),
        new(Cloud,            "UpCloud",          BareHardware, SystemVendor,    Is,         "UpCloud"),
        new(Cloud,            "Exoscale",         BareHardware, SystemVendor,    Is,         "Exoscale"),
        new(Cloud,            "OVHcloud",         BareHardware, SystemVendor,    Is,         "OVH"),
        new(Cloud,            "CloudStack",       BareHardware, ProductName,     StartsWith, "CloudStack"),
        new(Cloud,            "Nutanix",          BareHardware, SystemVendor,    Is,         "Nutanix"),
        new(Cloud,            "OpenStack",        BareHardware, ProductName,     StartsWith, "OpenStack"),
        new(Cloud,            "OpenStack",        BareHardware, SystemVendor,    StartsWith, "OpenStack"),
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
