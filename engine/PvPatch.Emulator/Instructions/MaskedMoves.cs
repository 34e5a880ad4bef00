using System.Numerics;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ: only elements whose mask has its sign set are moved, and only those can fault (Intel SDM vol. 2,
/// VMASKMOV). As a page lies beyond the first or the last of them only if one of them does, all bytes between these two may be asked for.
/// </summary>
internal static unsafe class MaskedMoves
{
    private const int MostBytes = 32;

    /// <summary>From memory; elements that are not chosen become zero.</summary>
    public static DecodedInstruction* Load<TWidth, T>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        uint chosen = Chosen<TWidth, T>(cpu, u->Op1);
        byte* loaded = stackalloc byte[MostBytes];
        new Span<byte>(loaded, MostBytes).Clear();
        if (chosen != 0)
        {
            (int first, int size) = Range<T>(chosen);
            byte* host = IsThere<T>(cpu, u, chosen, write: false) ? Operands.Read(cpu, u, Place(cpu, u, first, size, write: false), size) : null;
            if (host == null)
                return null;
            // SAFETY: Read gave the address of size readable bytes, and first + size is within a register.
            new ReadOnlySpan<byte>(host, size).CopyTo(new Span<byte>(loaded + first, size));
            for (int i = 0; i < MostBytes; i++)
            {
                if ((chosen >> (i / sizeof(T)) & 1) == 0)
                    loaded[i] = 0;
            }
        }

        VexShapes.SetResult<TWidth>(cpu, u->Op0, Vector128.Load(loaded), Vector128.Load(loaded + 16));
        return u + 1;
    }

    /// <summary>To memory.</summary>
    public static DecodedInstruction* Store<TWidth, T>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        uint chosen = Chosen<TWidth, T>(cpu, u->Op1);
        if (chosen == 0)
            return u + 1;
        (int first, int size) = Range<T>(chosen);
        bool slow = false;
        byte* host = IsThere<T>(cpu, u, chosen, write: true) ? Operands.Modify(cpu, u, Place(cpu, u, first, size, write: true), size, out slow) : null;
        if (host == null)
            return null;
        Vector256<byte> value = VexShapes.Ymm(cpu, u->Op2);
        for (int i = first; i < first + size; i++)
        {
            // SAFETY: Modify gave size bytes that may be changed.
            if ((chosen >> (i / sizeof(T)) & 1) != 0)
                host[i - first] = value[i];
        }

        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    private static uint Chosen<TWidth, T>(CpuState* cpu, ushort mask)
        where TWidth : IVexWidth
    {
        ulong low = VectorElements.SignMask<T>(VexShapes.Lane(cpu, mask, 0));
        ulong high = TWidth.Lanes == 2 ? VectorElements.SignMask<T>(VexShapes.Lane(cpu, mask, 1)) : 0;
        return (uint)(low | (high << (16 / sizeof(T))));
    }

    /// <summary>From the first to the last chosen element, in bytes.</summary>
    private static (int First, int Size) Range<T>(uint chosen)
    {
        int first = BitOperations.TrailingZeroCount(chosen);
        return (first * sizeof(T), (BitOperations.Log2(chosen) + 1 - first) * sizeof(T));
    }

    /// <summary>Whether all chosen elements can be reached, where they lie in two pages: the lowest that cannot is what the fault tells of.</summary>
    private static bool IsThere<T>(CpuState* cpu, DecodedInstruction* u, uint chosen, bool write)
    {
        (int first, int size) = Range<T>(chosen);
        ulong start = Place(cpu, u, first, size, write);
        if ((start & Tlb.LastByte) + (uint)size <= Tlb.LastByte + 1)
            return true;
        for (uint left = chosen; left != 0; left &= left - 1)
        {
            ulong element = Place(cpu, u, BitOperations.TrailingZeroCount(left) * sizeof(T), sizeof(T), write);
            if ((write ? Operands.Modify(cpu, u, element, sizeof(T), out _) : Operands.Read(cpu, u, element, sizeof(T))) == null)
                return false;
        }

        return true;
    }

    private static ulong Place(CpuState* cpu, DecodedInstruction* u, int first, int size, bool write)
    {
        ulong offset = Operands.Effective(cpu, u) + (uint)first;
        return u->Addressing == Addressing.Flat ? offset : Operands.InSegment(cpu, u, offset, size, write);
    }
}
