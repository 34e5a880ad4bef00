using System.Buffers.Binary;
using System.Security.Cryptography;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Devices;

/// <summary>Where RDRAND and RDSEED take their numbers from.</summary>
/// <param name="seed">The start of a sequence that is always the same; null for numbers of the host.</param>
internal sealed class RandomSource(ulong? seed) : ISavedState
{
    private ulong _state = seed ?? 0;

    /// <summary>The next 64 bits: the host's, or those of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).</summary>
    public ulong Next()
    {
        if (seed is null)
            return FromHost();
        _state += 0x9e37_79b9_7f4a_7c15;
        ulong mixed = (_state ^ (_state >> 30)) * 0xbf58_476d_1ce4_e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d0_49bb_1331_11eb;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>Where the sequence stands.</summary>
    public void Transfer(StateTransfer state) => state.Value(ref _state);

    /// <summary>64 random bits of the host.</summary>
    public static ulong FromHost()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
