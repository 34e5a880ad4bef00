using System.Runtime.Intrinsics;
using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>The operand forms of VEX instructions on vectors.</summary>
internal sealed unsafe partial class RowBuilder
{
    /// <summary>Handlers of its own.</summary>
    public void Vex(
        Code code,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> register,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> memory = null)
    {
        if (code != wanted)
            return;
        Set(code, register, memory);
        _row.IsVex = true;
    }

    /// <summary>An instruction that writes no vector register: the SSE instruction's handlers, memory need not be aligned.</summary>
    public void VexLike(Code legacy, params ReadOnlySpan<Code> codes)
    {
        foreach (Code code in codes)
        {
            if (code != wanted)
                continue;
            InstructionRow like = InstructionTable.Row(legacy);
            Vex(code, like.Register, like.Memory);
            _row.IsAligned = like.IsAligned;
        }
    }

    /// <summary>What an SSE instruction means, lane by lane.</summary>
    public void VexPacked(Code legacy, Code code128, Code? code256 = null, byte highShift = 0)
    {
        if (code128 != wanted && code256 != wanted)
            return;
        InstructionRow like = InstructionTable.Row(legacy);
        VexMeaning(like.RegisterMeaning!, like.MemoryMeaning!, code128, code256, highShift);
    }

    /// <summary>What a meaning says, lane by lane.</summary>
    public void VexMeaning(PackedMeaning meaning, Code? code128, Code? code256, byte highShift = 0) => VexMeaning(meaning, meaning, code128, code256, highShift);

    /// <summary>Loads of aligned memory.</summary>
    public void VexAlignedLoad(Code code128, Code code256)
    {
        if (wanted != code128 && wanted != code256)
            return;
        VexMeaning(PackedShuffles.Second, code128, code256);
        _row.Memory = wanted == code128 ? &VexShapes.AlignedMemory<Vex128> : &VexShapes.AlignedMemory<Vex256>;
        _row.IsAligned = true;
    }

    /// <summary>Stores; between registers, moves.</summary>
    public void VexStore<TAlignment>(Code code128, Code code256)
        where TAlignment : IAlignment
    {
        if (wanted == code128)
            Vex(code128, &VexShapes.Registers<Vex128>, &VectorShapes.Store<Vector128<byte>, TAlignment>);
        else if (wanted == code256)
            Vex(code256, &VexShapes.Registers<Vex256>, &VexMoves.Store<TAlignment>);
        else
            return;
        _row.RegisterMeaning = PackedShuffles.Second;
        _row.Spread = VexSpread.LaneByLane;
        _row.IsAligned = TAlignment.Required;
    }

    /// <summary>A store of the lowest element; between registers, the given meaning.</summary>
    public void VexStore<T>(Code? register, Code? memory, PackedMeaning meaning)
    {
        if (register == wanted)
            VexMeaning(meaning, register, null);
        if (memory != wanted)
            return;
        if (_row.IsEmpty)
            Vex(wanted, null, &VectorShapes.Store<T, Unaligned>);
        else
            _row.Memory = &VectorShapes.Store<T, Unaligned>;
        _row.RegisterMeaning = meaning;
        _row.MemoryMeaning = null;
        _row.Spread = VexSpread.LaneByLane;
    }

    /// <summary>VMOVD and VMOVQ into an XMM register.</summary>
    public void VexFromGeneral<T>(Code code)
    {
        if (code != wanted)
            return;
        VexMeaning(PackedShuffles.Second, code, null);
        _row.Register = &VexMoves.FromGeneral<T>;
    }

    /// <summary>What an SSE instruction means for both lanes of the first operand and 16 bytes of the second.</summary>
    public void VexSameSecond(Code legacy, Code code256)
    {
        if (code256 == wanted)
            VexSameSecond(code256, InstructionTable.Row(legacy).RegisterMeaning!);
    }

    /// <summary>A meaning for both lanes of the first operand and 16 bytes, or less, of the second.</summary>
    public void VexSameSecond(Code code256, PackedMeaning meaning)
    {
        if (code256 == wanted)
            SetSpread(VexSpread.SameSecond, &VexShapes.SameSecondRegister, &VexShapes.SameSecondMemory, meaning);
    }

    /// <summary>What an SSE instruction means, its second operand half as wide as the result.</summary>
    public void VexWidening(Code legacy, Code code128, Code code256)
    {
        VexPacked(legacy, code128);
        if (code256 == wanted)
            SetSpread(VexSpread.Widening, &VexShapes.WideningRegister, &VexShapes.WideningMemory, InstructionTable.Row(legacy).RegisterMeaning!);
    }

    /// <summary>Elements cross lanes.</summary>
    public void VexWide(WideMeaning meaning, params ReadOnlySpan<Code> codes)
    {
        foreach (Code code in codes)
        {
            if (code != wanted)
                continue;
            Vex(code, &VexShapes.WideRegisters, &VexShapes.WideMemory);
            _row.WideMeaning = meaning;
            _row.Spread = VexSpread.Wide;
        }
    }

    /// <summary>Arithmetic that the host may compute.</summary>
    public void VexFloat<TLanes, TOperation>(Code code128, Code? code256 = null)
        where TLanes : IFloatLanes
        where TOperation : IFloatOperation
    {
        if (code128 != wanted && code256 != wanted)
            return;
        VexLane<Elementwise<TLanes, TOperation>>(code128, code256);
        _row.Operation = typeof(TOperation);
        _row.Spread = VexSpread.LaneByLane;
    }

    /// <summary>FMA.</summary>
    public void VexFused<TLanes, TOperation, TOrder>(Code code128, Code? code256 = null)
        where TLanes : IFloatLanes
        where TOperation : IFusedOperation
        where TOrder : IFusedOrder
    {
        if (code128 != wanted && code256 != wanted)
            return;
        VexLane<Fused<TLanes, TOperation, TOrder>>(code128, code256);
        _row.FusedOperation = typeof(TOperation);
        _row.FusedOrder = typeof(TOrder);
    }

    /// <summary>Floating-point instructions of other kinds.</summary>
    public void VexLane<TOperation>(Code code128, Code? code256 = null)
        where TOperation : ILaneOperation
    {
        if (code128 == wanted)
            Vex(wanted, &VexFloatShapes.Registers<Vex128, TOperation>, &VexFloatShapes.Memory<Vex128, TOperation>);
        else if (code256 == wanted)
            Vex(wanted, &VexFloatShapes.Registers<Vex256, TOperation>, &VexFloatShapes.Memory<Vex256, TOperation>);
    }

    private void VexMeaning(PackedMeaning meaning, PackedMeaning memoryMeaning, Code? code128, Code? code256, byte highShift)
    {
        if (code128 == wanted)
            Vex(wanted, &VexShapes.Registers<Vex128>, &VexShapes.Memory<Vex128>);
        else if (code256 == wanted)
            Vex(wanted, &VexShapes.Registers<Vex256>, &VexShapes.Memory<Vex256>);
        else
            return;
        _row.RegisterMeaning = meaning;
        _row.MemoryMeaning = memoryMeaning;
        _row.Spread = VexSpread.LaneByLane;
        _row.HighShift = highShift;
    }

    private void SetSpread(
        VexSpread spread,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> register,
        delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> memory,
        PackedMeaning meaning)
    {
        Vex(wanted, register, memory);
        _row.RegisterMeaning = _row.MemoryMeaning = meaning;
        _row.Spread = spread;
    }
}
