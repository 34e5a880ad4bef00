using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Tests.Instructions;

/// <summary>The host's own packed instructions mean what the manual's loops say, for random elements and those at the ends of their ranges.</summary>
public sealed class PackedMeaningTests
{
    private const int Vectors = 2_000;

    private static readonly Dictionary<string, (PackedMeaning Quick, PackedMeaning Loop)> Meanings = new(StringComparer.Ordinal)
    {
        ["PAVGB"] = (PackedArithmetic.Average<byte>, (a, b, _) => PackedLoops.Average<byte>(a, b)),
        ["PAVGW"] = (PackedArithmetic.Average<ushort>, (a, b, _) => PackedLoops.Average<ushort>(a, b)),
        ["PMULHW"] = (PackedArithmetic.MultiplyHigh<short>, (a, b, _) => PackedLoops.MultiplyHigh<short>(a, b)),
        ["PMULHUW"] = (PackedArithmetic.MultiplyHigh<ushort>, (a, b, _) => PackedLoops.MultiplyHigh<ushort>(a, b)),
        ["PMULHRSW"] = (PackedArithmetic.MultiplyHighRounded, (a, b, _) => PackedLoops.MultiplyHighRounded(a, b)),
        ["PMULUDQ"] = (PackedArithmetic.MultiplyEven<uint>, (a, b, _) => PackedLoops.MultiplyEven<uint>(a, b)),
        ["PMULDQ"] = (PackedArithmetic.MultiplyEven<int>, (a, b, _) => PackedLoops.MultiplyEven<int>(a, b)),
        ["PMADDWD"] = (PackedArithmetic.MultiplyAddPairs, (a, b, _) => PackedLoops.MultiplyAddPairs(a, b)),
        ["PMADDUBSW"] = (PackedArithmetic.MultiplyAddBytes, (a, b, _) => PackedLoops.MultiplyAddBytes(a, b)),
        ["PSADBW"] = (PackedArithmetic.SumOfDifferences, (a, b, _) => PackedLoops.SumOfDifferences(a, b)),
        ["PSIGNB"] = (PackedArithmetic.Sign<sbyte>, (a, b, _) => PackedLoops.Sign<sbyte>(a, b)),
        ["PSIGNW"] = (PackedArithmetic.Sign<short>, (a, b, _) => PackedLoops.Sign<short>(a, b)),
        ["PSIGND"] = (PackedArithmetic.Sign<int>, (a, b, _) => PackedLoops.Sign<int>(a, b)),
        ["PHADDW"] = (PackedArithmetic.AddNeighbours<short>, (a, b, _) => PackedLoops.AddNeighbours<short>(a, b)),
        ["PHADDD"] = (PackedArithmetic.AddNeighbours<int>, (a, b, _) => PackedLoops.AddNeighbours<int>(a, b)),
        ["PHSUBW"] = (PackedArithmetic.SubtractNeighbours<short>, (a, b, _) => PackedLoops.SubtractNeighbours<short>(a, b)),
        ["PHSUBD"] = (PackedArithmetic.SubtractNeighbours<int>, (a, b, _) => PackedLoops.SubtractNeighbours<int>(a, b)),
        ["PHADDSW"] = (PackedArithmetic.AddNeighboursSaturated, (a, b, _) => PackedLoops.AddNeighboursSaturated(a, b)),
        ["PHSUBSW"] = (PackedArithmetic.SubtractNeighboursSaturated, (a, b, _) => PackedLoops.SubtractNeighboursSaturated(a, b)),
        ["PHMINPOSUW"] = (PackedArithmetic.MinimumAndPlace, (_, b, _) => PackedLoops.MinimumAndPlace(b)),
        ["PACKSSWB"] = (PackedShuffles.Pack<short, sbyte>, (a, b, _) => PackedLoops.Pack<short, sbyte>(a, b)),
        ["PACKUSWB"] = (PackedShuffles.Pack<short, byte>, (a, b, _) => PackedLoops.Pack<short, byte>(a, b)),
        ["PACKSSDW"] = (PackedShuffles.Pack<int, short>, (a, b, _) => PackedLoops.Pack<int, short>(a, b)),
        ["PACKUSDW"] = (PackedShuffles.Pack<int, ushort>, (a, b, _) => PackedLoops.Pack<int, ushort>(a, b)),
        ["PUNPCKLBW"] = (PackedShuffles.UnpackLow<byte>, (a, b, _) => PackedLoops.Unpack<byte>(a, b, 0)),
        ["PUNPCKHBW"] = (PackedShuffles.UnpackHigh<byte>, (a, b, _) => PackedLoops.Unpack<byte>(a, b, 8)),
        ["PUNPCKLWD"] = (PackedShuffles.UnpackLow<ushort>, (a, b, _) => PackedLoops.Unpack<ushort>(a, b, 0)),
        ["PUNPCKHWD"] = (PackedShuffles.UnpackHigh<ushort>, (a, b, _) => PackedLoops.Unpack<ushort>(a, b, 4)),
        ["PUNPCKLDQ"] = (PackedShuffles.UnpackLow<uint>, (a, b, _) => PackedLoops.Unpack<uint>(a, b, 0)),
        ["PUNPCKHDQ"] = (PackedShuffles.UnpackHigh<uint>, (a, b, _) => PackedLoops.Unpack<uint>(a, b, 2)),
        ["PUNPCKLQDQ"] = (PackedShuffles.UnpackLow<ulong>, (a, b, _) => PackedLoops.Unpack<ulong>(a, b, 0)),
        ["PUNPCKHQDQ"] = (PackedShuffles.UnpackHigh<ulong>, (a, b, _) => PackedLoops.Unpack<ulong>(a, b, 1)),
        ["PSHUFD"] = (PackedShuffles.ShuffleDwords, (_, b, i) => PackedLoops.Chosen<uint>(b, b, i, 2)),
        ["SHUFPS"] = (PackedShuffles.ShuffleSingles, (a, b, i) => PackedLoops.Chosen<uint>(a, b, i, 2)),
        ["SHUFPD"] = (PackedShuffles.ShuffleDoubles, (a, b, i) => PackedLoops.Chosen<ulong>(a, b, i, 1)),
        ["PSHUFLW"] = (PackedShuffles.ShuffleLowWords, (_, b, i) => PackedLoops.ShuffleWords(b, 0, i)),
        ["PSHUFHW"] = (PackedShuffles.ShuffleHighWords, (_, b, i) => PackedLoops.ShuffleWords(b, 4, i)),
        ["PSHUFB"] = (PackedShuffles.ShuffleBytes, (a, b, _) => PackedLoops.ShuffleBytes(a, b)),
        ["PALIGNR"] = (PackedShuffles.Align, PackedLoops.Align),
        ["PBLENDW"] = (PackedShuffles.Blend<ushort>, PackedLoops.Blend<ushort>),
        ["BLENDPS"] = (PackedShuffles.Blend<uint>, PackedLoops.Blend<uint>),
        ["BLENDPD"] = (PackedShuffles.Blend<ulong>, PackedLoops.Blend<ulong>),
        ["INSERTPS"] = (PackedShuffles.InsertSingle, (a, b, i) => PackedLoops.InsertAndClear(a, b.AsUInt32()[i >> 6], i)),
        ["PMOVZXBW"] = (PackedShuffles.Widen<byte, ushort>, (_, b, _) => PackedLoops.Widen<byte, ushort>(b)),
        ["PMOVZXBD"] = (PackedShuffles.Widen<byte, uint>, (_, b, _) => PackedLoops.Widen<byte, uint>(b)),
        ["PMOVZXBQ"] = (PackedShuffles.Widen<byte, ulong>, (_, b, _) => PackedLoops.Widen<byte, ulong>(b)),
        ["PMOVSXBW"] = (PackedShuffles.Widen<sbyte, short>, (_, b, _) => PackedLoops.Widen<sbyte, short>(b)),
        ["PMOVSXBD"] = (PackedShuffles.Widen<sbyte, int>, (_, b, _) => PackedLoops.Widen<sbyte, int>(b)),
        ["PMOVSXBQ"] = (PackedShuffles.Widen<sbyte, long>, (_, b, _) => PackedLoops.Widen<sbyte, long>(b)),
        ["PMOVZXWD"] = (PackedShuffles.Widen<ushort, uint>, (_, b, _) => PackedLoops.Widen<ushort, uint>(b)),
        ["PMOVZXWQ"] = (PackedShuffles.Widen<ushort, ulong>, (_, b, _) => PackedLoops.Widen<ushort, ulong>(b)),
        ["PMOVSXWD"] = (PackedShuffles.Widen<short, int>, (_, b, _) => PackedLoops.Widen<short, int>(b)),
        ["PMOVSXWQ"] = (PackedShuffles.Widen<short, long>, (_, b, _) => PackedLoops.Widen<short, long>(b)),
        ["PMOVZXDQ"] = (PackedShuffles.Widen<uint, ulong>, (_, b, _) => PackedLoops.Widen<uint, ulong>(b)),
        ["PMOVSXDQ"] = (PackedShuffles.Widen<int, long>, (_, b, _) => PackedLoops.Widen<int, long>(b)),
        ["PSLLDQ"] = (PackedShifts.LeftBytes, (a, _, i) => PackedLoops.Align(a, default, (byte)(16 - Math.Min(i, (byte)16)))),
        ["PSRLDQ"] = (PackedShifts.RightBytes, (a, _, i) => PackedLoops.Align(default, a, i)),
    };

    [TestCaseSource(nameof(Names))]
    public void The_hosts_instruction_gives_what_the_loop_gives(string name)
    {
        (PackedMeaning quick, PackedMeaning loop) = Meanings[name];
        var random = new Random(name.Length);
        for (int i = 0; i < Vectors; i++)
        {
            Vector128<byte> a = Next(random);
            Vector128<byte> b = Next(random);
            byte immediate = (byte)i;
            Assert.That(quick(a, b, immediate), Is.EqualTo(loop(a, b, immediate)), $"{name} {a}, {b}, {immediate}");
        }
    }

    private static Dictionary<string, (PackedMeaning Quick, PackedMeaning Loop)>.KeyCollection Names() => Meanings.Keys;

    /// <summary>Random bytes, some of them at the ends of signed and unsigned ranges.</summary>
    private static Vector128<byte> Next(Random random)
    {
        byte[] bytes = new byte[16];
        random.NextBytes(bytes);
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = random.Next(8) switch { 0 => 0, 1 => 0xff, 2 => 0x80, 3 => 0x7f, _ => bytes[i] };
        return MemoryMarshal.Read<Vector128<byte>>(bytes);
    }
}
