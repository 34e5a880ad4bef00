using System.Numerics;
using System.Runtime.Intrinsics;
using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>What executes one <see cref="Code"/>, by where its operands are; null where that form does not exist.</summary>
internal unsafe struct InstructionRow
{
    /// <summary>No memory operand.</summary>
    public delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> Register;

    /// <summary>A memory operand.</summary>
    public delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> Memory;

    /// <summary>A memory operand under LOCK.</summary>
    public delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> Locked;

    /// <summary>What a packed instruction makes of two registers.</summary>
    public delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> RegisterMeaning;

    /// <summary>What a packed instruction makes of a register and memory.</summary>
    public delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> MemoryMeaning;

    /// <summary>What SSE arithmetic makes of two elements.</summary>
    public delegate*<ulong, ulong, ref FloatContext, ulong> FloatMeaning;
}

/// <summary>Fills the table; its methods are the operand forms that families of instructions share.</summary>
internal sealed unsafe class RowBuilder
{
    private readonly InstructionRow[] _rows = new InstructionRow[Enum.GetValues<Code>().Length];

    /// <summary>The finished table.</summary>
    public InstructionRow[] Rows => _rows;

    /// <summary>One row, all handlers named.</summary>
    public void Set(
        Code code,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> register,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> memory = null,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> locked = null)
    {
        if (_rows[(int)code].Register != null || _rows[(int)code].Memory != null)
            throw new ArgumentException($"{code} has two rows.", nameof(code));
        _rows[(int)code] = new InstructionRow { Register = register, Memory = memory, Locked = locked };
    }

    /// <summary>op r/m, r.</summary>
    public void RmR<TMeaning, T>(Code code)
        where TMeaning : IBinary
        where T : unmanaged, IBinaryInteger<T> =>
        Set(code, &BinaryShapes.ToRegister<TMeaning, T, FromRegister>, &BinaryShapes.ToMemory<TMeaning, T, FromRegister>, &BinaryShapes.ToLockedMemory<TMeaning, T, FromRegister>);

    /// <summary>op r, r/m.</summary>
    public void RRm<TMeaning, T>(Code code)
        where TMeaning : IBinary
        where T : unmanaged, IBinaryInteger<T> =>
        Set(code, &BinaryShapes.ToRegister<TMeaning, T, FromRegister>, &BinaryShapes.FromMemory<TMeaning, T>);

    /// <summary>op r/m, imm.</summary>
    public void RmImm<TMeaning, T>(Code code)
        where TMeaning : IBinary
        where T : unmanaged, IBinaryInteger<T> =>
        Set(code, &BinaryShapes.ToRegister<TMeaning, T, FromImmediate>, &BinaryShapes.ToMemory<TMeaning, T, FromImmediate>, &BinaryShapes.ToLockedMemory<TMeaning, T, FromImmediate>);

    /// <summary>op r/m, r in four sizes.</summary>
    public void RmR<TMeaning>(Code code8, Code code16, Code code32, Code code64)
        where TMeaning : IBinary
    {
        RmR<TMeaning, byte>(code8);
        RmR<TMeaning, ushort>(code16);
        RmR<TMeaning, uint>(code32);
        RmR<TMeaning, ulong>(code64);
    }

    /// <summary>op r, r/m in four sizes.</summary>
    public void RRm<TMeaning>(Code code8, Code code16, Code code32, Code code64)
        where TMeaning : IBinary
    {
        RRm<TMeaning, byte>(code8);
        RRm<TMeaning>(code16, code32, code64);
    }

    /// <summary>op r, r/m in three sizes.</summary>
    public void RRm<TMeaning>(Code code16, Code code32, Code code64)
        where TMeaning : IBinary
    {
        RRm<TMeaning, ushort>(code16);
        RRm<TMeaning, uint>(code32);
        RRm<TMeaning, ulong>(code64);
    }

    /// <summary>op r/m, imm in four sizes; also op of the accumulator, and shifts.</summary>
    public void RmImm<TMeaning>(Code code8, Code code16, Code code32, Code code64)
        where TMeaning : IBinary
    {
        RmImm<TMeaning, byte>(code8);
        RmImm<TMeaning>(code16, code32, code64);
    }

    /// <summary>op r/m, imm in three sizes.</summary>
    public void RmImm<TMeaning>(Code code16, Code code32, Code code64)
        where TMeaning : IBinary
    {
        RmImm<TMeaning, ushort>(code16);
        RmImm<TMeaning, uint>(code32);
        RmImm<TMeaning, ulong>(code64);
    }

    /// <summary>op r/m in four sizes.</summary>
    public void Rm<TMeaning>(Code code8, Code code16, Code code32, Code code64)
        where TMeaning : IUnary
    {
        Rm<TMeaning, byte>(code8);
        Rm<TMeaning, ushort>(code16);
        Rm<TMeaning, uint>(code32);
        Rm<TMeaning, ulong>(code64);
    }

    /// <summary>op r/m.</summary>
    public void Rm<TMeaning, T>(Code code)
        where TMeaning : IUnary
        where T : unmanaged, IBinaryInteger<T> =>
        Set(code, &UnaryShapes.Register<TMeaning, T>, &UnaryShapes.Memory<TMeaning, T>, &UnaryShapes.LockedMemory<TMeaning, T>);

    /// <summary>op r/m that works on the accumulator, in four sizes.</summary>
    public void OnAccumulator<TMeaning>(Code code8, Code code16, Code code32, Code code64)
        where TMeaning : IOnAccumulator
    {
        Set(code8, &MultiplicationShapes.ByRegister<TMeaning, byte>, &MultiplicationShapes.ByMemory<TMeaning, byte>);
        Set(code16, &MultiplicationShapes.ByRegister<TMeaning, ushort>, &MultiplicationShapes.ByMemory<TMeaning, ushort>);
        Set(code32, &MultiplicationShapes.ByRegister<TMeaning, uint>, &MultiplicationShapes.ByMemory<TMeaning, uint>);
        Set(code64, &MultiplicationShapes.ByRegister<TMeaning, ulong>, &MultiplicationShapes.ByMemory<TMeaning, ulong>);
    }

    /// <summary>BT and its kind, in three sizes: the bit in a register, then in an immediate.</summary>
    public void Bit<TMeaning>(Code r16, Code r32, Code r64, Code imm16, Code imm32, Code imm64)
        where TMeaning : IBinary
    {
        Bit<TMeaning, ushort>(r16);
        Bit<TMeaning, uint>(r32);
        Bit<TMeaning, ulong>(r64);
        RmImm<TMeaning>(imm16, imm32, imm64);
    }

    /// <summary>BMI with three registers: r, r, r/m.</summary>
    public void RRRm<TMeaning>(Code code32, Code code64)
        where TMeaning : IBinary
    {
        Set(code32, &BinaryShapes.ThreeRegisters<TMeaning, uint>, &BinaryShapes.SecondFromMemory<TMeaning, uint>);
        Set(code64, &BinaryShapes.ThreeRegisters<TMeaning, ulong>, &BinaryShapes.SecondFromMemory<TMeaning, ulong>);
    }

    /// <summary>BMI with three registers: r, r/m, r.</summary>
    public void RRmR<TMeaning>(Code code32, Code code64)
        where TMeaning : IBinary
    {
        Set(code32, &BinaryShapes.ThreeRegisters<TMeaning, uint>, &BinaryShapes.FirstFromMemory<TMeaning, uint>);
        Set(code64, &BinaryShapes.ThreeRegisters<TMeaning, ulong>, &BinaryShapes.FirstFromMemory<TMeaning, ulong>);
    }

    /// <summary>op r, r/m, imm.</summary>
    public void RRmImm<TMeaning, T>(Code code)
        where TMeaning : IBinary
        where T : unmanaged, IBinaryInteger<T> =>
        Set(code, &BinaryShapes.RegisterAndImmediate<TMeaning, T>, &BinaryShapes.MemoryAndImmediate<TMeaning, T>);

    /// <summary>A string instruction in four sizes.</summary>
    public void String<TStep>(Code code8, Code code16, Code code32, Code code64)
        where TStep : IStringStep
    {
        Set(code8, &Strings.Run<TStep, byte>, &Strings.Run<TStep, byte>);
        Set(code16, &Strings.Run<TStep, ushort>, &Strings.Run<TStep, ushort>);
        Set(code32, &Strings.Run<TStep, uint>, &Strings.Run<TStep, uint>);
        Set(code64, &Strings.Run<TStep, ulong>, &Strings.Run<TStep, ulong>);
    }

    /// <summary>Jcc with short and near displacements of three widths, SETcc and CMOVcc of one condition.</summary>
    public void Condition<TCondition>(
        Code short16, Code short32, Code short64, Code near16, Code near32, Code near64, Code set, Code move16, Code move32, Code move64)
        where TCondition : ICondition
    {
        foreach (Code jump in (ReadOnlySpan<Code>)[short16, short32, short64, near16, near32, near64])
            Set(jump, &ControlFlow.Jcc<TCondition>);
        Set(set, &Moves.SetRegister<TCondition>, &Moves.SetMemory<TCondition>);
        Set(move16, &Moves.ConditionalRegister<TCondition, ushort>, &Moves.ConditionalMemory<TCondition, ushort>);
        Set(move32, &Moves.ConditionalRegister<TCondition, uint>, &Moves.ConditionalMemory<TCondition, uint>);
        Set(move64, &Moves.ConditionalRegister<TCondition, ulong>, &Moves.ConditionalMemory<TCondition, ulong>);
    }

    /// <summary>op xmm, xmm/memory: 16 bytes must be aligned, narrower operands need not.</summary>
    public void Packed(Code code, delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> meaning) => Packed(code, meaning, meaning);

    /// <summary>op xmm, xmm/memory that means one thing with a register, another with memory.</summary>
    public void Packed(
        Code code,
        delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> meaning,
        delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> memoryMeaning)
    {
        switch (code.ToOpCode().MemorySize.GetSize())
        {
            case 2:
                Set(code, &VectorShapes.Registers, &VectorShapes.Load<ushort, Unaligned>);
                break;
            case 4:
                Set(code, &VectorShapes.Registers, &VectorShapes.Load<uint, Unaligned>);
                break;
            case 8:
                Set(code, &VectorShapes.Registers, &VectorShapes.Load<ulong, Unaligned>);
                break;
            default:
                Set(code, &VectorShapes.Registers, &VectorShapes.Load<Vector128<byte>, Aligned>);
                break;
        }

        _rows[(int)code].RegisterMeaning = meaning;
        _rows[(int)code].MemoryMeaning = memoryMeaning;
    }

    /// <summary>A load of 16 bytes from anywhere.</summary>
    public void UnalignedLoad(params ReadOnlySpan<Code> codes)
    {
        foreach (Code code in codes)
        {
            Set(code, &VectorShapes.Registers, &VectorShapes.Load<Vector128<byte>, Unaligned>);
            _rows[(int)code].RegisterMeaning = _rows[(int)code].MemoryMeaning = &PackedShuffles.Second;
        }
    }

    /// <summary>MOVD and MOVQ into an XMM register, the rest of it cleared.</summary>
    public void VectorFromGeneral<T>(Code code)
        where T : unmanaged, IBinaryInteger<T>
    {
        Set(code, &VectorShapes.FromGeneral<T>, &VectorShapes.Load<T, Unaligned>);
        _rows[(int)code].RegisterMeaning = _rows[(int)code].MemoryMeaning = &PackedShuffles.Second;
    }

    /// <summary>A store of an XMM register or its low element; between registers, the given meaning.</summary>
    public void VectorStore<T, TAlignment>(Code code, delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> meaning)
        where T : unmanaged
        where TAlignment : IAlignment
    {
        Set(code, &VectorShapes.Registers, &VectorShapes.Store<T, TAlignment>);
        _rows[(int)code].RegisterMeaning = meaning;
    }

    /// <summary>SSE arithmetic: what it makes of two elements.</summary>
    public void Float<TLanes>(Code code, delegate*<ulong, ulong, ref FloatContext, ulong> meaning)
        where TLanes : IFloatLanes
    {
        Set(code, &FloatShapes.Registers<TLanes>, &FloatShapes.Memory<TLanes>);
        _rows[(int)code].FloatMeaning = meaning;
    }

    /// <summary>op mm, mm/memory.</summary>
    public void Mmx(Code code, delegate*<Vector128<byte>, Vector128<byte>, byte, Vector128<byte>> meaning)
    {
        if (code.ToOpCode().MemorySize.GetSize() == 4)
            Set(code, &MmxShapes.Registers, &MmxShapes.Load<uint>);
        else
            Set(code, &MmxShapes.Registers, &MmxShapes.Load<ulong>);
        _rows[(int)code].RegisterMeaning = _rows[(int)code].MemoryMeaning = meaning;
    }

    /// <summary>A row that moves the second operand.</summary>
    public void MeansSecond(Code code) => _rows[(int)code].RegisterMeaning = _rows[(int)code].MemoryMeaning = &PackedShuffles.Second;

    /// <summary>Arithmetic of the x87 in all its forms.</summary>
    public void X87<TMeaning>(Code m32, Code m64, Code int16, Code int32, Code toTop, Code fromTop, Code fromTopAndPop)
        where TMeaning : IExtendedBinary
    {
        Set(m32, null, &X87Arithmetic.WithMemory<TMeaning, FromSingle>);
        Set(m64, null, &X87Arithmetic.WithMemory<TMeaning, FromDouble>);
        Set(int16, null, &X87Arithmetic.WithMemory<TMeaning, FromInt16>);
        Set(int32, null, &X87Arithmetic.WithMemory<TMeaning, FromInt32>);
        Set(toTop, &X87Arithmetic.Registers<TMeaning>);
        Set(fromTop, &X87Arithmetic.Registers<TMeaning>);
        Set(fromTopAndPop, &X87Arithmetic.RegistersAndPop<TMeaning>);
    }

    /// <summary>SSE3 arithmetic between neighbours.</summary>
    public void Neighbours<TLanes>(Code code, delegate*<ulong, ulong, ref FloatContext, ulong> meaning)
        where TLanes : IFloatLanes
    {
        Set(code, &HorizontalShapes.NeighboursOfRegisters<TLanes>, &HorizontalShapes.NeighboursOfMemory<TLanes>);
        _rows[(int)code].FloatMeaning = meaning;
    }

    /// <summary>One handler for several codes without a memory operand.</summary>
    public void Each(delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> handler, params ReadOnlySpan<Code> codes)
    {
        foreach (Code code in codes)
            Set(code, handler);
    }

    /// <summary>One handler for several codes, whatever their operands.</summary>
    public void EachForm(delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> handler, params ReadOnlySpan<Code> codes)
    {
        foreach (Code code in codes)
            Set(code, handler, handler);
    }

    private void Bit<TMeaning, T>(Code code)
        where TMeaning : IBinary
        where T : unmanaged, IBinaryInteger<T> =>
        Set(code, &BinaryShapes.ToRegister<TMeaning, T, FromRegister>, &BitStrings.Memory<TMeaning, T>, &BitStrings.Memory<TMeaning, T>);
}
