using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Handlers of floating-point VEX instructions: all elements of all lanes are computed first, then exceptions are recorded and an unmasked one is
/// #XM with nothing written.
/// </summary>
internal static unsafe class VexFloatShapes
{
    /// <summary>Of registers.</summary>
    public static DecodedInstruction* Registers<TWidth, TOperation>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
        where TOperation : ILaneOperation =>
        VectorShapes.IsReady(cpu, u) ? Apply<TWidth, TOperation>(cpu, u, VexShapes.Lane(cpu, u->Op2, 0), VexShapes.Lane(cpu, u->Op2, 1)) : null;

    /// <summary>With memory.</summary>
    public static DecodedInstruction* Memory<TWidth, TOperation>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
        where TOperation : ILaneOperation =>
        VexShapes.TryLoad(cpu, u, out Vector128<byte> low, out Vector128<byte> high) ? Apply<TWidth, TOperation>(cpu, u, low, high) : null;

    /// <summary>VCVTSI2SS, VCVTSI2SD from a register.</summary>
    public static DecodedInstruction* FromRegister<TFormat, T>(CpuState* cpu, DecodedInstruction* u)
        where TFormat : IFloatFormat
        where T : unmanaged =>
        VectorShapes.IsReady(cpu, u) ? FromInteger<TFormat>(cpu, u, (long)Integer.Extend(Operands.Register<T>(cpu, u->Op2))) : null;

    /// <summary>VCVTSI2SS, VCVTSI2SD from memory.</summary>
    public static DecodedInstruction* FromMemory<TFormat, T>(CpuState* cpu, DecodedInstruction* u)
        where TFormat : IFloatFormat
        where T : unmanaged =>
        VexShapes.TryLoad(cpu, u, out Vector128<byte> value, out _) ? FromInteger<TFormat>(cpu, u, (long)Integer.Extend(Integer.Truncate<T>(value.AsUInt64().ToScalar()))) : null;

    /// <summary>VDPPS, VDPPD of registers.</summary>
    public static DecodedInstruction* DotRegisters<TWidth, TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat =>
        VectorShapes.IsReady(cpu, u) ? Dot<TWidth, TLanes, TFormat>(cpu, u, VexShapes.Lane(cpu, u->Op2, 0), VexShapes.Lane(cpu, u->Op2, 1)) : null;

    /// <summary>VDPPS, VDPPD with memory.</summary>
    public static DecodedInstruction* DotMemory<TWidth, TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat =>
        VexShapes.TryLoad(cpu, u, out Vector128<byte> low, out Vector128<byte> high) ? Dot<TWidth, TLanes, TFormat>(cpu, u, low, high) : null;

    private static DecodedInstruction* Apply<TWidth, TOperation>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> low, Vector128<byte> high)
        where TWidth : IVexWidth
        where TOperation : ILaneOperation
    {
        Vector128<byte> highOnHost = default;
        bool isOnHost = TOperation.TryOnHost(VexShapes.Lane(cpu, u->Op1, 0), low, cpu->Mxcsr, out Vector128<byte> lowOnHost) &&
            (TWidth.Lanes == 1 || TOperation.TryOnHost(VexShapes.Lane(cpu, u->Op1, 1), high, cpu->Mxcsr, out highOnHost));
        if (isOnHost)
        {
            VexShapes.SetResult<TWidth>(cpu, u->Op0, lowOnHost, highOnHost);
            return u + 1;
        }

        var context = new FloatContext(cpu->Mxcsr);
        byte immediate = (byte)u->Immediate;
        if (TWidth.Lanes == 2 && TOperation.Spread == VexSpread.Widening)
            high = VexShapes.UpperPart(low, VexOperands.MemorySize(u));
        low = TOperation.Do(VexShapes.Lane(cpu, u->Op0, 0), VexShapes.Lane(cpu, u->Op1, 0), low, immediate, ref context);
        if (TWidth.Lanes == 2)
            high = TOperation.Do(VexShapes.Lane(cpu, u->Op0, 1), VexShapes.Lane(cpu, u->Op1, 1), high, immediate, ref context);
        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        if (TWidth.Lanes == 2 && TOperation.Spread == VexSpread.Narrowing)
            VexShapes.SetResult<Vex128>(cpu, u->Op0, Vector128.Create(low.AsUInt64().ToScalar(), high.AsUInt64().ToScalar()).AsByte(), default);
        else
            VexShapes.SetResult<TWidth>(cpu, u->Op0, low, high);
        return u + 1;
    }

    private static DecodedInstruction* FromInteger<TFormat>(CpuState* cpu, DecodedInstruction* u, long value)
        where TFormat : IFloatFormat
    {
        var context = new FloatContext(cpu->Mxcsr);
        Vector128<byte> result = VexShapes.Lane(cpu, u->Op1, 0);
        FloatShapes.SetElement(&result, TFormat.FractionBits > 32 ? 8 : 4, 0, FloatConversions.FromInteger<TFormat>(value, ref context));
        if (!FloatShapes.Settle(cpu, u, context))
            return null;
        VexShapes.SetResult<Vex128>(cpu, u->Op0, result, default);
        return u + 1;
    }

    private static DecodedInstruction* Dot<TWidth, TLanes, TFormat>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> low, Vector128<byte> high)
        where TWidth : IVexWidth
        where TLanes : IFloatLanes
        where TFormat : IFloatFormat
    {
        Vector128<byte>* a = stackalloc Vector128<byte>[2], b = stackalloc Vector128<byte>[2];
        (a[0], a[1], b[0], b[1]) = (VexShapes.Lane(cpu, u->Op1, 0), VexShapes.Lane(cpu, u->Op1, 1), low, high);
        if (!DotProducts.TrySum<TLanes, TFormat>(cpu, u, a, b, TWidth.Lanes))
            return null;
        VexShapes.SetResult<TWidth>(cpu, u->Op0, a[0], a[1]);
        return u + 1;
    }
}
