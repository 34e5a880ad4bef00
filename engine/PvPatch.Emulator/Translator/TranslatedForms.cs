using System.Collections.Frozen;
using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which instructions are part of regions: those that the translator writes itself, and those whose handler it calls. All others
/// the interpreter executes, on a side exit.
/// </summary>
internal static class TranslatedForms
{
    private static readonly FrozenSet<CpuidFeature> CalledFeatures = FrozenSet.Create(
        CpuidFeature.SSE, CpuidFeature.SSE2, CpuidFeature.SSE3, CpuidFeature.SSSE3, CpuidFeature.SSE4_1, CpuidFeature.SSE4_2, CpuidFeature.MMX,
        CpuidFeature.FPU, CpuidFeature.FPU287, CpuidFeature.FPU387, CpuidFeature.AES, CpuidFeature.PCLMULQDQ, CpuidFeature.SHA, CpuidFeature.BMI1,
        CpuidFeature.BMI2, CpuidFeature.ADX, CpuidFeature.MOVBE, CpuidFeature.CX8, CpuidFeature.CMPXCHG16B, CpuidFeature.CMOV);

    private static readonly FrozenSet<Mnemonic> CalledMnemonics = FrozenSet.Create(
        Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Not,
        Mnemonic.Xchg, Mnemonic.Xadd, Mnemonic.Cmpxchg, Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Shld, Mnemonic.Shrd, Mnemonic.Rcl,
        Mnemonic.Rcr, Mnemonic.Mul, Mnemonic.Imul, Mnemonic.Div, Mnemonic.Idiv, Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsq, Mnemonic.Stosb,
        Mnemonic.Stosw, Mnemonic.Stosd, Mnemonic.Stosq, Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Lodsq, Mnemonic.Cmpsb, Mnemonic.Cmpsw,
        Mnemonic.Cmpsd, Mnemonic.Cmpsq, Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd, Mnemonic.Scasq, Mnemonic.Cld, Mnemonic.Std, Mnemonic.Clc, Mnemonic.Stc,
        Mnemonic.Cmc, Mnemonic.Lahf, Mnemonic.Sahf, Mnemonic.Bswap, Mnemonic.Crc32, Mnemonic.Xlatb);

    /// <summary>Places in the region that a return is compared with before the jump cache is asked.</summary>
    public const int MostReturnSites = 6;

    /// <summary>Whether an instruction of 64-bit code can be part of a region.</summary>
    public static bool Has(in Instruction instruction) => IsWritten(instruction) || IsCalled(instruction);

    /// <summary>Whether the translator writes the instruction itself.</summary>
    public static bool IsWritten(in Instruction instruction) =>
        InstructionTable.IsSupported(instruction.Code) && !instruction.HasLockPrefix &&
        (VectorForms.IsWritten(instruction) || (Operands(instruction) && Mnemonics(instruction)));

    /// <summary>
    /// Whether a region calls the interpreter's handler for an instruction that is not written: it goes on behind itself, and changes
    /// nothing but the registers that it names, flags, vectors, the x87 and memory.
    /// </summary>
    public static bool IsCalled(in Instruction instruction) =>
        InstructionTable.IsSupported(instruction.Code) && instruction.FlowControl == FlowControl.Next &&
        (instruction.Code.CpuidFeatures() is [var feature, ..] && CalledFeatures.Contains(feature) || CalledMnemonics.Contains(instruction.Mnemonic)) &&
        !IsWritten(instruction) && !NamesSystemRegister(instruction);

    /// <summary>Whether a called instruction reads or changes status flags.</summary>
    public static bool TouchesFlags(in Instruction instruction) =>
        ((instruction.RflagsRead & ~RflagsBits.DF) | instruction.RflagsModified) != RflagsBits.None;

    /// <summary>Whether it may leave the region before it did anything: it reaches memory, or is not written.</summary>
    public static bool MayExit(in Instruction instruction)
    {
        if (!IsWritten(instruction) || VectorForms.IsWritten(instruction))
            return true;
        return instruction.Mnemonic switch
        {
            Mnemonic.Push or Mnemonic.Pop or Mnemonic.Call or Mnemonic.Ret or Mnemonic.Leave or Mnemonic.Div or Mnemonic.Idiv => true,
            Mnemonic.Jmp => instruction.FlowControl == FlowControl.IndirectBranch,
            Mnemonic.Lea or Mnemonic.Nop or Mnemonic.Endbr64 => false,
            _ => HasMemory(instruction),
        };
    }

    /// <summary>Whether one of its operands is in memory.</summary>
    public static bool HasMemory(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Memory)
                return true;
        }

        return false;
    }

    private static bool NamesSystemRegister(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Register && instruction.GetOpRegister(i) is var register && (register.IsSegmentRegister() || register.IsCR() || register.IsDR() || register.IsTR()))
                return true;
        }

        return false;
    }

    private static bool Mnemonics(in Instruction instruction)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Mov or Mnemonic.Movzx or Mnemonic.Movsx or Mnemonic.Movsxd or Mnemonic.Lea or Mnemonic.Nop or Mnemonic.Endbr64:
            case Mnemonic.Add or Mnemonic.Sub or Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Cmp or Mnemonic.Test:
            case Mnemonic.Adc or Mnemonic.Sbb or Mnemonic.Inc or Mnemonic.Dec or Mnemonic.Neg or Mnemonic.Not:
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror:
            case Mnemonic.Cbw or Mnemonic.Cwde or Mnemonic.Cdqe or Mnemonic.Cwd or Mnemonic.Cdq or Mnemonic.Cqo:
            case Mnemonic.Bsf or Mnemonic.Bsr or Mnemonic.Tzcnt or Mnemonic.Lzcnt or Mnemonic.Popcnt:
                return true;
            case Mnemonic.Bswap:
                return instruction.Op0Register.GetSize() >= 4;
            case Mnemonic.Xchg:
                return !HasMemory(instruction);
            case Mnemonic.Bt:
                return instruction.Op0Kind == OpKind.Register;
            case Mnemonic.Imul:
                return instruction.OpCount > 1 || Width(instruction, 0) >= 4;
            case Mnemonic.Mul or Mnemonic.Div or Mnemonic.Idiv:
                return Width(instruction, 0) >= 4;
            case Mnemonic.Push:
                return instruction.StackPointerIncrement == -8;
            case Mnemonic.Pop:
                return instruction.StackPointerIncrement == 8 && instruction.Op0Kind == OpKind.Register;
            case Mnemonic.Leave:
                return instruction.Code == Code.Leaveq;
            case Mnemonic.Ret:
                return instruction.Code is Code.Retnq or Code.Retnq_imm16;
            case Mnemonic.Call:
                return instruction.Code is Code.Call_rel32_64 or Code.Call_rm64;
            case Mnemonic.Jmp:
                return instruction.Code is Code.Jmp_rel8_64 or Code.Jmp_rel32_64 or Code.Jmp_rm64;
            default:
                return instruction.ConditionCode != ConditionCode.None && IsConditional(instruction);
        }
    }

    private static bool IsConditional(in Instruction instruction) => instruction.FlowControl switch
    {
        FlowControl.ConditionalBranch => instruction.IsJccShortOrNear && instruction.Op0Kind == OpKind.NearBranch64,
        FlowControl.Next => instruction.Code.IsSetccOrCmovcc(),
        _ => false,
    };

    private static bool IsSetccOrCmovcc(this Code code) => code is
        (>= Code.Cmovo_r16_rm16 and <= Code.Cmovg_r64_rm64) or (>= Code.Seto_rm8 and <= Code.Setg_rm8);

    private static bool Operands(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            switch (instruction.GetOpKind(i))
            {
                case OpKind.Register when !instruction.GetOpRegister(i).IsGPR():
                case OpKind.Memory when !Address(instruction):
                case OpKind.MemorySegRDI or OpKind.MemorySegRSI or OpKind.MemoryESRDI or OpKind.MemorySegEDI or OpKind.MemorySegESI or OpKind.MemoryESEDI:
                    return false;
            }
        }

        return true;
    }

    private static bool Address(in Instruction instruction) =>
        instruction.MemoryBase is Register.None or Register.RIP or Register.EIP || instruction.MemoryBase.IsGPR();

    private static int Width(in Instruction instruction, int operand) =>
        instruction.GetOpKind(operand) == OpKind.Register ? instruction.GetOpRegister(operand).GetSize() : instruction.MemorySize.GetSize();
}
