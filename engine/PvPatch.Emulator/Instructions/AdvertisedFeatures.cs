using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// The CPUID feature bits of instructions (Intel SDM vol. 2, CPUID): those of which every instruction has a row in
/// <see cref="InstructionTable"/>, to which a test holds them. All processors here, whoever is around them, advertise these
/// and no others.
/// </summary>
internal static unsafe class AdvertisedFeatures
{
    private const uint OsXsave = 1u << 27;

    private const uint Leaf1EcxWithoutOs =
        1u << 0 |      // SSE3
        1u << 1 |      // PCLMULQDQ
        1u << 9 |      // SSSE3
        1u << 12 |     // FMA
        1u << 13 |     // CMPXCHG16B
        1u << 19 |     // SSE4_1
        1u << 20 |     // SSE4_2
        1u << 22 |     // MOVBE
        1u << 23 |     // POPCNT
        1u << 25 |     // AES
        1u << 26 |     // XSAVE
        1u << 28 |     // AVX
        1u << 29 |     // F16C
        1u << 30;      // RDRAND

    private const uint ExtendedState =
        1u << 0 |      // XSAVEOPT
        1u << 1 |      // XSAVEC
        1u << 2;       // XGETBV of what is in use

    /// <summary>Leaf 1, EDX.</summary>
    public const uint Leaf1Edx =
        1u << 0 |      // FPU
        1u << 4 |      // TSC
        1u << 5 |      // MSR
        1u << 8 |      // CX8
        1u << 11 |     // SEP
        1u << 15 |     // CMOV
        1u << 19 |     // CLFSH
        1u << 23 |     // MMX
        1u << 24 |     // FXSR
        1u << 25 |     // SSE
        1u << 26;      // SSE2

    /// <summary>Leaf 7, EBX.</summary>
    public const uint Leaf7Ebx =
        1u << 0 |      // FSGSBASE
        1u << 3 |      // BMI1
        1u << 5 |      // AVX2
        1u << 8 |      // BMI2
        1u << 10 |     // INVPCID
        1u << 18 |     // RDSEED
        1u << 19 |     // ADX
        1u << 20 |     // SMAP
        1u << 23 |     // CLFLUSHOPT
        1u << 24 |     // CLWB
        1u << 29;      // SHA

    /// <summary>Leaf 7, ECX.</summary>
    public const uint Leaf7Ecx =
        1u << 22;      // RDPID

    /// <summary>Leaf 0x80000001, ECX.</summary>
    public const uint ExtendedEcx =
        1u << 5 |      // LZCNT
        1u << 8 |      // PREFETCHW
        1u << 0;       // LAHF and SAHF in 64-bit code, which Iced counts to the 8086

    /// <summary>Leaf 0x80000001, EDX.</summary>
    public const uint ExtendedEdx =
        1u << 11 |     // SYSCALL
        1u << 27 |     // RDTSCP
        1u << 29;      // X64

    /// <summary>Leaf 1, ECX: OSXSAVE tells what CR4 says.</summary>
    public static uint Leaf1Ecx(CpuState* cpu) => Leaf1EcxWithoutOs | ((cpu->Cr4 & Cr4Bits.OsXsave) != 0 ? OsXsave : 0);

    /// <summary>Leaf 0xd: what XSAVE saves and where; in EBX the size of the area for the components that XCR0 has now, in both formats.</summary>
    public static CpuidRegisters Leaf13(CpuState* cpu, uint subleaf) => subleaf switch
    {
        0 => new((uint)StateComponents.All, (uint)XsaveArea.SizeOf(cpu->Xcr0), XsaveArea.LargestSize, 0),
        1 => new(ExtendedState, (uint)XsaveArea.SizeOf(cpu->Xcr0), 0, 0),
        2 => new(StateComponents.AllVectorBytes, XsaveArea.AvxPlace, 0, 0),
        _ => default,
    };
}
