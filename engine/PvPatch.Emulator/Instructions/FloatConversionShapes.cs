using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of SSE conversions.</summary>
internal static unsafe class FloatConversionShapes
{
    /// <summary>CVTSI2SS, CVTSI2SD from a register.</summary>
    public static DecodedInstruction* FromRegister<TLanes, TFormat, T>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
        where T : unmanaged =>
        VectorShapes.IsReady(cpu, u) ? FromInteger<TLanes, TFormat>(cpu, u, (long)Integer.Extend(Operands.Register<T>(cpu, u->Op1))) : null;

    /// <summary>CVTSI2SS, CVTSI2SD from memory.</summary>
    public static DecodedInstruction* FromMemory<TLanes, TFormat, T>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
        where T : unmanaged
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        return host == null ? null : FromInteger<TLanes, TFormat>(cpu, u, (long)Integer.Extend(Unsafe.ReadUnaligned<T>(host)));
    }

    /// <summary>CVTSS2SI, CVTTSS2SI and their kind from a register.</summary>
    public static DecodedInstruction* RegisterToGeneral<TLanes, TFormat, T, TTruncates>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
        where T : unmanaged
        where TTruncates : IAlignment =>
        VectorShapes.IsReady(cpu, u) ? ToGeneral<TLanes, TFormat, T>(cpu, u, VectorShapes.Xmm(cpu, u->Op1), TTruncates.Required) : null;

    /// <summary>CVTSS2SI, CVTTSS2SI and their kind from memory.</summary>
    public static DecodedInstruction* MemoryToGeneral<TLanes, TFormat, T, TTruncates>(CpuState* cpu, DecodedInstruction* u)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
        where T : unmanaged
        where TTruncates : IAlignment =>
        FloatShapes.TryLoad<TLanes>(cpu, u, out Vector128<byte> b) ? ToGeneral<TLanes, TFormat, T>(cpu, u, b, TTruncates.Required) : null;

    /// <summary>CVTSS2SD, CVTSD2SS: one element of another size, the rest stays.</summary>
    public static DecodedInstruction* ScalarRegisters<TFromLanes, TFrom, TTo>(CpuState* cpu, DecodedInstruction* u)
        where TFromLanes : IFloatLanes
        where TFrom : IFloatFormat
        where TTo : IFloatFormat =>
        VectorShapes.IsReady(cpu, u) ? OneElement<TFromLanes, TFrom, TTo>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>CVTSS2SD, CVTSD2SS from memory.</summary>
    public static DecodedInstruction* ScalarMemory<TFromLanes, TFrom, TTo>(CpuState* cpu, DecodedInstruction* u)
        where TFromLanes : IFloatLanes
        where TFrom : IFloatFormat
        where TTo : IFloatFormat =>
        FloatShapes.TryLoad<TFromLanes>(cpu, u, out Vector128<byte> b) ? OneElement<TFromLanes, TFrom, TTo>(cpu, u, b) : null;

    /// <summary>Packed conversions between registers.</summary>
    public static DecodedInstruction* PackedRegisters<TConversion>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion =>
        VectorShapes.IsReady(cpu, u) ? Packed<TConversion>(cpu, u, VectorShapes.Xmm(cpu, u->Op1)) : null;

    /// <summary>Packed conversions of 16 bytes of memory.</summary>
    public static DecodedInstruction* PackedMemory<TConversion>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion =>
        VectorShapes.TryLoadAligned(cpu, u, out Vector128<byte> b) ? Packed<TConversion>(cpu, u, b) : null;

    /// <summary>Packed conversions of 8 bytes of memory.</summary>
    public static DecodedInstruction* PackedHalfMemory<TConversion>(CpuState* cpu, DecodedInstruction* u)
        where TConversion : IPackedConversion =>
        FloatShapes.TryLoad<ScalarDouble>(cpu, u, out Vector128<byte> b) ? Packed<TConversion>(cpu, u, b) : null;

    private static DecodedInstruction* FromInteger<TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, long value)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        if (HostConversions.HoldsFromInteger<TLanes>(value, cpu->Mxcsr))
        {
            VectorShapes.SetXmm(cpu, u->Op0, HostConversions.FromInteger<TLanes>(a, value));
            return u + 1;
        }

        var context = new FloatContext(cpu->Mxcsr);
        FloatShapes.SetElement(&a, TLanes.Size, 0, FloatConversions.FromInteger<TFormat>(value, ref context));
        return Finish(cpu, u, context, a);
    }

    private static DecodedInstruction* ToGeneral<TLanes, TFormat, T>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b, bool truncates)
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
        where T : unmanaged
    {
        if (HostConversions.HoldsToInteger<TLanes, T>(b, cpu->Mxcsr))
        {
            Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(truncates ? HostConversions.Truncated<TLanes>(b) : HostConversions.Rounded<TLanes>(b)));
            return u + 1;
        }

        var context = new FloatContext(cpu->Mxcsr);
        Rounding rounding = truncates ? Rounding.Zero : context.Rounding;
        long value = FloatConversions.ToInteger<TFormat>(FloatShapes.Element(&b, TLanes.Size, 0), sizeof(T) * 8, rounding, ref context);
        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        Operands.SetRegister(cpu, u->Op0, Integer.Truncate<T>(value));
        return u + 1;
    }

    private static DecodedInstruction* OneElement<TFromLanes, TFrom, TTo>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TFromLanes : IFloatLanes
        where TFrom : IFloatFormat
        where TTo : IFloatFormat
    {
        Vector128<byte> a = VectorShapes.Xmm(cpu, u->Op0);
        Vector128<byte> onHost = TFromLanes.Size == 4 ? HostConversions.ToDouble(a, b) : HostConversions.ToSingle(a, b);
        if (TFromLanes.Size == 4 ? HostFloat.AreComparable<ScalarSingle>(b, b) : HostConversions.HoldsToSingle(b, onHost, cpu->Mxcsr))
        {
            VectorShapes.SetXmm(cpu, u->Op0, onHost);
            return u + 1;
        }

        var context = new FloatContext(cpu->Mxcsr);
        a = ConvertedScalar<TFrom, TTo>.Do(default, a, b, 0, ref context);
        return Finish(cpu, u, context, a);
    }

    private static DecodedInstruction* Packed<TConversion>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
        where TConversion : IPackedConversion
    {
        var context = new FloatContext(cpu->Mxcsr);
        Vector128<byte> result = Converted<TConversion>.Do(default, default, b, 0, ref context);
        return Finish(cpu, u, context, result);
    }

    private static DecodedInstruction* Finish(CpuState* cpu, DecodedInstruction* u, in FloatContext context, Vector128<byte> result)
    {
        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        VectorShapes.SetXmm(cpu, u->Op0, result);
        return u + 1;
    }
}

/// <summary>A packed conversion; elements above those converted are zero.</summary>
internal interface IPackedConversion
{
    static abstract int Count { get; }

    static abstract int SizeFrom { get; }

    static abstract int SizeTo { get; }

    static abstract ulong Do(ulong element, ref FloatContext context);
}

/// <summary>CVTPS2PD.</summary>
internal struct SinglesToDoubles : IPackedConversion
{
    public static int Count => 2;

    public static int SizeFrom => 4;

    public static int SizeTo => 8;

    public static ulong Do(ulong element, ref FloatContext context) => FloatConversions.Convert<Single32, Double64>(element, ref context);
}

/// <summary>CVTPD2PS.</summary>
internal struct DoublesToSingles : IPackedConversion
{
    public static int Count => 2;

    public static int SizeFrom => 8;

    public static int SizeTo => 4;

    public static ulong Do(ulong element, ref FloatContext context) => FloatConversions.Convert<Double64, Single32>(element, ref context);
}

/// <summary>CVTDQ2PS.</summary>
internal struct IntegersToSingles : IPackedConversion
{
    public static int Count => 4;

    public static int SizeFrom => 4;

    public static int SizeTo => 4;

    public static ulong Do(ulong element, ref FloatContext context) => FloatConversions.FromInteger<Single32>((int)element, ref context);
}

/// <summary>CVTDQ2PD.</summary>
internal struct IntegersToDoubles : IPackedConversion
{
    public static int Count => 2;

    public static int SizeFrom => 4;

    public static int SizeTo => 8;

    public static ulong Do(ulong element, ref FloatContext context) => FloatConversions.FromInteger<Double64>((int)element, ref context);
}

/// <summary>CVTPS2DQ.</summary>
internal struct SinglesToIntegers : IPackedConversion
{
    public static int Count => 4;

    public static int SizeFrom => 4;

    public static int SizeTo => 4;

    public static ulong Do(ulong element, ref FloatContext context) => (uint)FloatConversions.ToInteger<Single32>(element, 32, context.Rounding, ref context);
}

/// <summary>CVTTPS2DQ.</summary>
internal struct SinglesToIntegersTruncated : IPackedConversion
{
    public static int Count => 4;

    public static int SizeFrom => 4;

    public static int SizeTo => 4;

    public static ulong Do(ulong element, ref FloatContext context) => (uint)FloatConversions.ToInteger<Single32>(element, 32, Rounding.Zero, ref context);
}

/// <summary>CVTPD2DQ.</summary>
internal struct DoublesToIntegers : IPackedConversion
{
    public static int Count => 2;

    public static int SizeFrom => 8;

    public static int SizeTo => 4;

    public static ulong Do(ulong element, ref FloatContext context) => (uint)FloatConversions.ToInteger<Double64>(element, 32, context.Rounding, ref context);
}

/// <summary>CVTTPD2DQ.</summary>
internal struct DoublesToIntegersTruncated : IPackedConversion
{
    public static int Count => 2;

    public static int SizeFrom => 8;

    public static int SizeTo => 4;

    public static ulong Do(ulong element, ref FloatContext context) => (uint)FloatConversions.ToInteger<Double64>(element, 32, Rounding.Zero, ref context);
}
