using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Handlers of VEX instructions that move between YMM registers, general registers, memory and flags.</summary>
internal static unsafe class VexMoves
{
    /// <summary>32 bytes to memory.</summary>
    public static DecodedInstruction* Store<TAlignment>(CpuState* cpu, DecodedInstruction* u)
        where TAlignment : IAlignment
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        ulong linear = Operands.Linear(cpu, u, 32, write: true);
        if (TAlignment.Required && (linear & 31) != 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return Operands.Write(cpu, u, linear, VexShapes.Ymm(cpu, u->Op1));
    }

    /// <summary>VMOVD and VMOVQ from a general register.</summary>
    public static DecodedInstruction* FromGeneral<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        VexShapes.SetResult<Vex128>(cpu, u->Op0, VectorElements.FromGeneral(Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op1))), default);
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>VPINSR from a general register.</summary>
    public static DecodedInstruction* InsertRegister<T>(CpuState* cpu, DecodedInstruction* u) =>
        VectorShapes.IsReady(cpu, u) ? Insert<T>(cpu, u, Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op2))) : null;

    /// <summary>VPINSR from memory.</summary>
    public static DecodedInstruction* InsertMemory<T>(CpuState* cpu, DecodedInstruction* u) =>
        VexShapes.TryLoad(cpu, u, out Vector128<byte> value, out _) ? Insert<T>(cpu, u, value.AsUInt64().ToScalar()) : null;

    /// <summary>VEXTRACTF128, VEXTRACTI128 to a register.</summary>
    public static DecodedInstruction* ExtractLane(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        VexShapes.SetResult<Vex128>(cpu, u->Op0, VexShapes.Lane(cpu, u->Op1, (int)u->Immediate & 1), default);
        return u + 1;
    }

    /// <summary>VEXTRACTF128, VEXTRACTI128 to memory.</summary>
    public static DecodedInstruction* StoreLane(CpuState* cpu, DecodedInstruction* u) =>
        VectorShapes.IsReady(cpu, u)
            ? Operands.Write(cpu, u, Operands.Linear(cpu, u, 16, write: true), VexShapes.Lane(cpu, u->Op1, (int)u->Immediate & 1))
            : null;

    /// <summary>VPMOVMSKB, VMOVMSKPS, VMOVMSKPD of a YMM register.</summary>
    public static DecodedInstruction* SignMask<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        ulong low = VectorElements.SignMask<T>(VexShapes.Lane(cpu, u->Op1, 0));
        ulong high = VectorElements.SignMask<T>(VexShapes.Lane(cpu, u->Op1, 1));
        Operands.SetRegister(cpu, u->Op0, low | (high << (16 / sizeof(T))));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>VPTEST (all bits), VTESTPS and VTESTPD (signs) of registers.</summary>
    public static DecodedInstruction* TestRegisters<TWidth, TElement>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth =>
        VectorShapes.IsReady(cpu, u) ? Test<TWidth, TElement>(cpu, u, VexShapes.Lane(cpu, u->Op1, 0), VexShapes.Lane(cpu, u->Op1, 1)) : null;

    /// <summary>VPTEST, VTESTPS and VTESTPD with memory.</summary>
    public static DecodedInstruction* TestMemory<TWidth, TElement>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth =>
        VexShapes.TryLoad(cpu, u, out Vector128<byte> low, out Vector128<byte> high) ? Test<TWidth, TElement>(cpu, u, low, high) : null;

    /// <summary>VBLENDVPS, VBLENDVPD, VPBLENDVB of registers: the signs of the fourth operand choose.</summary>
    public static DecodedInstruction* BlendRegisters<TWidth, T>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
        where T : unmanaged =>
        VectorShapes.IsReady(cpu, u) ? Blend<TWidth, T>(cpu, u, VexShapes.Lane(cpu, u->Op2, 0), VexShapes.Lane(cpu, u->Op2, 1)) : null;

    /// <summary>VBLENDVPS, VBLENDVPD, VPBLENDVB with memory.</summary>
    public static DecodedInstruction* BlendMemory<TWidth, T>(CpuState* cpu, DecodedInstruction* u)
        where TWidth : IVexWidth
        where T : unmanaged =>
        VexShapes.TryLoad(cpu, u, out Vector128<byte> low, out Vector128<byte> high) ? Blend<TWidth, T>(cpu, u, low, high) : null;

    /// <summary>VZEROUPPER. Outside 64-bit mode there are eight registers.</summary>
    public static DecodedInstruction* ZeroUpper(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        new Span<ulong>(cpu->YmmHigh, 2 * Registers(u)).Clear();
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>VZEROALL.</summary>
    public static DecodedInstruction* ZeroAll(CpuState* cpu, DecodedInstruction* u)
    {
        if (!VectorShapes.IsReady(cpu, u))
            return null;
        new Span<ulong>(cpu->Xmm, 2 * Registers(u)).Clear();
        new Span<ulong>(cpu->YmmHigh, 2 * Registers(u)).Clear();
        return u + 1;
    }

    private static int Registers(DecodedInstruction* u) => (u->Marks & Marks.Code64) != Marks.None ? 16 : 8;

    private static DecodedInstruction* Insert<T>(CpuState* cpu, DecodedInstruction* u, ulong value)
    {
        VexShapes.SetResult<Vex128>(cpu, u->Op0, VectorElements.Insert<T>(VexShapes.Lane(cpu, u->Op1, 0), value, (byte)u->Immediate), default);
        return u + 1;
    }

    private static DecodedInstruction* Test<TWidth, TElement>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> low, Vector128<byte> high)
        where TWidth : IVexWidth
    {
        Vector128<byte> a = VexShapes.Lane(cpu, u->Op0, 0);
        if (TWidth.Lanes == 2)
            VectorElements.Test<TElement>(a, VexShapes.Lane(cpu, u->Op0, 1), low, high, ref cpu->RFlags);
        else
            VectorElements.Test<TElement>(a, default, low, default, ref cpu->RFlags);
        return u + 1;
    }

    private static DecodedInstruction* Blend<TWidth, T>(CpuState* cpu, DecodedInstruction* u, Vector128<byte> low, Vector128<byte> high)
        where TWidth : IVexWidth
        where T : unmanaged
    {
        ushort signs = (ushort)u->Immediate;
        low = PackedShuffles.BlendBySigns<T>(VexShapes.Lane(cpu, u->Op1, 0), low, VexShapes.Lane(cpu, signs, 0));
        high = PackedShuffles.BlendBySigns<T>(VexShapes.Lane(cpu, u->Op1, 1), high, VexShapes.Lane(cpu, signs, 1));
        VexShapes.SetResult<TWidth>(cpu, u->Op0, low, high);
        return u + 1;
    }
}
