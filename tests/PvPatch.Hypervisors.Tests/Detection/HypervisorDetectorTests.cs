using System.Diagnostics;
using PvPatch.Paravirt.Detection;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Detection.Platform;

namespace PvPatch.Hypervisors.Tests.Detection;

[TestFixture]
public sealed class HypervisorDetectorTests
{
    private const string Dmi = "sys/class/dmi/id/";

    private static IEnumerable<TestCaseData> Machines()
    {
        // test's name | dump | expected: kind, name, Linux's name, machine, cloud | files
        yield return Row("VirtualBox_over_Kvm", "kvm", "VirtualBox", "VirtualBox", "KVM", "VirtualBox", null, Dmi + "product_name=VirtualBox", Dmi + "sys_vendor=innotek GmbH");
        yield return Row("VirtualBox_over_HyperV", "hyperv", "VirtualBox", "VirtualBox", "Microsoft Hyper-V", "VirtualBox", null, Dmi + "product_name=VirtualBox");
        yield return Row("VirtualBox_by_its_ACPI_tables", "intel-bare", "VirtualBox", "VirtualBox", null, "VirtualBox", null, "acpi:DSDT=VBOX");
        yield return Row("Parallels_over_HyperV", "hyperv", "Parallels", "Parallels", "Microsoft Hyper-V", "Parallels", null, Dmi + "sys_vendor=Parallels International GmbH.");
        yield return Row("Qemu_on_Kvm", "kvm", "Kvm", "KVM", "KVM", "QEMU", null, Dmi + "sys_vendor=QEMU", Dmi + "product_name=Standard PC (Q35 + ICH9, 2009)");
        yield return Row("Qemu_that_hides_Kvm", "intel-bare", "Qemu", "QEMU", null, "QEMU", null, Dmi + "sys_vendor=QEMU");
        yield return Row("Bochs", "intel-bare", "Bochs", "Bochs", null, "Bochs", null, Dmi + "bios_vendor=Bochs");
        yield return Row("VMware_by_its_serial_number", "vmware-bit-clear", "VMware", "VMware", null, "VMware", null, Dmi + "product_serial=VMware-56 4d 1c");
        yield return Row("Firecracker_by_its_ACPI_tables", "firecracker-epyc", "Kvm", "KVM", "KVM", "Firecracker", null, "acpi:APIC=FIRECK", "acpi:DSDT=FIRECK");
        yield return Row("Cloud_Hypervisor", "kvm", "Kvm", "KVM", "KVM", "Cloud Hypervisor", null, "acpi:DSDT=CLOUDH");
        yield return Row("HyperV", "hyperv", "HyperV", "Microsoft Hyper-V", "Microsoft Hyper-V", "Hyper-V", null, Dmi + "sys_vendor=Microsoft Corporation", Dmi + "product_name=Virtual Machine");
        yield return Row("Azure", "hyperv", "HyperV", "Microsoft Hyper-V", "Microsoft Hyper-V", "Hyper-V", "Microsoft Azure", Dmi + "product_name=Virtual Machine", Dmi + "chassis_asset_tag=7783-7084-3265-9085-8269-3286-77");
        yield return Row("EC2_Nitro", "kvm", "Kvm", "KVM", "KVM", null, "Amazon EC2 (Nitro)", Dmi + "sys_vendor=Amazon EC2", Dmi + "product_name=m6i.large");
        yield return Row("EC2_bare_metal", "intel-bare", "BareHardware", "Bare hardware", null, null, "Amazon EC2 (Nitro)", Dmi + "sys_vendor=Amazon EC2", Dmi + "product_name=m6i.metal");
        yield return Row("EC2_on_Xen", "xen-hvm", "XenHvm", "Xen HVM", "Xen HVM", "Xen", "Amazon EC2 (Xen)", Dmi + "sys_vendor=Xen", Dmi + "bios_version=4.11.amazon");
        yield return Row("Google", "kvm", "Kvm", "KVM", "KVM", "Google Compute Engine", "Google Cloud", Dmi + "sys_vendor=Google", Dmi + "product_name=Google Compute Engine");
        yield return Row("DigitalOcean", "kvm", "Kvm", "KVM", "KVM", null, "DigitalOcean", Dmi + "sys_vendor=DigitalOcean");
        yield return Row("Hetzner", "kvm", "Kvm", "KVM", "KVM", null, "Hetzner", Dmi + "sys_vendor=Hetzner", Dmi + "product_name=vServer");
        yield return Row("Oracle", "kvm", "Kvm", "KVM", "KVM", "QEMU", "Oracle Cloud", Dmi + "sys_vendor=QEMU", Dmi + "chassis_asset_tag=OracleCloud.com");
        yield return Row("Alibaba", "kvm", "Kvm", "KVM", "KVM", null, "Alibaba Cloud", Dmi + "sys_vendor=Alibaba Cloud");
        yield return Row("OpenStack", "kvm", "Kvm", "KVM", "KVM", "OpenStack Nova", "OpenStack", Dmi + "product_name=OpenStack Nova");
        yield return Row("OpenTelekom_before_OpenStack", "kvm", "Kvm", "KVM", "KVM", "OpenStack Nova", "Open Telekom Cloud", Dmi + "product_name=OpenStack Nova", Dmi + "chassis_asset_tag=OpenTelekomCloud");
        yield return Row("A_laptop", "intel-bare", "BareHardware", "Bare hardware", null, null, null, Dmi + "sys_vendor=LENOVO", Dmi + "product_name=20QD", "acpi:DSDT=LENOVO");
        yield return Row("A_Surface_is_no_virtual_machine", "intel-bare", "BareHardware", "Bare hardware", null, null, null, Dmi + "sys_vendor=Microsoft Corporation", Dmi + "product_name=Surface Pro 7");

        yield return Row("Xen_PV_that_masks_CPUID", "intel-bare", "XenPv", "Xen PV", "Xen PV", null, null, "sys/hypervisor/type=xen", "sys/hypervisor/guest_type=PV");
        yield return Row("Xen_PV_that_shows_its_leaves", "xen-hvm-bit-clear", "XenPv", "Xen PV", "Xen PV", null, null, "sys/hypervisor/type=xen", "sys/hypervisor/guest_type=PV");
        yield return Row("Xen_PVH", "xen-hvm", "XenHvm", "Xen PVH", "Xen HVM", null, null, "sys/hypervisor/type=xen", "sys/hypervisor/guest_type=PVH");
        yield return Row("Xen_HVM", "xen-hvm", "XenHvm", "Xen HVM", "Xen HVM", null, null, "sys/hypervisor/type=xen", "sys/hypervisor/guest_type=HVM");
        yield return Row("Xen_dom0_without_a_type", "intel-bare", "XenPv", "Xen PV", "Xen PV", null, null, "proc/xen/capabilities=control_d");

        yield return Row("Arm_on_Kvm", "nothing", "Kvm", "KVM", null, null, null, @"proc/device-tree/hypervisor/compatible=linux,kvm\0");
        yield return Row("Arm_on_Xen", "nothing", "XenHvm", "Xen HVM", null, null, null, @"proc/device-tree/hypervisor/compatible=xen,xen-4.17\0xen,xen\0");
        yield return Row("Arm_on_something_else", "nothing", "Unknown", "Unknown hypervisor", null, null, null, @"proc/device-tree/hypervisor/compatible=acme,hv\0");
        yield return Row("Arm_on_Qemu_by_fw_cfg", "nothing", "Qemu", "QEMU", null, null, null, @"proc/device-tree/fw-cfg@9020000/compatible=qemu,fw-cfg-mmio\0");
        yield return Row("Arm_on_Qemu_by_its_model", "nothing", "Qemu", "QEMU", null, null, null, @"proc/device-tree/model=linux,dummy-virt\0");
        yield return Row("An_Arm_board", "nothing", "BareHardware", "Bare hardware", null, null, null, @"proc/device-tree/model=Raspberry Pi 4 Model B\0");

        yield return Row("User_mode_Linux", "intel-bare", "UserModeLinux", "User-mode Linux", null, null, null, "proc/cpuinfo=processor\t: 0\nvendor_id\t: User Mode Linux\n");
        yield return Row("Only_the_kernel_saw_the_bit", "intel-bare", "Unknown", "Unknown hypervisor", null, null, null, "proc/cpuinfo=vendor_id\t: GenuineIntel\nflags\t\t: fpu vme hypervisor lahf_lm\n");
        yield return Row("A_flag_that_only_begins_alike", "intel-bare", "BareHardware", "Bare hardware", null, null, null, "proc/cpuinfo=flags\t\t: fpu hypervisors\n");
        yield return Row("Nopv_keeps_Linux_from_picking", "kvm", "Kvm", "KVM", null, null, null, "proc/cmdline=root=/dev/vda nopv quiet\n");
        yield return Row("A_word_that_only_begins_with_nopv", "kvm", "Kvm", "KVM", "KVM", null, null, "proc/cmdline=nopvspin\n");
    }

    [TestCaseSource(nameof(Machines))]
    public void A_machine_is_told_by_its_CPUID_and_files(string dump, string[] expected, string[] files)
    {
        using FakeRoot root = FakeRoot.With(files);
        DetectionResult result = HypervisorDetector.Detect(Cpuid(dump), root.Files);
        string?[] told = [$"{result.Kind}", result.Name, result.LinuxName, result.Machine, result.Cloud];
        Assert.That(told.Select(text => text ?? "-"), Is.EqualTo(expected));
        Assert.That(HypervisorDetector.IsVirtual(Cpuid(dump), root.Files), Is.EqualTo(result.IsVirtual));
    }

    [TestCase("docker", ".dockerenv=")]
    [TestCase("podman", "run/.containerenv=engine=\"podman-4.3\"")]
    [TestCase("systemd-nspawn", "run/systemd/container=systemd-nspawn\n")]
    [TestCase("lxc", @"proc/1/environ=PATH=/bin\0container=lxc\0TERM=linux\0")]
    [TestCase("podman", "env:container=podman")]
    [TestCase("docker", "proc/self/cgroup=12:cpu:/docker/3f1c\n")]
    [TestCase("lxc", "proc/1/cgroup=1:name=systemd:/lxc/web\n")]
    [TestCase("kubernetes", "env:KUBERNETES_SERVICE_HOST=10.0.0.1")]
    [TestCase("kubernetes", "proc/self/cgroup=0::/kubepods.slice/kubepods-pod1\n")]
    [TestCase("kubernetes docker", ".dockerenv=", "run/secrets/kubernetes.io/token=x")]
    [TestCase("wsl", "proc/sys/kernel/osrelease=5.15.90.1-microsoft-standard-WSL2\n")]
    [TestCase("wsl", "proc/version=Linux version 4.4.0-19041-Microsoft (gcc)\n")]
    [TestCase("openvz", "proc/vz/veinfo=")]
    [TestCase("", "proc/vz/veinfo=", "proc/bc/0=")]
    [TestCase("", "proc/self/cgroup=0::/user.slice\n", "proc/version=Linux version 6.1.0\n")]
    [TestCase("", "run/systemd/container=\n", "proc/1/environ=")]
    public void A_container_is_reported_beside_the_machine(string expected, params string[] files)
    {
        using FakeRoot root = FakeRoot.With(files);
        DetectionResult result = HypervisorDetector.Detect(Cpuid("kvm"), root.Files);
        Assert.That(result.Name, Is.EqualTo("KVM"));
        Assert.That(result.Containers, Is.EquivalentTo(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Test]
    public void The_raw_table_stands_in_for_a_missing_dmi_folder()
    {
        using FakeRoot root = FakeRoot.With();
        root.Write("sys/firmware/dmi/tables/DMI", SmbiosTableTests.SampleTable());
        DetectionResult result = HypervisorDetector.Detect(Cpuid("intel-bare"), root.Files);
        Assert.That((result.Kind, result.Machine), Is.EqualTo((HypervisorKind.Qemu, "QEMU")));
        Assert.That(result.Evidence.Select(line => $"{line.Source}: {line.What}"), Does.Contain("SMBIOS type 0: virtual machine bit"));
    }

    [Test]
    public void A_serial_number_is_not_printed_unless_it_names_VMware()
    {
        using FakeRoot root = FakeRoot.With(Dmi + "product_serial=C02XK0AAJG5H", Dmi + "sys_vendor=ACME");
        DetectionResult result = HypervisorDetector.Detect(Cpuid("intel-bare"), root.Files);
        Assert.That(result.Evidence.Select(line => line.Value), Does.Contain("ACME").And.None.Contains("C02XK0AAJG5H"));
    }

    [Test]
    public void What_files_say_is_told_without_control_characters()
    {
        using FakeRoot root = FakeRoot.With(Dmi + "sys_vendor=\u001b]0;owned\u0007", "run/systemd/container=\u001b[2J");
        DetectionResult result = HypervisorDetector.Detect(Cpuid("kvm"), root.Files);
        IEnumerable<string> texts = [.. result.Containers, .. result.Evidence.SelectMany(line => (string[])[line.Source, line.What, line.Value])];
        Assert.That(texts, Is.All.Not.Contains('\u001b'));
    }

    [Test]
    public void A_table_cut_short_and_a_folder_in_a_files_place_are_ignored()
    {
        using FakeRoot root = FakeRoot.With("sys/firmware/acpi/tables/data/BERT=x", Dmi + "sys_vendor/x=y", "proc/cpuinfo/x=y");
        root.Write("sys/firmware/acpi/tables/DSDT", [1, 2, 3]);
        Assert.That(HypervisorDetector.Detect(Cpuid("intel-bare"), root.Files).Kind, Is.EqualTo(HypervisorKind.BareHardware));
    }

    [Test]
    public void With_a_dump_alone_nothing_of_this_machine_is_mixed_in()
    {
        DetectionResult result = HypervisorDetector.Detect(Cpuid("hyperv"), PlatformFiles.Nothing);
        Assert.That(result.Evidence.Select(line => line.Source), Is.All.StartsWith("CPUID"));
        Assert.That(result.Containers, Is.Empty);
    }

    [Test]
    public void This_machine_is_told_as_systemd_tells_it()
    {
        if (!OperatingSystem.IsLinux() || RunSystemdDetectVirt() is not { } systemd)
        {
            Assert.Ignore("systemd-detect-virt is not installed here, so there is nothing to compare with.");
            return;
        }

        DetectionResult result = HypervisorDetector.Detect(HostCpuid.Instance, PlatformFiles.ThisMachine);
        Assert.That(SystemdNamesOf(result), Does.Contain(systemd));
    }

    private static string? RunSystemdDetectVirt()
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("systemd-detect-virt", "--vm") { RedirectStandardOutput = true, UseShellExecute = false })!;
            string output = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    // systemd reports two clouds and the control domain in the hypervisor's place.
    private static string[] SystemdNamesOf(DetectionResult result) => result.Kind switch
    {
        _ when result.IsControlDomain => ["none"],
        HypervisorKind.BareHardware => ["none"],
        HypervisorKind.Kvm => ["kvm", "amazon", "google"],
        HypervisorKind.HyperV => ["microsoft"],
        HypervisorKind.XenHvm => ["xen", "amazon"],
        HypervisorKind.XenPv => ["xen"],
        HypervisorKind.VirtualBox => ["oracle"],
        HypervisorKind.Qemu or HypervisorKind.QemuTcg => ["qemu"],
        HypervisorKind.UserModeLinux => ["uml"],
        HypervisorKind.Unknown => ["vm-other"],
        _ => [$"{result.Kind}".ToLowerInvariant()],
    };

    private static CpuidDump Cpuid(string dump) =>
        string.Equals(dump, "nothing", StringComparison.Ordinal)
            ? CpuidDump.Parse("0x0 0x0: eax=0x0 ebx=0x0 ecx=0x0 edx=0x0")
            : CpuidDump.Parse(RecordedDump.Load(dump).Text);

    private static TestCaseData Row(string name, string dump, string kind, string told, string? linux, string? machine, string? cloud, params string[] files) =>
        new TestCaseData(dump, (string[])[kind, told, linux ?? "-", machine ?? "-", cloud ?? "-"], files).SetArgDisplayNames(name);
}
