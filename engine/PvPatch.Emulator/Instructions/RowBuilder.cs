using System.Runtime.Intrinsics;
using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>What a packed instruction makes of its first operand, its second one, zero above the bytes that were read, and the immediate.</summary>
internal delegate Vector128<byte> PackedMeaning(Vector128<byte> first, Vector128<byte> second, byte immediate);

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
    public PackedMeaning? RegisterMeaning;

    /// <summary>What a packed instruction makes of a register and memory.</summary>
    public PackedMeaning? MemoryMeaning;

    /// <summary>What a VEX instruction makes of whole YMM registers.</summary>
    public WideMeaning? WideMeaning;

    /// <summary>The <see cref="IFloatOperation"/> of SSE arithmetic that the host may compute.</summary>
    public Type? Operation;

    /// <summary>The <see cref="IFusedOperation"/> of FMA.</summary>
    public Type? FusedOperation;

    /// <summary>Its <see cref="IFusedOrder"/>.</summary>
    public Type? FusedOrder;

    /// <summary>Whether a memory operand of 16 bytes or more must lie on a multiple of its size.</summary>
    public bool IsAligned;

    /// <summary>Whether it is a VEX instruction on vectors.</summary>
    public bool IsVex;

    /// <summary>How the operands of such a one reach its meaning.</summary>
    public VexSpread Spread;

    /// <summary>By how many bits the immediate is shifted for its high lane.</summary>
    public byte HighShift;

    /// <summary>Whether nothing executes the code.</summary>
    public readonly bool IsEmpty => Register == null && Memory == null;
}

/// <summary>
/// Reads the lists of rows for one of them; its methods are the operand forms that families of instructions share. Handlers
/// are generic methods, each of which the runtime makes when it is first named: only those of the wanted row are.
/// </summary>
/// <param name="wanted">Whose row it is.</param>
internal sealed unsafe partial class RowBuilder(Code wanted)
{
    private InstructionRow _row;

    /// <summary>The row; empty if none was there.</summary>
    public InstructionRow Row => _row;

    /// <summary>One row, all handlers named.</summary>
    public void Set(
        Code code,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> register,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> memory = null,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> locked = null)
    {
        if (code != wanted)
            return;
        if (!_row.IsEmpty)
            throw new ArgumentException($"{code} has two rows.", nameof(code));
        _row = new InstructionRow { Register = register, Memory = memory, Locked = locked };
    }

    /// <summary>One row of two operands, the second one in a register or in 16 aligned bytes.</summary>
    public void SetAligned(
        Code code,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> register,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> memory)
    {
        Set(code, register, memory);
        _row.IsAligned |= code == wanted;
    }

    /// <summary>op r/m, r, by size.</summary>
    public void RmR<TMeaning>(Code? code8 = null, Code? code16 = null, Code? code32 = null, Code? code64 = null)
        where TMeaning : IBinary
    {
        if (code8 == wanted)
            SetRmR<TMeaning, byte>();
        else if (code16 == wanted)
            SetRmR<TMeaning, ushort>();
        else if (code32 == wanted)
            SetRmR<TMeaning, uint>();
        else if (code64 == wanted)
            SetRmR<TMeaning, ulong>();
    }

    /// <summary>op r, r/m, by size.</summary>
    public void RRm<TMeaning>(Code? code8 = null, Code? code16 = null, Code? code32 = null, Code? code64 = null)
        where TMeaning : IBinary
    {
        if (code8 == wanted)
            SetRRm<TMeaning, byte>();
        else if (code16 == wanted)
            SetRRm<TMeaning, ushort>();
        else if (code32 == wanted)
            SetRRm<TMeaning, uint>();
        else if (code64 == wanted)
            SetRRm<TMeaning, ulong>();
    }

    /// <summary>op r, r/m, without a form of 8 bits.</summary>
    public void RRm<TMeaning>(Code code16, Code code32, Code code64)
        where TMeaning : IBinary =>
        RRm<TMeaning>(null, code16, code32, code64);

    /// <summary>op r/m, imm; also op of the accumulator, and shifts, by size.</summary>
    public void RmImm<TMeaning>(Code? code8 = null, Code? code16 = null, Code? code32 = null, Code? code64 = null)
        where TMeaning : IBinary
    {
        if (code8 == wanted)
            SetRmImm<TMeaning, byte>();
        else if (code16 == wanted)
            SetRmImm<TMeaning, ushort>();
        else if (code32 == wanted)
            SetRmImm<TMeaning, uint>();
        else if (code64 == wanted)
            SetRmImm<TMeaning, ulong>();
    }

    /// <summary>op r/m, imm, without a form of 8 bits.</summary>
    public void RmImm<TMeaning>(Code code16, Code code32, Code code64)
        where TMeaning : IBinary =>
        RmImm<TMeaning>(null, code16, code32, code64);

    /// <summary>op r/m, by size.</summary>
    public void Rm<TMeaning>(Code? code8 = null, Code? code16 = null, Code? code32 = null, Code? code64 = null)
        where TMeaning : IUnary
    {
        if (code8 == wanted)
            SetRm<TMeaning, byte>();
        else if (code16 == wanted)
            SetRm<TMeaning, ushort>();
        else if (code32 == wanted)
            SetRm<TMeaning, uint>();
        else if (code64 == wanted)
            SetRm<TMeaning, ulong>();
    }

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
        if (r16 == wanted)
            SetBit<TMeaning, ushort>();
        else if (r32 == wanted)
            SetBit<TMeaning, uint>();
        else if (r64 == wanted)
            SetBit<TMeaning, ulong>();
        else
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

    /// <summary>op r, r/m, imm, by size.</summary>
    public void RRmImm<TMeaning>(Code? code16 = null, Code? code32 = null, Code? code64 = null)
        where TMeaning : IBinary
    {
        if (code16 == wanted)
            SetRRmImm<TMeaning, ushort>();
        else if (code32 == wanted)
            SetRRmImm<TMeaning, uint>();
        else if (code64 == wanted)
            SetRRmImm<TMeaning, ulong>();
    }

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
        if (wanted == short16 || wanted == short32 || wanted == short64 || wanted == near16 || wanted == near32 || wanted == near64)
            SetJump<TCondition>();
        else if (wanted == set)
            SetByte<TCondition>();
        else if (wanted == move16)
            SetMove<TCondition, ushort>();
        else if (wanted == move32)
            SetMove<TCondition, uint>();
        else if (wanted == move64)
            SetMove<TCondition, ulong>();
    }

    /// <summary>op xmm, xmm/memory: 16 bytes must be aligned, narrower operands need not.</summary>
    public void Packed(Code code, PackedMeaning meaning) => Packed(code, meaning, meaning);

    /// <summary>op xmm, xmm/memory that means one thing with a register, another with memory.</summary>
    public void Packed(Code code, PackedMeaning meaning, PackedMeaning memoryMeaning)
    {
        if (code != wanted)
            return;
        switch (MemorySize(code))
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
                _row.IsAligned = true;
                break;
        }

        _row.RegisterMeaning = meaning;
        _row.MemoryMeaning = memoryMeaning;
    }

    /// <summary>A load of 16 bytes from anywhere.</summary>
    public void UnalignedLoad(params ReadOnlySpan<Code> codes)
    {
        foreach (Code code in codes)
        {
            if (code != wanted)
                continue;
            Set(code, &VectorShapes.Registers, &VectorShapes.Load<Vector128<byte>, Unaligned>);
            MeansSecond(code);
        }
    }

    /// <summary>MOVD and MOVQ into an XMM register, the rest of it cleared.</summary>
    public void VectorFromGeneral<T>(Code code)
    {
        if (code != wanted)
            return;
        Set(code, &VectorShapes.FromGeneral<T>, &VectorShapes.Load<T, Unaligned>);
        MeansSecond(code);
    }

    /// <summary>A store of an XMM register or its low element; between registers, the given meaning.</summary>
    public void VectorStore<T, TAlignment>(Code code, PackedMeaning meaning)
        where TAlignment : IAlignment
    {
        if (code != wanted)
            return;
        Set(code, &VectorShapes.Registers, &VectorShapes.Store<T, TAlignment>);
        _row.RegisterMeaning = meaning;
        _row.IsAligned = TAlignment.Required;
    }

    /// <summary>SSE arithmetic that the host may compute.</summary>
    public void Float<TLanes, TOperation>(Code code)
        where TLanes : IFloatLanes
        where TOperation : IFloatOperation
    {
        if (code != wanted)
            return;
        Set(code, &FloatShapes.Registers<TLanes, TOperation>, &FloatShapes.Memory<TLanes, TOperation>);
        _row.Operation = typeof(TOperation);
        _row.IsAligned = TLanes.Count > 1;
    }

    /// <summary>SSE floating-point instructions of other kinds.</summary>
    public void Lane<TLanes, TOperation>(Code code)
        where TLanes : IFloatLanes
        where TOperation : ILaneOperation
    {
        if (code == wanted)
            Set(code, &FloatShapes.LaneOfRegisters<TOperation>, &FloatShapes.LaneWithMemory<TLanes, TOperation>);
    }

    /// <summary>op mm, mm/memory.</summary>
    public void Mmx(Code code, PackedMeaning meaning)
    {
        if (code != wanted)
            return;
        if (MemorySize(code) == 4)
            Set(code, &MmxShapes.Registers, &MmxShapes.Load<uint>);
        else
            Set(code, &MmxShapes.Registers, &MmxShapes.Load<ulong>);
        _row.RegisterMeaning = _row.MemoryMeaning = meaning;
    }

    /// <summary>A row that moves the second operand.</summary>
    public void MeansSecond(Code code)
    {
        if (code == wanted)
            _row.RegisterMeaning = _row.MemoryMeaning = PackedShuffles.Second;
    }

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

    /// <summary>Bytes of the memory operand. Asked of an instruction, since the first OpCodeInfo builds those of all codes.</summary>
    private static int MemorySize(Code code) => new Instruction { Code = code }.MemorySize.GetSize();

    private void SetRmR<TMeaning, T>()
        where TMeaning : IBinary =>
        Set(wanted, &BinaryShapes.ToRegister<TMeaning, T, FromRegister>, &BinaryShapes.ToMemory<TMeaning, T, FromRegister>, &BinaryShapes.ToLockedMemory<TMeaning, T, FromRegister>);

    private void SetRRm<TMeaning, T>()
        where TMeaning : IBinary =>
        Set(wanted, &BinaryShapes.ToRegister<TMeaning, T, FromRegister>, &BinaryShapes.FromMemory<TMeaning, T>);

    private void SetRmImm<TMeaning, T>()
        where TMeaning : IBinary =>
        Set(wanted, &BinaryShapes.ToRegister<TMeaning, T, FromImmediate>, &BinaryShapes.ToMemory<TMeaning, T, FromImmediate>, &BinaryShapes.ToLockedMemory<TMeaning, T, FromImmediate>);

    private void SetRm<TMeaning, T>()
        where TMeaning : IUnary =>
        Set(wanted, &UnaryShapes.Register<TMeaning, T>, &UnaryShapes.Memory<TMeaning, T>, &UnaryShapes.LockedMemory<TMeaning, T>);

    private void SetRRmImm<TMeaning, T>()
        where TMeaning : IBinary =>
        Set(wanted, &BinaryShapes.RegisterAndImmediate<TMeaning, T>, &BinaryShapes.MemoryAndImmediate<TMeaning, T>);

    private void SetBit<TMeaning, T>()
        where TMeaning : IBinary =>
        Set(wanted, &BinaryShapes.ToRegister<TMeaning, T, FromRegister>, &BitStrings.Memory<TMeaning, T>, &BitStrings.Memory<TMeaning, T>);

    private void SetJump<TCondition>()
        where TCondition : ICondition =>
        Set(wanted, &ControlFlow.Jcc<TCondition>);

    private void SetByte<TCondition>()
        where TCondition : ICondition =>
        Set(wanted, &Moves.SetRegister<TCondition>, &Moves.SetMemory<TCondition>);

    private void SetMove<TCondition, T>()
        where TCondition : ICondition =>
        Set(wanted, &Moves.ConditionalRegister<TCondition, T>, &Moves.ConditionalMemory<TCondition, T>);
}
