using System.Runtime.CompilerServices;

namespace PvPatch.GuestOs.Workloads;

/// <summary>What a workload saw, folded into a number: order matters, time does not.</summary>
public struct Checksum(ulong seed)
{
    /// <summary>The number.</summary>
    public ulong Value { get; private set; } = seed;

    /// <summary>Folds a number in (the mixing step of FNV-1a, 64 bits at a time, then a rotation).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong value) => Value = ulong.RotateLeft((Value ^ value) * 0x0000_0100_0000_01b3, 23);
}
