using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Which part of an XMM register a conversion from an MM register writes.</summary>
internal interface IConvertedPart
{
    static abstract bool KeepsHigh { get; }
}

/// <summary>CVTPI2PS writes the low half.</summary>
internal struct LowHalf : IConvertedPart
{
    public static bool KeepsHigh => true;
}

/// <summary>CVTPI2PD writes all of it.</summary>
internal struct WholeRegister : IConvertedPart
{
    public static bool KeepsHigh => false;
}

/// <summary>
/// SSE conversions between MM and XMM registers (Intel SDM vol. 2, CVTPI2PS and its kind). The x87 turns to MMX only where an MM
/// register is named.
/// </summary>
internal static unsafe class MmxConversions
{
    /// <summary>CVTPI2PS, CVTPI2PD from an MM register.</summary>
    public static DecodedInstruction* FromRegister<TConversion, TPart>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion
        where TPart : IConvertedPart
    {
        if (!VectorShapes.IsReady(cpu, u) || !MmxShapes.IsReady(cpu, u))
            return null;
        MmxShapes.Enter(cpu);
        return ToXmm<TConversion, TPart>(cpu, u, MmxShapes.Get(cpu, u->Op1));
    }

    /// <summary>CVTPI2PS, CVTPI2PD from memory.</summary>
    public static DecodedInstruction* FromMemory<TConversion, TPart>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion
        where TPart : IConvertedPart =>
        FloatShapes.TryLoad<ScalarDouble>(cpu, u, out Vector128<byte> b) ? ToXmm<TConversion, TPart>(cpu, u, b) : null;

    /// <summary>CVTPS2PI, CVTPD2PI from an XMM register.</summary>
    public static DecodedInstruction* ToRegister<TConversion>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion =>
        VectorShapes.IsReady(cpu, u) && MmxShapes.IsReady(cpu, u) ? ToMmx<TConversion>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>CVTPS2PI from 8 bytes of memory.</summary>
    public static DecodedInstruction* ToRegisterFromHalf<TConversion>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion =>
        MmxShapes.IsReady(cpu, u) && FloatShapes.TryLoad<ScalarDouble>(cpu, u, out Vector128<byte> b) ? ToMmx<TConversion>(cpu, u, b) : null;

    /// <summary>CVTPD2PI from 16 aligned bytes of memory.</summary>
    public static DecodedInstruction* ToRegisterFromWhole<TConversion>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion =>
        MmxShapes.IsReady(cpu, u) && VectorShapes.TryLoadAligned(cpu, u, out Vector128<byte> b) ? ToMmx<TConversion>(cpu, u, b) : null;

    private static DecodedInstruction* ToXmm<TConversion, TPart>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TConversion : IPackedConversion
        where TPart : IConvertedPart
    {
        var context = new FloatContext(cpu->Mxcsr);
        Vector128<byte> result = Convert<TConversion>(b, ref context);
        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        if (TPart.KeepsHigh)
            result = PackedShuffles.ReplaceLow64(VectorShapes.Xmm(cpu, u->Op0), result, 0);
        VectorShapes.SetXmm(cpu, u->Op0, result);
        return u + 1;
    }

    private static DecodedInstruction* ToMmx<TConversion>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TConversion : IPackedConversion
    {
        var context = new FloatContext(cpu->Mxcsr);
        Vector128<byte> result = Convert<TConversion>(b, ref context);
        MmxShapes.Enter(cpu);
        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        MmxShapes.Set(cpu, u->Op0, result.AsUInt64()[0]);
        return u + 1;
    }

    /// <summary>Two elements, whatever the conversion does in an XMM register.</summary>
    private static Vector128<byte> Convert<TConversion>(Vector128<byte> b, ref FloatContext context)
        where TConversion : IPackedConversion
    {
        Vector128<byte> result = default;
        for (int i = 0; i < 2; i++)
            FloatShapes.SetElement(&result, TConversion.SizeTo, i, TConversion.Do(FloatShapes.Element(&b, TConversion.SizeFrom, i), ref context));
        return result;
    }
}
