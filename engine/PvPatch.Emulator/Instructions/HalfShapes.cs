using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of VCVTPS2PH, whose destination may be memory.</summary>
internal static unsafe class HalfShapes
{
    private const int SinglesInLane = 4;

    /// <summary>To a register, zero above.</summary>
    public static DecodedInstruction* ToRegister<TWidth>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
    {
        if (!VectorShapes.IsReady(cpu, u) || !TryConvert<TWidth>(cpu, u, out Vector128<byte> halves))
            return null;
        VexShapes.SetResult<Vex128>(cpu, u->Op0, halves, default);
        return u + 1;
    }

    /// <summary>To memory.</summary>
    public static DecodedInstruction* ToMemory<TWidth>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        int size = VexOperands.MemorySize(u);
        ulong linear = Operands.Linear(cpu, u, size, write: true);

        // What cannot be written is told of first.
        if (Operands.Modify(cpu, u, linear, size, out _) == null || !TryConvert<TWidth>(cpu, u, out Vector128<byte> halves))
            return null;
        return size == 8 ? Operands.Write(cpu, u, linear, halves.AsUInt64().ToScalar()) : Operands.Write(cpu, u, linear, halves);
    }

    private static bool TryConvert<TWidth>(CpuState* cpu, DecodedInstruction* u, out Vector128<byte> halves)
        where TWidth : IVexWidth
    {
        var context = new FloatContext(cpu->Mxcsr);
        Rounding rounding = HalfPrecision.RoundingOf((int)u->Immediate, context);
        Vector128<ushort> result = default;
        for (int i = 0; i < SinglesInLane * TWidth.Lanes; i++)
        {
            Vector128<byte> lane = VexShapes.Lane(cpu, u->Op1, i / SinglesInLane);
            ulong half = HalfPrecision.FromSingle(FloatShapes.Element(&lane, sizeof(float), i % SinglesInLane), rounding, ref context);
            result = result.WithElement(i, (ushort)half);
        }

        halves = result.AsByte();
        return FloatShapes.Settle(cpu, u, context);
    }
}
