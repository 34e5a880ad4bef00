using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Programs;

/// <summary>
/// What CPUID tells a program (Intel SDM vol. 2, CPUID): the features of the instructions
/// that the core has and a program may execute.
/// </summary>
internal static unsafe class UserCpuid
{
    private const uint MaxBasic = 0xd;
    private const uint MaxExtended = 0x8000_0008;

    // What the system reserves or would have to turn on first, and what only it executes: MSR, SEP; FSGSBASE, INVPCID, SMAP; RDPID; RDTSCP.
    private const uint SystemLeaf1Edx = 1u << 5 | 1u << 11;
    private const uint SystemLeaf7Ebx = 1u << 0 | 1u << 10 | 1u << 20;
    private const uint SystemLeaf7Ecx = 1u << 22;
    private const uint SystemExtendedEdx = 1u << 27;
    private const uint NoExecute = 1u << 20;

    /// <summary>Leaf 1's EDX, which is also the auxiliary vector's AT_HWCAP.</summary>
    public static uint HardwareCapabilities => AdvertisedFeatures.Leaf1Edx & ~SystemLeaf1Edx;

    /// <summary>The answer for a leaf.</summary>
    public static CpuidRegisters Read(CpuState* cpu, uint leaf, uint subleaf) => leaf switch
    {
        0 => ProcessorIdentity.Vendor(MaxBasic),
        1 => new(ProcessorIdentity.FamilyAndModel, 8u << 8 | 1u << 16, AdvertisedFeatures.Leaf1Ecx(cpu), HardwareCapabilities),
        2 => ProcessorIdentity.CacheDescriptors,
        4 => ProcessorIdentity.Cache(subleaf, cores: 1),
        7 when subleaf == 0 => new(0, AdvertisedFeatures.Leaf7Ebx & ~SystemLeaf7Ebx, AdvertisedFeatures.Leaf7Ecx & ~SystemLeaf7Ecx, 0),
        0xd => AdvertisedFeatures.Leaf13(cpu, subleaf),
        0x8000_0000 => new(MaxExtended, 0, 0, 0),
        0x8000_0001 => new(0, 0, AdvertisedFeatures.ExtendedEcx, (AdvertisedFeatures.ExtendedEdx & ~SystemExtendedEdx) | NoExecute),
        >= 0x8000_0002 and <= 0x8000_0004 => ProcessorIdentity.BrandPart(leaf),
        0x8000_0008 => new(48u << 8 | PageTableEntry.PhysicalAddressBits, 0, 0, 0),
        _ => default,
    };
}
