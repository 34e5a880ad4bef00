using PvPatch.Paravirt.Detection.Cpuid;

namespace PvPatch.Paravirt.Detection.Platform;

/// <summary>What a sign tells.</summary>
public enum SignMeaning
{
    /// <summary>The program that builds the virtual machine: QEMU, Firecracker. It says a VM is there when CPUID doesn't.</summary>
    Machine,

    /// <summary>As <see cref="Machine"/>, and it knows better than CPUID: VirtualBox shows KVM's or Hyper-V's leaves.</summary>
    MachineOverCpuid,

    /// <summary>The cloud. Clouds rent bare hardware too, so it doesn't say that a VM is there.</summary>
    Cloud,
}

/// <summary>How a sign's text is compared; upper and lower case differ.</summary>
public enum SignMatch
{
    /// <summary>The whole text.</summary>
    Is,

    /// <summary>The text's beginning.</summary>
    StartsWith,

    /// <summary>Anywhere in the text.</summary>
    Contains,
}

/// <summary>One sign by which firmware tells the machine or the cloud: a row of <see cref="PlatformSigns"/>.</summary>
/// <param name="Meaning">What it tells.</param>
/// <param name="Name">The machine's or cloud's name.</param>
/// <param name="Kind">The hypervisor it implies when CPUID is silent; <see cref="HypervisorKind.BareHardware"/> when none.</param>
/// <param name="Field">The DMI string to look at; null for the OEM id of an ACPI table.</param>
/// <param name="Match">How it is compared.</param>
/// <param name="Text">With what.</param>
public sealed record PlatformSign(SignMeaning Meaning, string Name, HypervisorKind Kind, DmiField? Field, SignMatch Match, string Text)
{
    /// <summary>Whether a text shows this sign.</summary>
    /// <param name="text">The string from the firmware, or null.</param>
    public bool IsIn(string? text) => text is not null && Match switch
    {
        SignMatch.Is => string.Equals(text, Text, StringComparison.Ordinal),
        SignMatch.StartsWith => text.StartsWith(Text, StringComparison.Ordinal),
        _ => text.Contains(Text, StringComparison.Ordinal),
    };
}
