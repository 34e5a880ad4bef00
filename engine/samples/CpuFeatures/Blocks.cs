using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using PvPatch.Engine.Ops;

namespace PvPatch.Samples.CpuFeatures;

/// <summary>Three implementations of one op, plain static methods: <c>lane = lane * Prime + word</c>, for eight lanes.</summary>
internal static unsafe class Blocks
{
    private const uint Prime = 2246822519;

    /// <summary>The fastest one that this processor can run.</summary>
    public static PvTarget Fastest => PvTarget.Method(Avx2.IsSupported ? MixAvx2 : Sse41.IsSupported ? MixSse41 : MixScalar);

    public static void MixAvx2(uint* lanes, uint* words) =>
        Avx.Store(lanes, Avx2.Add(Avx2.MultiplyLow(Avx.LoadVector256(lanes), Vector256.Create(Prime)), Avx.LoadVector256(words)));

    public static void MixSse41(uint* lanes, uint* words)
    {
        for (int half = 0; half < 8; half += 4)
            Sse2.Store(lanes + half, Sse2.Add(Sse41.MultiplyLow(Sse2.LoadVector128(lanes + half), Vector128.Create(Prime)), Sse2.LoadVector128(words + half)));
    }

    public static void MixScalar(uint* lanes, uint* words)
    {
        for (int lane = 0; lane < 8; lane++)
            lanes[lane] = (lanes[lane] * Prime) + words[lane];
    }
}
