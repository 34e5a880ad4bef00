using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux;

/// <summary>
/// What CPUID tells a program (Intel SDM vol. 2, CPUID): the baseline of x86-64 (System V ABI, AMD64 supplement, 3.1), and
/// each extension all of whose instructions have a row in <see cref="InstructionTable"/>.
/// </summary>
internal static class UserCpuid
{
    private const uint MaxBasic = 7;
    private const uint MaxExtended = 0x8000_0008;
    private const uint FamilyAndModel = 0x0000_06f0;

    // FPU, TSC, CX8, CMOV, MMX, FXSR, SSE, SSE2.
    private const uint Baseline = 1u << 0 | 1u << 4 | 1u << 8 | 1u << 15 | 1u << 23 | 1u << 24 | 1u << 25 | 1u << 26;

    // SYSCALL, NX, long mode.
    private const uint ExtendedBaseline = 1u << 11 | 1u << 20 | 1u << 29;

    private static readonly uint Leaf1Ecx = Bits(
        (0, CpuidFeature.SSE3), (1, CpuidFeature.PCLMULQDQ), (9, CpuidFeature.SSSE3), (13, CpuidFeature.CMPXCHG16B),
        (19, CpuidFeature.SSE4_1), (20, CpuidFeature.SSE4_2), (22, CpuidFeature.MOVBE), (23, CpuidFeature.POPCNT),
        (25, CpuidFeature.AES), (30, CpuidFeature.RDRAND));

    private static readonly uint Leaf7Ebx = Bits(
        (3, CpuidFeature.BMI1), (8, CpuidFeature.BMI2), (18, CpuidFeature.RDSEED), (19, CpuidFeature.ADX), (29, CpuidFeature.SHA));

    private static readonly uint ExtendedEcx = Bits((5, CpuidFeature.LZCNT)) | 1;      // LAHF

    /// <summary>Leaf 1's EDX, which is also the auxiliary vector's AT_HWCAP.</summary>
    public static uint HardwareCapabilities => Baseline;

    /// <summary>The answer for a leaf.</summary>
    public static CpuidRegisters Read(uint leaf, uint subleaf) => leaf switch
    {
        0 => new(MaxBasic, 0x6150_7650, 0x3436_3878, 0x5f68_6374),                     // "PvPatch_x864", in EBX, EDX, ECX
        1 => new(FamilyAndModel, 8u << 8 | 1u << 16, Leaf1Ecx, Baseline),
        7 when subleaf == 0 => new(0, Leaf7Ebx, 0, 0),
        0x8000_0000 => new(MaxExtended, 0, 0, 0),
        0x8000_0001 => new(0, 0, ExtendedEcx, ExtendedBaseline),
        0x8000_0008 => new(48u << 8 | PageTableEntry.PhysicalAddressBits, 0, 0, 0),
        _ => default,
    };

    private static uint Bits(params ReadOnlySpan<(int Bit, CpuidFeature Feature)> features)
    {
        uint bits = 0;
        foreach ((int bit, CpuidFeature feature) in features)
            bits |= InstructionTable.IsComplete(feature) ? 1u << bit : 0;
        return bits;
    }
}
