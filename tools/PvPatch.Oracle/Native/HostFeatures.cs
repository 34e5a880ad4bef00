using System.Runtime.Intrinsics.X86;
using Iced.Intel;

namespace PvPatch.Oracle.Native;

/// <summary>What the host's processor lacks to judge a form.</summary>
internal static class HostFeatures
{
    private const int Ebx = 1;
    private const int Ecx = 2;
    private const int Edx = 3;
    private const int Extended = unchecked((int)0x8000_0001);

    /// <summary>Where CPUID tells of a feature: leaf, subleaf, register, bit (Intel SDM vol. 2, CPUID).</summary>
    private static readonly Dictionary<CpuidFeature, (int Leaf, int Subleaf, int Register, int Bit)> Places = new()
    {
        [CpuidFeature.SSE3] = (1, 0, Ecx, 0),
        [CpuidFeature.PCLMULQDQ] = (1, 0, Ecx, 1),
        [CpuidFeature.SSSE3] = (1, 0, Ecx, 9),
        [CpuidFeature.FMA] = (1, 0, Ecx, 12),
        [CpuidFeature.CMPXCHG16B] = (1, 0, Ecx, 13),
        [CpuidFeature.SSE4_1] = (1, 0, Ecx, 19),
        [CpuidFeature.SSE4_2] = (1, 0, Ecx, 20),
        [CpuidFeature.MOVBE] = (1, 0, Ecx, 22),
        [CpuidFeature.POPCNT] = (1, 0, Ecx, 23),
        [CpuidFeature.AES] = (1, 0, Ecx, 25),
        [CpuidFeature.XSAVE] = (1, 0, Ecx, 27),
        [CpuidFeature.AVX] = (1, 0, Ecx, 28),
        [CpuidFeature.F16C] = (1, 0, Ecx, 29),
        [CpuidFeature.CLFSH] = (1, 0, Edx, 19),
        [CpuidFeature.FSGSBASE] = (7, 0, Ebx, 0),
        [CpuidFeature.BMI1] = (7, 0, Ebx, 3),
        [CpuidFeature.AVX2] = (7, 0, Ebx, 5),
        [CpuidFeature.BMI2] = (7, 0, Ebx, 8),
        [CpuidFeature.ADX] = (7, 0, Ebx, 19),
        [CpuidFeature.CLFLUSHOPT] = (7, 0, Ebx, 23),
        [CpuidFeature.CLWB] = (7, 0, Ebx, 24),
        [CpuidFeature.SHA] = (7, 0, Ebx, 29),
        [CpuidFeature.GFNI] = (7, 0, Ecx, 8),
        [CpuidFeature.VAES] = (7, 0, Ecx, 9),
        [CpuidFeature.VPCLMULQDQ] = (7, 0, Ecx, 10),
        [CpuidFeature.XSAVEOPT] = (0xd, 1, 0, 0),
        [CpuidFeature.XSAVEC] = (0xd, 1, 0, 1),
        [CpuidFeature.LZCNT] = (Extended, 0, Ecx, 5),
    };

    /// <summary>The feature that a form needs and the host has not, so far as CPUID tells; null if it has all.</summary>
    public static CpuidFeature? Missing(Code code)
    {
        foreach (CpuidFeature feature in code.CpuidFeatures())
        {
            if (Places.TryGetValue(feature, out (int Leaf, int Subleaf, int Register, int Bit) place) && !IsSet(place))
                return feature;
        }

        return UsesYmm(code) && !HasYmm ? CpuidFeature.AVX : null;
    }

    /// <summary>Whether the processor has YMM registers and the system keeps their upper halves (XCR0): without that AVX is undefined.</summary>
    public static bool HasYmm => Avx.IsSupported;

    /// <summary>Whether a form is undefined without them, or, of those that save and restore all state, does other things.</summary>
    private static bool UsesYmm(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        return (info.Encoding == EncodingKind.VEX && !code.CpuidFeatures().Any(IsOfGeneralRegisters)) ||
            code.CpuidFeatures().Any(IsXsave);
    }

    private static bool IsOfGeneralRegisters(CpuidFeature feature) => feature is CpuidFeature.BMI1 or CpuidFeature.BMI2;

    private static bool IsXsave(CpuidFeature feature) => feature is CpuidFeature.XSAVE or CpuidFeature.XSAVEOPT or CpuidFeature.XSAVEC;

    private static bool IsSet((int Leaf, int Subleaf, int Register, int Bit) place)
    {
        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(place.Leaf, place.Subleaf);
        int value = place.Register switch
        {
            Ebx => ebx,
            Ecx => ecx,
            Edx => edx,
            _ => eax,
        };
        return ((value >> place.Bit) & 1) != 0;
    }
}
