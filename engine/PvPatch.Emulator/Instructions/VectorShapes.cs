using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>
/// Handlers of instructions on XMM registers. The meaning of a packed instruction is a function of two vectors and the
/// immediate; its address comes from the table with the decoded instruction.
/// </summary>
internal static unsafe class VectorShapes
{
    /// <summary>
    /// Whether SSE may be used: #UD with CR0.EM or without CR4.OSFXSR, #NM with CR0.TS (SDM vol. 3, 2.5). For VEX instructions, whether AVX
    /// may be: #UD unless the system turned it on (SDM vol. 1, 14.3), #NM with CR0.TS.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsReady(CpuState* cpu, DecodedInstruction* u) =>
        !((u->Marks & Marks.Vex) == Marks.None ? Refuses(cpu) : RefusesVex(cpu)) || Refuse(cpu, u);

    /// <summary>Whether SSE may not be used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Refuses(CpuState* cpu) =>
        (cpu->Cr0 & (Cr0Bits.Emulation | Cr0Bits.TaskSwitched)) != 0 || (cpu->Cr4 & Cr4Bits.OsFxsr) == 0;

    /// <summary>Whether AVX may not be used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool RefusesVex(CpuState* cpu) => IsVexOff(cpu) || (cpu->Cr0 & Cr0Bits.TaskSwitched) != 0;

    /// <summary>Whether SSE or AVX may not be used, in 64-bit mode.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool RefusesAny(CpuState* cpu) => Refuses(cpu) || IsAvxOff(cpu);

    /// <summary>An XMM register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Xmm(CpuState* cpu, ushort place) => Operands.Register<Vector128<byte>>(cpu, place);

    /// <summary>Writes an XMM register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetXmm(CpuState* cpu, ushort place, Vector128<byte> value) =>
        // SAFETY: places of XMM registers are offsets of 16 bytes inside CpuState.
        Unsafe.WriteUnaligned((byte*)cpu + place, value);

    /// <summary>xmm, xmm (, imm).</summary>
    public static DecodedInstruction* Registers(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        SetXmm(cpu, u->Op0, Meaning(u)(Xmm(cpu, u->Op0), Xmm(cpu, u->Op1), (byte)u->Immediate));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>xmm, memory (, imm); narrower operands are the low elements, zero above.</summary>
    public static DecodedInstruction* Load<T, TAlignment>(CpuState* cpu, DecodedInstruction* u)
        where TAlignment : IAlignment
    {
        if (!IsReady(cpu, u))
            return null;
        ulong linear = Operands.Linear(cpu, u, sizeof(T), write: false);
        if (TAlignment.Required && (linear & 15) != 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        byte* host = Operands.Read(cpu, u, linear, sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave the address of sizeof(T) readable bytes.
        SetXmm(cpu, u->Op0, Meaning(u)(Xmm(cpu, u->Op0), VectorElements.Load<T>(host), (byte)u->Immediate));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>memory, xmm: the low element is stored.</summary>
    public static DecodedInstruction* Store<T, TAlignment>(CpuState* cpu, DecodedInstruction* u)
        where TAlignment : IAlignment
    {
        if (!IsReady(cpu, u))
            return null;
        ulong linear = Operands.Linear(cpu, u, sizeof(T), write: true);
        if (TAlignment.Required && (linear & 15) != 0)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        return Operands.Write(cpu, u, linear, Operands.Register<T>(cpu, u->Op1));
    }

    /// <summary>memory, xmm: the high half is stored (MOVHPS, MOVHPD).</summary>
    public static DecodedInstruction* StoreHigh(CpuState* cpu, DecodedInstruction* u) =>
        IsReady(cpu, u) ? Operands.Write(cpu, u, Operands.Linear(cpu, u, 8, write: true), Operands.Register<ulong>(cpu, (ushort)(u->Op1 + 8))) : null;

    /// <summary>xmm, general register: MOVD and MOVQ.</summary>
    public static DecodedInstruction* FromGeneral<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        SetXmm(cpu, u->Op0, VectorElements.FromGeneral(Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op1))));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>general register, xmm: MOVD and MOVQ.</summary>
    public static DecodedInstruction* ToGeneral<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Operands.SetRegister(cpu, u->Op0, Operands.Register<T>(cpu, u->Op1));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>PINSR from a general register.</summary>
    public static DecodedInstruction* InsertRegister<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        SetXmm(cpu, u->Op0, VectorElements.Insert<T>(Xmm(cpu, u->Op0), Integer.ZeroExtend(Operands.Register<T>(cpu, u->Op1)), (byte)u->Immediate));
        return u + 1;
    }

    /// <summary>PINSR from memory.</summary>
    public static DecodedInstruction* InsertMemory<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        byte* host = Operands.Read(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: false), sizeof(T));
        if (host == null)
            return null;
        // SAFETY: Read gave sizeof(T) readable bytes.
        SetXmm(cpu, u->Op0, VectorElements.Insert<T>(Xmm(cpu, u->Op0), Integer.ZeroExtend(Unsafe.ReadUnaligned<T>(host)), (byte)u->Immediate));
        return u + 1;
    }

    /// <summary>PEXTR and EXTRACTPS to a general register, zero-extended.</summary>
    public static DecodedInstruction* ExtractRegister<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Operands.SetRegister(cpu, u->Op0, VectorElements.Extract<T>(Xmm(cpu, u->Op1), (byte)u->Immediate));
        return u + 1;
    }

    /// <summary>PEXTR and EXTRACTPS to memory.</summary>
    public static DecodedInstruction* ExtractMemory<T>(CpuState* cpu, DecodedInstruction* u) =>
        IsReady(cpu, u)
            ? Operands.Write(cpu, u, Operands.Linear(cpu, u, sizeof(T), write: true), Integer.Truncate<T>(VectorElements.Extract<T>(Xmm(cpu, u->Op1), (byte)u->Immediate)))
            : null;

    /// <summary>PMOVMSKB, MOVMSKPS, MOVMSKPD: the sign of each element.</summary>
    public static DecodedInstruction* SignMask<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        Operands.SetRegister(cpu, u->Op0, VectorElements.SignMask<T>(Xmm(cpu, u->Op1)));
        return Execution.Next(cpu, u + 1);
    }

    /// <summary>PTEST of registers.</summary>
    public static DecodedInstruction* TestRegisters(CpuState* cpu, DecodedInstruction* u) =>
        IsReady(cpu, u) ? Test(cpu, u, Xmm(cpu, u->Op1)) : null;

    /// <summary>PTEST with memory.</summary>
    public static DecodedInstruction* TestMemory(CpuState* cpu, DecodedInstruction* u) =>
        TryLoadAligned(cpu, u, out Vector128<byte> b) ? Test(cpu, u, b) : null;

    /// <summary>MASKMOVDQU: bytes whose mask has its sign set go to DS:RDI.</summary>
    public static DecodedInstruction* MaskedStore(CpuState* cpu, DecodedInstruction* u)
    {
        if (!IsReady(cpu, u))
            return null;
        ulong offset = Counter.Cut(u, cpu->Rdi);
        ulong linear = u->Addressing == Addressing.Flat ? offset : Operands.InSegment(cpu, u, offset, 16, write: true);
        Vector128<byte> mask = Xmm(cpu, u->Op2);
        if (Vector128.ExtractMostSignificantBits(mask) == 0)
            return u + 1;
        byte* host = Operands.Modify(cpu, u, linear, 16, out bool slow);
        if (host == null)
            return null;
        Vector128<byte> value = Xmm(cpu, u->Op1);
        for (int i = 0; i < 16; i++)
        {
            // SAFETY: Modify gave 16 bytes that may be changed.
            if ((mask[i] & 0x80) != 0)
                host[i] = value[i];
        }

        return slow ? Operands.Finish(cpu, u) : u + 1;
    }

    /// <summary>Loads 16 aligned bytes; false after a fault.</summary>
    public static bool TryLoadAligned(CpuState* cpu, DecodedInstruction* u, out Vector128<byte> value)
    {
        value = default;
        if (!IsReady(cpu, u))
            return false;
        ulong linear = Operands.Linear(cpu, u, 16, write: false);
        if ((linear & 15) != 0)
        {
            Execution.Raise(cpu, u, Vectors.GeneralProtection);
            return false;
        }

        byte* host = Operands.Read(cpu, u, linear, 16);
        if (host == null)
            return false;
        // SAFETY: Read gave the address of 16 readable bytes.
        value = Unsafe.ReadUnaligned<Vector128<byte>>(host);
        return true;
    }

    private static delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> Meaning(DecodedInstruction* u) =>
        (delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>>)u->Target;

    private static DecodedInstruction* Test(CpuState* cpu, DecodedInstruction* u, Vector128<byte> b)
    {
        VectorElements.Test<byte>(Xmm(cpu, u->Op0), default, b, default, ref cpu->RFlags);
        return u + 1;
    }

    /// <summary>Not turned on by CR4.OSXSAVE and XCR0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAvxOff(CpuState* cpu) =>
        (cpu->Cr4 & Cr4Bits.OsXsave) == 0 || (~cpu->Xcr0 & (StateComponents.Sse | StateComponents.Avx)) != 0;

    /// <summary>Not turned on, or in real or virtual-8086 mode, which have no VEX.</summary>
    private static bool IsVexOff(CpuState* cpu) => IsAvxOff(cpu) || ProcessorMode.SelectorsAreParagraphs(cpu);

    private static bool Refuse(CpuState* cpu, DecodedInstruction* u)
    {
        bool missing = (u->Marks & Marks.Vex) == Marks.None ? (cpu->Cr0 & Cr0Bits.Emulation) != 0 || (cpu->Cr4 & Cr4Bits.OsFxsr) == 0 : IsVexOff(cpu);
        Execution.Raise(cpu, u, missing ? Vectors.InvalidOpcode : Vectors.DeviceNotAvailable);
        return false;
    }
}

/// <summary>Whether a 16-byte memory operand must lie on a multiple of 16.</summary>
internal interface IAlignment
{
    static abstract bool Required { get; }
}

/// <summary>It must.</summary>
internal struct Aligned : IAlignment
{
    public static bool Required => true;
}

/// <summary>It need not.</summary>
internal struct Unaligned : IAlignment
{
    public static bool Required => false;
}
