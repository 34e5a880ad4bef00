using PvPatch.Emulator.State;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Paravirt.Detection;

/// <summary>Puts what was seen into words. Everything that comes from outside is made safe to print here.</summary>
internal sealed class EvidenceList
{
    private const int LongestValue = 120;

    private readonly List<Evidence> _lines = [];

    internal IReadOnlyList<Evidence> Lines => _lines;

    internal void Add(string source, string what, string value) =>
        _lines.Add(new Evidence(source, what, EscapedText.From(value, LongestValue)));

    internal void AddCpuid(ICpuidSource cpuid, CpuidVerdict verdict, List<CpuidInterface> interfaces, CpuidCircumstances circumstances)
    {
        if (cpuid is HostCpuid && !HostCpuid.IsAvailable)
        {
            Add("CPUID", "instruction", "this processor has none");
            return;
        }

        CpuidSignature vendor = VendorOf(cpuid.Read(0, 0));
        _lines.Add(new Evidence("CPUID 0x00000000", "vendor", $"\"{vendor.ToString()}\""));
        _lines.Add(new Evidence("CPUID 0x00000001", "ECX bit 31, hypervisor", verdict.HypervisorBit ? "set" : "clear"));
        foreach (CpuidInterface shown in interfaces)
            AddRegisters(shown.Base, shown.Signature, cpuid.Read(shown.Base, 0));
        if (verdict.Kind == HypervisorKind.Unknown && verdict.Base != 0)
            AddRegisters(verdict.Base, verdict.Signature, cpuid.Read(verdict.Base, 0));
        if (circumstances.NoParavirt)
            _lines.Add(new Evidence("/proc/cmdline", "nopv", "given: Linux leaves most hypervisors' back ends out"));
    }

    internal void AddXen(XenFiles xen)
    {
        if (!xen.IsXen)
            return;
        Add("/sys/hypervisor", "guest type", xen.GuestType ?? "not told");
        Add("/proc/xen", "capabilities", xen.IsControlDomain ? "control_d: the control domain (dom0)" : "none");
    }

    internal void AddFirmware(DmiStrings dmi, IReadOnlyList<string> acpiOems, DeviceTree? tree)
    {
        for (var field = DmiField.SystemVendor; field <= DmiField.ChassisAssetTag; field++)
        {
            // A serial number tells one machine from its twins; it is evidence only where it names a hypervisor.
            bool isPrivate = field == DmiField.ProductSerial && !(dmi[field]?.Contains("VMware", StringComparison.Ordinal) ?? false);
            if (dmi[field] is { } text && !isPrivate)
                Add(dmi.Source ?? "DMI", DmiStrings.NameOf(field), text);
        }

        if (dmi.VirtualMachineBit is { } bit)
            Add("SMBIOS type 0", "virtual machine bit", bit ? "set" : "clear");
        if (acpiOems.Count > 0)
            Add("/sys/firmware/acpi/tables", "OEM ids", string.Join(", ", acpiOems));
        if (tree is not null)
            Add("/" + tree.Path, "device tree", tree.Text);
    }

    internal void AddContainers(IReadOnlyList<ContainerSign> containers)
    {
        foreach (ContainerSign container in containers)
            Add(container.Source, EscapedText.From(container.Name, limit: 60) + " container", container.Value);
    }

    // The vendor stands in EBX, EDX, ECX of leaf 0: another order than a hypervisor's signature.
    private static CpuidSignature VendorOf(CpuidRegisters leafZero) => new(leafZero.Ebx, leafZero.Edx, leafZero.Ecx);

    private void AddRegisters(uint leaf, CpuidSignature signature, CpuidRegisters registers) =>
        _lines.Add(new Evidence(
            $"CPUID 0x{leaf:x8}",
            $"signature \"{signature.ToString()}\"",
            $"eax=0x{registers.Eax:x8} ebx=0x{registers.Ebx:x8} ecx=0x{registers.Ecx:x8} edx=0x{registers.Edx:x8}"));
}
