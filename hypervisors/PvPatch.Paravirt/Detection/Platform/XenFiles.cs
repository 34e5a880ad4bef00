namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>What Linux tells about a Xen domain in files; CPUID can't tell a paravirtual domain from others.</summary>
/// <param name="IsXen">The kernel runs on Xen.</param>
/// <param name="GuestType">PV, HVM or PVH, from /sys/hypervisor/guest_type; null when it isn't told.</param>
/// <param name="IsControlDomain">This is the control domain, dom0.</param>
public sealed record XenFiles(bool IsXen, string? GuestType, bool IsControlDomain)
{
    /// <summary>Reads /sys/hypervisor and /proc/xen.</summary>
    /// <param name="files">The system.</param>
    public static XenFiles Read(PlatformFiles files)
    {
        ArgumentNullException.ThrowIfNull(files);
        bool sysfs = string.Equals(files.ReadText("sys/hypervisor/type"), "xen", StringComparison.Ordinal);
        bool control = files.ReadText("proc/xen/capabilities")?.Contains("control_d", StringComparison.Ordinal) ?? false;
        string? guestType = sysfs ? files.ReadText("sys/hypervisor/guest_type") : null;
        return new XenFiles(sysfs || files.Exists("proc/xen"), guestType, control);
    }

    /// <summary>The kernel was entered as a paravirtual one. A dom0 that doesn't tell its type is one: PVH dom0 is younger than guest_type.</summary>
    public bool EnteredAsPv => string.Equals(GuestType, "PV", StringComparison.Ordinal) || (GuestType is null && IsControlDomain);

    /// <summary>The kernel was entered as a PVH one.</summary>
    public bool EnteredAsPvh => string.Equals(GuestType, "PVH", StringComparison.Ordinal);
}
