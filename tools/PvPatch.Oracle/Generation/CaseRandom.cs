using System.Numerics;

namespace PvPatch.Oracle.Generation;

/// <summary>
/// The random choices of a run: xoshiro256** (Blackman and Vigna, 2018), the same for a seed on every runtime, and several times as
/// fast as the library's own generator with a seed.
/// </summary>
internal sealed class CaseRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public CaseRandom(int seed)
    {
        ulong state = (uint)seed;
        _a = Mixed(ref state);
        _b = Mixed(ref state);
        _c = Mixed(ref state);
        _d = Mixed(ref state);
    }

    /// <summary>A number from 0 to below a limit.</summary>
    public int Next(int limit) => (int)(((UInt128)Bits() * (uint)limit) >> 64);

    /// <summary>A number from one to below another.</summary>
    public int Next(int least, int limit) => least + Next(limit - least);

    /// <summary>True in so many of a hundred cases.</summary>
    public bool Chance(int percent) => Next(100) < percent;

    /// <summary>64 random bits.</summary>
    public ulong Bits()
    {
        ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        ulong shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>SplitMix64, which the authors advise for the first state.</summary>
    private static ulong Mixed(ref ulong state)
    {
        state += 0x9e37_79b9_7f4a_7c15;
        ulong mixed = (state ^ (state >> 30)) * 0xbf58_476d_1ce4_e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d0_49bb_1331_11eb;
        return mixed ^ (mixed >> 31);
    }
}
