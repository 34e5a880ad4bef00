using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of the SSE3 arithmetic whose elements do not meet their like: HADD, HSUB, ADDSUB (Intel SDM vol. 2).</summary>
internal static unsafe class HorizontalShapes
{
    /// <summary>HADD, HSUB: neighbours within the first operand, then within the second.</summary>
    public static DecodedInstruction* NeighboursOfRegisters<TLanes>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes => VectorShapes.IsReady(cpu, u) ? Neighbours<TLanes>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>HADD, HSUB with memory.</summary>
    public static DecodedInstruction* NeighboursOfMemory<TLanes>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes => VectorShapes.TryLoadAligned(cpu, u, out Vector128<byte> b) ? Neighbours<TLanes>(cpu, u, b) : null;

    /// <summary>ADDSUB: even elements subtracted, odd ones added.</summary>
    public static DecodedInstruction* AlternatingRegisters<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat => VectorShapes.IsReady(cpu, u) ? Alternating<TLanes, TFormat>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>ADDSUB with memory.</summary>
    public static DecodedInstruction* AlternatingMemory<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat => VectorShapes.TryLoadAligned(cpu, u, out Vector128<byte> b) ? Alternating<TLanes, TFormat>(cpu, u, b) : null;

    private static DecodedInstruction* Neighbours<TLanes>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLanes : IFloatLanes
    {
        var meaning = (delegate*<ulong, ulong, ref FloatContext, ulong>)u->Target;
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        Vector128<byte> result = default;
        var context = new FloatContext(cpu->Mxcsr);
        int half = TLanes.Count / 2;
        for (int i = 0; i < TLanes.Count; i++)
        {
            Vector128<byte>* source = i < half ? &a : &b;
            int first = 2 * (i % half);
            ulong left = FloatShapes.Element(source, TLanes.Size, first);
            ulong right = FloatShapes.Element(source, TLanes.Size, first + 1);
            FloatShapes.SetElement(&result, TLanes.Size, i, meaning(left, right, ref context));
        }

        return Finish(cpu, u, context, result);
    }

    private static DecodedInstruction* Alternating<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        var context = new FloatContext(cpu->Mxcsr);
        for (int i = 0; i < TLanes.Count; i++)
        {
            ulong x = FloatShapes.Element(&a, TLanes.Size, i);
            ulong y = FloatShapes.Element(&b, TLanes.Size, i);
            bool odd = (i & 1) != 0;
            FloatShapes.SetElement(&a, TLanes.Size, i, odd ? FloatArithmetic.Add<TFormat>(x, y, ref context) : FloatArithmetic.Subtract<TFormat>(x, y, ref context));
        }

        return Finish(cpu, u, context, a);
    }

    private static DecodedInstruction* Finish(CpuState* cpu, DecodedInstruction* u, in FloatContext context, Vector128<byte> result)
    {
        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        VectorShapes.SetXmm(cpu, u->Op0, result);
        return u + 1;
    }
}
