using System.Runtime.Intrinsics.X86;
using PvPatch.Engine.Ops;

namespace PvPatch.Samples.CpuFeatures;

/// <summary>The slot: what the program calls, without knowing which processor it will run on.</summary>
public static unsafe class HashOps
{
    [PvOp("hash.block", summary: "Mixes eight words into the eight lanes of a hash")]
    public static delegate* unmanaged<uint*, uint*, void> Block;
}

/// <summary>A hash over blocks of eight words, each word in a lane of its own.</summary>
internal static unsafe class Hash
{
    /// <summary>Blocks that one round hashes: 32 KiB, which fit the first-level cache.</summary>
    public const int BlocksPerRound = 1024;

    private const int Lanes = 8;
    private static readonly uint[] Data = [.. Enumerable.Range(1, BlocksPerRound * Lanes).Select(i => (uint)i * 2654435761)];

    /// <summary>The hash of so many rounds over the data, through the op.</summary>
    public static Func<int, ulong> ThroughOp => Rounds;

    /// <summary>The same without an op: the choice stands in the loop, where the compiler makes it.</summary>
    public static Func<int, ulong> ByHand => RoundsByHand;

    private static ulong Rounds(int rounds)
    {
        uint* lanes = stackalloc uint[Lanes];
        Start(lanes);
        fixed (uint* data = Data)
        {
            for (int block = 0; block < rounds * BlocksPerRound; block++)
                HashOps.Block(lanes, data + (block % BlocksPerRound * Lanes));
        }

        return Fold(lanes);
    }

    private static ulong RoundsByHand(int rounds)
    {
        uint* lanes = stackalloc uint[Lanes];
        Start(lanes);
        fixed (uint* data = Data)
        {
            for (int block = 0; block < rounds * BlocksPerRound; block++)
            {
                uint* words = data + (block % BlocksPerRound * Lanes);
                if (Avx2.IsSupported)
                    Blocks.MixAvx2(lanes, words);
                else if (Sse41.IsSupported)
                    Blocks.MixSse41(lanes, words);
                else
                    Blocks.MixScalar(lanes, words);
            }
        }

        return Fold(lanes);
    }

    private static void Start(uint* lanes)
    {
        for (uint lane = 0; lane < Lanes; lane++)
            lanes[lane] = lane + 1;
    }

    private static ulong Fold(uint* lanes)
    {
        ulong sum = 0;
        for (int lane = 0; lane < Lanes; lane++)
            sum = (sum * 0x9E3779B97F4A7C15) ^ lanes[lane];
        return sum;
    }
}
