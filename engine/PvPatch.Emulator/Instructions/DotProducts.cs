using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// DPPS and DPPD: the products that the upper half of the immediate chooses, summed up in pairs, to the elements that its
/// lower half chooses (Intel SDM vol. 2). Exceptions of one step stop before the next one.
/// </summary>
internal static unsafe class DotProducts
{
    public static DecodedInstruction* OfRegisters<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat => VectorShapes.IsReady(cpu, u) ? Sum<TLanes, TFormat>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    public static DecodedInstruction* WithMemory<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat => VectorShapes.TryLoadAligned(cpu, u, out Vector128<byte> b) ? Sum<TLanes, TFormat>(cpu, u, b) : null;

    private static DecodedInstruction* Sum<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        byte control = (byte)u->Immediate;
        ulong* sums = stackalloc ulong[4];
        var context = new FloatContext(cpu->Mxcsr);
        for (int i = 0; i < TLanes.Count; i++)
        {
            // SAFETY: at most four elements, in the vectors and in the sums.
            sums[i] = (control >> (4 + i) & 1) != 0
                ? FloatArithmetic.Multiply<TFormat>(FloatShapes.Element(&a, TLanes.Size, i), FloatShapes.Element(&b, TLanes.Size, i), ref context)
                : 0;
        }

        for (int count = TLanes.Count / 2; count > 0; count /= 2)
        {
            if (!FloatShapes.Settle(cpu, u, context))
                return null;
            for (int i = 0; i < count; i++)
                sums[i] = FloatArithmetic.Add<TFormat>(sums[2 * i], sums[(2 * i) + 1], ref context);
        }

        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        for (int i = 0; i < TLanes.Count; i++)
            FloatShapes.SetElement(&a, TLanes.Size, i, (control >> i & 1) != 0 ? sums[0] : 0);
        VectorShapes.SetXmm(cpu, u->Op0, a);
        return u + 1;
    }
}
