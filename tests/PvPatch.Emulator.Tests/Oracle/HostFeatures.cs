using System.Runtime.Intrinsics.X86;
using Iced.Intel;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>Which forms the host can judge.</summary>
internal static class HostFeatures
{
    private static readonly Dictionary<CpuidFeature, (int Leaf, int Register, int Bit)> Places = new()
    {
        [CpuidFeature.SSE3] = (1, 2, 0),
        [CpuidFeature.PCLMULQDQ] = (1, 2, 1),
        [CpuidFeature.SSSE3] = (1, 2, 9),
        [CpuidFeature.CMPXCHG16B] = (1, 2, 13),
        [CpuidFeature.SSE4_1] = (1, 2, 19),
        [CpuidFeature.SSE4_2] = (1, 2, 20),
        [CpuidFeature.MOVBE] = (1, 2, 22),
        [CpuidFeature.POPCNT] = (1, 2, 23),
        [CpuidFeature.AES] = (1, 2, 25),
        [CpuidFeature.BMI1] = (7, 1, 3),
        [CpuidFeature.BMI2] = (7, 1, 8),
        [CpuidFeature.ADX] = (7, 1, 19),
        [CpuidFeature.SHA] = (7, 1, 29),
        [CpuidFeature.LZCNT] = (unchecked((int)0x8000_0001), 2, 5),
    };

    /// <summary>Whether the host executes a form, so far as CPUID tells.</summary>
    public static bool Has(Code code) => code.CpuidFeatures().All(feature =>
    {
        if (!Places.TryGetValue(feature, out (int Leaf, int Register, int Bit) place))
            return true;
        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(place.Leaf, 0);
        int value = place.Register switch
        {
            1 => ebx,
            2 => ecx,
            3 => edx,
            _ => eax,
        };
        return ((value >> place.Bit) & 1) != 0;
    });
}
