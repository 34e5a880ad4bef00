using System.Runtime.Intrinsics.X86;
using PvPatch.Engine.IndirectCalls;
using PvPatch.Engine.Ops;
using PvPatch.Engine.PatchedCalls.InPlace;

namespace PvPatch.Engine.Tests.Samples;

public static unsafe class HashOps
{
    [PvOp("hash.add", PvOpClass.PatchedCall, "Adds a 32-bit word to a checksum")]
    public static delegate* unmanaged<uint, uint, uint> Add;
}

public static class HashSample
{
    public static LivePatch Start()
    {
        var table = new PvOpTable(typeof(HashOps));
        table.Install([KeyValuePair.Create("hash.add", PvTarget.Method(typeof(HashSample), Sse42.IsSupported ? nameof(Fast) : nameof(Plain)))]);
        return Patcher.Apply(table);
    }

    public static unsafe uint Checksum(uint[] words)
    {
        uint sum = 0;
        foreach (uint word in words)
            sum = HashOps.Add(sum, word);
        return sum;
    }

    internal static uint Fast(uint sum, uint word) => Sse42.Crc32(sum, word);

    internal static uint Plain(uint sum, uint word)
    {
        const uint Castagnoli = 0x82F63B78;
        sum ^= word;
        for (int bit = 0; bit < 32; bit++)
            sum = (sum >> 1) ^ (Castagnoli & (0 - (sum & 1)));
        return sum;
    }
}
