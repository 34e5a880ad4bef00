using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// VGATHER and VPGATHER (Intel SDM vol. 2): each element whose mask has its sign set is loaded from an address of its own, the lowest first. A
/// fault leaves those before it loaded and their masks clear, so that the instruction can be started again. The decoder refuses equal registers.
/// </summary>
internal static unsafe class Gathers
{
    private const int RegisterSize = 32;

    /// <summary>xmm/ymm, memory by the elements of a vector, mask.</summary>
    public static DecodedInstruction* Load<TWidth, TIndex, T>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
        where TIndex : unmanaged
        where T : unmanaged
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        int count = 16 * TWidth.Lanes / Math.Max(sizeof(TIndex), sizeof(T));
        byte* result = stackalloc byte[RegisterSize], mask = stackalloc byte[RegisterSize], index = stackalloc byte[RegisterSize];
        Fill(cpu, u->Op0, result);
        Fill(cpu, u->Op2, mask);
        Fill(cpu, u->Index, index);
        bool complete = true;

        // SAFETY: so many elements are in the registers.
        for (int i = 0; i < count; i++)
        {
            if (IsNegative(((T*)mask)[i]))
            {
                long offset = sizeof(TIndex) == 4 ? ((int*)index)[i] : ((long*)index)[i];
                byte* host = Operands.Read(cpu, u, Place(cpu, u, offset, sizeof(T)), sizeof(T));
                complete = host != null;
                if (!complete)
                    break;
                ((T*)result)[i] = Unsafe.ReadUnaligned<T>(host);
            }

            ((T*)mask)[i] = default;
        }

        if (complete)
        {
            new Span<byte>(result + (count * sizeof(T)), RegisterSize - (count * sizeof(T))).Clear();
            new Span<byte>(mask + (count * sizeof(T)), RegisterSize - (count * sizeof(T))).Clear();
        }

        Take(cpu, u->Op0, result);
        Take(cpu, u->Op2, mask);
        return complete ? u + 1 : null;
    }

    private static bool IsNegative<T>(T value) => (Integer.ZeroExtend(value) >> ((8 * sizeof(T)) - 1)) != 0;

    private static ulong Place(CpuState* cpu, DecodedInstruction* u, long index, int size)
    {
        // SAFETY: Base is the offset of a 64-bit field inside CpuState.
        ulong offset = *(ulong*)((byte*)cpu + u->Base) + ((ulong)index << u->Scale) + u->Displacement;
        if (u->Addressing == Addressing.Flat)
            return offset;
        return Operands.InSegment(cpu, u, (u->Addressing & Addressing.Cut32) != Addressing.Flat ? (uint)offset : offset, size, write: false);
    }

    private static void Fill(CpuState* cpu, ushort place, byte* bytes)
    {
        // SAFETY: bytes has room for a YMM register.
        Unsafe.WriteUnaligned(bytes, VexShapes.Lane(cpu, place, 0));
        Unsafe.WriteUnaligned(bytes + 16, VexShapes.Lane(cpu, place, 1));
    }

    private static void Take(CpuState* cpu, ushort place, byte* bytes) =>
        // SAFETY: bytes has a YMM register.
        VexShapes.SetResult<Vex256>(cpu, place, Vector128.Load(bytes), Vector128.Load(bytes + 16));
}
