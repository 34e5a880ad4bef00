using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// What the bare processor says of itself (Intel SDM vol. 2, CPUID): a 64-bit CPU with the features of all
/// instructions that the core has whole, x2APIC and an invariant TSC whose frequency leaf 0x15 tells. Leaves it does not have are zeros.
/// </summary>
/// <param name="frequency">TSC frequency in Hz.</param>
/// <param name="cpuCount">How many CPUs the package has.</param>
internal sealed unsafe class ProcessorId(ulong frequency, int cpuCount)
{
    private const uint MaxBasic = 0x16;
    private const uint MaxExtended = 0x8000_0008;

    // Beside the features of instructions: DE, PSE, PAE, APIC, MTRR, PGE, PAT, PSE-36; PCID, x2APIC, TSC deadline timer;
    // TSC_ADJUST, SMEP, ERMS; UMIP; NX, 1 GB pages.
    private const uint SystemLeaf1Edx = 1u << 2 | 1u << 3 | 1u << 6 | 1u << 9 | 1u << 12 | 1u << 13 | 1u << 16 | 1u << 17;
    private const uint SystemLeaf1Ecx = 1u << 17 | 1u << 21 | 1u << 24;
    private const uint SystemLeaf7Ebx = 1u << 1 | 1u << 7 | 1u << 9;
    private const uint SystemLeaf7Ecx = 1u << 2;
    private const uint SystemExtendedEdx = 1u << 20 | 1u << 26;

    public CpuidRegisters Read(CpuState* cpu, uint leaf, uint subleaf) => leaf switch
    {
        0x0 => ProcessorIdentity.Vendor(MaxBasic),
        0x1 => new(ProcessorIdentity.FamilyAndModel, (uint)cpu->Index << 24 | (uint)cpuCount << 16 | 8u << 8, AdvertisedFeatures.Leaf1Ecx(cpu) | SystemLeaf1Ecx, AdvertisedFeatures.Leaf1Edx | SystemLeaf1Edx),
        0x2 => ProcessorIdentity.CacheDescriptors,
        0x4 => ProcessorIdentity.Cache(subleaf, cpuCount),
        0x6 => new(1u << 2, 0, 0, 0), // ARAT: the APIC timer runs always.
        0x7 when subleaf == 0 => new(0, AdvertisedFeatures.Leaf7Ebx | SystemLeaf7Ebx, AdvertisedFeatures.Leaf7Ecx | SystemLeaf7Ecx, 0),
        0xb => Topology(cpu->Index, subleaf),
        0xd => AdvertisedFeatures.Leaf13(cpu, subleaf),
        0x15 => new(1, 1, (uint)frequency, 0),
        0x16 => new((uint)(frequency / 1_000_000), (uint)(frequency / 1_000_000), 100, 0),
        0x8000_0000 => new(MaxExtended, 0, 0, 0),
        0x8000_0001 => new(0, 0, AdvertisedFeatures.ExtendedEcx, AdvertisedFeatures.ExtendedEdx | SystemExtendedEdx),
        >= 0x8000_0002 and <= 0x8000_0004 => ProcessorIdentity.BrandPart(leaf),
        0x8000_0007 => new(0, 0, 0, 1u << 8), // Invariant TSC.
        0x8000_0008 => new(48u << 8 | PageTableEntry.PhysicalAddressBits, 0, 0, 0),
        _ => default,
    };

    /// <summary>One thread a core, all cores in one package; EDX is the x2APIC id.</summary>
    private CpuidRegisters Topology(int index, uint subleaf)
    {
        uint idBits = (uint)System.Numerics.BitOperations.Log2((uint)cpuCount * 2 - 1);
        return subleaf switch
        {
            0 => new(0, 1, 1u << 8 | 0, (uint)index),
            1 => new(idBits, (uint)cpuCount, 2u << 8 | 1, (uint)index),
            _ => new(0, 0, subleaf & 0xff, (uint)index),
        };
    }
}
