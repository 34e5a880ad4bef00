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

    /// <summary>Computes lanes of the first operand in place; false after an exception.</summary>
    public static bool TrySum<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, Vector128<byte>* a, Vector128<byte>* b, int lanes)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        byte control = (byte)u->Immediate;
        int elements = lanes * TLanes.Count;
        ulong* sums = stackalloc ulong[8];
        var context = new FloatContext(cpu->Mxcsr);
        for (int i = 0; i < elements; i++)
        {
            // SAFETY: at most four elements in each of two lanes, one behind the other, and eight in the sums.
            sums[i] = (control >> (4 + (i % TLanes.Count)) & 1) != 0
                ? FloatArithmetic.Multiply<TFormat>(FloatShapes.Element(a, TLanes.Size, i), FloatShapes.Element(b, TLanes.Size, i), ref context)
                : 0;
        }

        for (int count = elements / 2; count >= lanes; count /= 2)
        {
            if (!FloatShapes.Settle(cpu, u, context))
                return false;
            for (int i = 0; i < count; i++)
                sums[i] = FloatArithmetic.Add<TFormat>(sums[2 * i], sums[(2 * i) + 1], ref context);
        }

        if (!FloatShapes.Settle(cpu, u, context))
            return false;
        for (int i = 0; i < elements; i++)
            FloatShapes.SetElement(a, TLanes.Size, i, (control >> (i % TLanes.Count) & 1) != 0 ? sums[i / TLanes.Count] : 0);
        return true;
    }

    private static DecodedInstruction* Sum<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        if (!TrySum<TLanes, TFormat>(cpu, u, &a, &b, lanes: 1))
            return null;
        VectorShapes.SetXmm(cpu, u->Op0, a);
        return u + 1;
    }
}
