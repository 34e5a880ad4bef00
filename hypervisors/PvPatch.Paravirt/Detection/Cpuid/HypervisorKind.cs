namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>
/// The hypervisors that are told apart. The numbers up to <see cref="Acrn"/> are those of Linux's
/// <c>enum x86_hypervisor_type</c> (arch/x86/include/asm/hypervisor.h); the ones after <see cref="Bhyve"/> are recognised
/// only: Linux has no paravirt back end for them and runs on them as on bare hardware.
/// </summary>
public enum HypervisorKind
{
    /// <summary>No hypervisor is seen.</summary>
    BareHardware = 0,

    /// <summary>VMware ESXi, Workstation, Fusion.</summary>
    VMware = 1,

    /// <summary>Microsoft Hyper-V, Azure.</summary>
    HyperV = 2,

    /// <summary>Xen, the kernel entered through Xen's paravirtual entry point.</summary>
    XenPv = 3,

    /// <summary>Xen with hardware virtualisation; PVH guests are of this kind too.</summary>
    XenHvm = 4,

    /// <summary>Linux KVM.</summary>
    Kvm = 5,

    /// <summary>Jailhouse, a partitioning hypervisor.</summary>
    Jailhouse = 6,

    /// <summary>ACRN, a hypervisor for embedded devices.</summary>
    Acrn = 7,

    /// <summary>FreeBSD bhyve (known to Linux since 6.19).</summary>
    Bhyve = 8,

    /// <summary>QEMU's own translator, without hardware virtualisation.</summary>
    QemuTcg,

    /// <summary>QEMU, the accelerator unknown.</summary>
    Qemu,

    /// <summary>Oracle VirtualBox.</summary>
    VirtualBox,

    /// <summary>Parallels Desktop.</summary>
    Parallels,

    /// <summary>QNX hypervisor.</summary>
    Qnx,

    /// <summary>Apple's virtualisation framework, or Rosetta.</summary>
    Apple,

    /// <summary>Intel HAXM.</summary>
    Haxm,

    /// <summary>OpenBSD vmm.</summary>
    OpenBsdVmm,

    /// <summary>NetBSD NVMM.</summary>
    Nvmm,

    /// <summary>Lockheed Martin's Hardened Security (SRE).</summary>
    Sre,

    /// <summary>The Bochs emulator.</summary>
    Bochs,

    /// <summary>User-mode Linux.</summary>
    UserModeLinux,

    /// <summary>A hypervisor says it is there, but not one of the known ones.</summary>
    Unknown,
}
