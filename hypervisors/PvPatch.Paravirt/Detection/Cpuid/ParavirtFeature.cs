namespace PvPatch.Paravirt.Detection.Cpuid;

/// <summary>One of the four registers CPUID answers in.</summary>
public enum CpuidRegister
{
    /// <summary>EAX.</summary>
    Eax,

    /// <summary>EBX.</summary>
    Ebx,

    /// <summary>ECX.</summary>
    Ecx,

    /// <summary>EDX.</summary>
    Edx,
}

/// <summary>One bit by which a hypervisor offers something to its guests: a row of <see cref="ParavirtFeatures"/>.</summary>
/// <param name="Kind">Whose bit it is.</param>
/// <param name="LeafOffset">Its leaf, counted from the interface's base.</param>
/// <param name="Register">Its register.</param>
/// <param name="Bit">Its number, 0 to 31.</param>
/// <param name="Name">Its name in Linux's headers, without the common prefix.</param>
/// <param name="Use">What a guest does with it.</param>
public sealed record ParavirtFeature(HypervisorKind Kind, uint LeafOffset, CpuidRegister Register, int Bit, string Name, string Use);

/// <summary>A feature as one machine has it.</summary>
/// <param name="Feature">Which one.</param>
/// <param name="Leaf">The leaf that was read.</param>
/// <param name="Offered">Whether its bit is set.</param>
public sealed record FeatureState(ParavirtFeature Feature, uint Leaf, bool Offered);
