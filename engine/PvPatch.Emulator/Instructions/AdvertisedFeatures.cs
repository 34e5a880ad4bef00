using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// The CPUID feature bits of instructions (Intel SDM vol. 2, CPUID): one is set if every instruction of the feature has a row
/// in <see cref="InstructionTable"/>. All processors here, whoever is around them, advertise these and no others.
/// </summary>
internal static unsafe class AdvertisedFeatures
{
    /// <summary>Leaf 0xd: legacy region and header of the XSAVE area; x87 and SSE state lie in the former.</summary>
    private const uint XsaveAreaSize = 512 + 64;

    private const uint OsXsave = 1u << 27;
    private const uint XgetbvOfUse = 1u << 2;

    private static readonly uint Leaf1EcxWithoutOs = Bits(
        (0, CpuidFeature.SSE3), (1, CpuidFeature.PCLMULQDQ), (9, CpuidFeature.SSSE3), (13, CpuidFeature.CMPXCHG16B),
        (19, CpuidFeature.SSE4_1), (20, CpuidFeature.SSE4_2), (22, CpuidFeature.MOVBE), (23, CpuidFeature.POPCNT),
        (25, CpuidFeature.AES), (26, CpuidFeature.XSAVE), (30, CpuidFeature.RDRAND));

    private static readonly uint ExtendedState = Bits((0, CpuidFeature.XSAVEOPT), (1, CpuidFeature.XSAVEC)) | XgetbvOfUse;

    /// <summary>Leaf 1, EDX.</summary>
    public static uint Leaf1Edx { get; } = Bits(
        (0, CpuidFeature.FPU), (4, CpuidFeature.TSC), (5, CpuidFeature.MSR), (8, CpuidFeature.CX8), (11, CpuidFeature.SEP),
        (15, CpuidFeature.CMOV), (19, CpuidFeature.CLFSH), (23, CpuidFeature.MMX), (24, CpuidFeature.FXSR), (25, CpuidFeature.SSE),
        (26, CpuidFeature.SSE2));

    /// <summary>Leaf 7, EBX.</summary>
    public static uint Leaf7Ebx { get; } = Bits(
        (0, CpuidFeature.FSGSBASE), (3, CpuidFeature.BMI1), (8, CpuidFeature.BMI2), (10, CpuidFeature.INVPCID), (18, CpuidFeature.RDSEED),
        (19, CpuidFeature.ADX), (20, CpuidFeature.SMAP), (23, CpuidFeature.CLFLUSHOPT), (24, CpuidFeature.CLWB), (29, CpuidFeature.SHA));

    /// <summary>Leaf 7, ECX.</summary>
    public static uint Leaf7Ecx { get; } = Bits((22, CpuidFeature.RDPID));

    /// <summary>Leaf 0x80000001, ECX; LAHF and SAHF, which Iced counts to the 8086, are in 64-bit code too.</summary>
    public static uint ExtendedEcx { get; } = Bits((5, CpuidFeature.LZCNT), (8, CpuidFeature.PREFETCHW)) | 1;

    /// <summary>Leaf 0x80000001, EDX.</summary>
    public static uint ExtendedEdx { get; } = Bits((11, CpuidFeature.SYSCALL), (27, CpuidFeature.RDTSCP), (29, CpuidFeature.X64));

    /// <summary>Leaf 1, ECX: OSXSAVE tells what CR4 says.</summary>
    public static uint Leaf1Ecx(CpuState* cpu) => Leaf1EcxWithoutOs | ((cpu->Cr4 & Cr4Bits.OsXsave) != 0 ? OsXsave : 0);

    /// <summary>Leaf 0xd: what XSAVE saves and where.</summary>
    public static CpuidRegisters Leaf13(uint subleaf) => subleaf switch
    {
        _ when !InstructionTable.IsComplete(CpuidFeature.XSAVE) => default,
        0 => new((uint)StateComponents.All, XsaveAreaSize, XsaveAreaSize, 0),
        1 => new(ExtendedState, XsaveAreaSize, 0, 0),
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
