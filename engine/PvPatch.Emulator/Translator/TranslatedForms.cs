using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which instructions are part of regions: those that the translator writes itself, and those whose handler it calls. All others
/// the interpreter executes, on a side exit.
/// </summary>
internal static class TranslatedForms
{
    /// <summary>Places in the region that a return is compared with before the jump cache is asked.</summary>
    public const int MostReturnSites = 6;

    /// <summary>Whether an instruction of 64-bit code can be part of a region.</summary>
    public static bool Has(in Instruction instruction) => IsWritten(instruction) || IsCalled(instruction) || SensitiveForms.Has(instruction);

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
        (HasCalledFeature(instruction) || IsCalledMnemonic(instruction.Mnemonic)) &&
        !IsWritten(instruction) && !NamesSystemRegister(instruction);

    /// <summary>
    /// Whether an instruction is an indirect jump or call that may lead to one place now and to another one soon: not through a word at an address of its
    /// own, as calls of other libraries and of a kernel's ops do.
    /// </summary>
    public static bool LeadsAnywhere(in Instruction instruction) =>
        instruction.FlowControl is FlowControl.IndirectBranch or FlowControl.IndirectCall &&
        !(instruction.Op0Kind == OpKind.Memory && instruction.MemoryIndex == Register.None && instruction.MemoryBase is Register.None or Register.RIP or Register.EIP);

    /// <summary>Whether a called instruction reads or changes status flags.</summary>
    public static bool TouchesFlags(in Instruction instruction) => SensitiveForms.Has(instruction)
        ? SensitiveForms.SeesStatusFlags(instruction)
        : ((instruction.RflagsRead & ~RflagsBits.DF) | instruction.RflagsModified) != RflagsBits.None;

    /// <summary>Whether it may leave the region before it did anything: it reaches memory, lies in two pages, or is not written.</summary>
    public static bool MayExit(in Instruction instruction)
    {
        if (!IsWritten(instruction) || VectorForms.IsWritten(instruction) || PageCode.Straddles(instruction))
            return true;
        return instruction.Mnemonic switch
        {
            Mnemonic.Push or Mnemonic.Pop or Mnemonic.Call or Mnemonic.Ret or Mnemonic.Leave or Mnemonic.Div or Mnemonic.Idiv => true,
            Mnemonic.Jmp => instruction.FlowControl == FlowControl.IndirectBranch,
            _ => AccessesMemory(instruction),
        };
    }

    /// <summary>Whether an instruction that is written and accesses memory does so once, and may leave the region for that alone.</summary>
    public static bool ExitsForOneAccessAlone(in Instruction instruction) =>
        !VectorForms.IsWritten(instruction) && !PageCode.Straddles(instruction) && instruction.Mnemonic switch
        {
            Mnemonic.Div or Mnemonic.Idiv or Mnemonic.Jmp or Mnemonic.Ret => false,
            Mnemonic.Push => !HasMemory(instruction),
            Mnemonic.Call => instruction.FlowControl == FlowControl.Call,
            _ => true,
        };

    /// <summary>Whether an instruction that is written reads or writes an operand in memory, and does not only name it.</summary>
    public static bool AccessesMemory(in Instruction instruction) => HasMemory(instruction) && instruction.Mnemonic is not
        (Mnemonic.Lea or Mnemonic.Nop or Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1 or Mnemonic.Prefetcht2 or Mnemonic.Prefetchnta or Mnemonic.Prefetchw);

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

    private static bool HasCalledFeature(in Instruction instruction) => instruction.Code.CpuidFeatures() is [var feature, ..] && feature is
        CpuidFeature.SSE or CpuidFeature.SSE2 or CpuidFeature.SSE3 or CpuidFeature.SSSE3 or CpuidFeature.SSE4_1 or CpuidFeature.SSE4_2 or CpuidFeature.MMX or
        CpuidFeature.FPU or CpuidFeature.FPU287 or CpuidFeature.FPU387 or CpuidFeature.AES or CpuidFeature.PCLMULQDQ or CpuidFeature.SHA or CpuidFeature.BMI1 or
        CpuidFeature.BMI2 or CpuidFeature.AVX or CpuidFeature.AVX2 or CpuidFeature.FMA or CpuidFeature.F16C or CpuidFeature.ADX or CpuidFeature.MOVBE or CpuidFeature.CX8 or CpuidFeature.CMPXCHG16B or CpuidFeature.CMOV;

    private static bool IsCalledMnemonic(Mnemonic mnemonic) => mnemonic is
        Mnemonic.Add or Mnemonic.Or or Mnemonic.Adc or Mnemonic.Sbb or Mnemonic.And or Mnemonic.Sub or Mnemonic.Xor or Mnemonic.Inc or Mnemonic.Dec or Mnemonic.Neg or Mnemonic.Not or
        Mnemonic.Xchg or Mnemonic.Xadd or Mnemonic.Cmpxchg or Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc or Mnemonic.Shld or Mnemonic.Shrd or Mnemonic.Rcl or
        Mnemonic.Rcr or Mnemonic.Mul or Mnemonic.Imul or Mnemonic.Div or Mnemonic.Idiv or Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsd or Mnemonic.Movsq or Mnemonic.Stosb or
        Mnemonic.Stosw or Mnemonic.Stosd or Mnemonic.Stosq or Mnemonic.Lodsb or Mnemonic.Lodsw or Mnemonic.Lodsd or Mnemonic.Lodsq or Mnemonic.Cmpsb or Mnemonic.Cmpsw or
        Mnemonic.Cmpsd or Mnemonic.Cmpsq or Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd or Mnemonic.Scasq or Mnemonic.Cld or Mnemonic.Std or Mnemonic.Clc or Mnemonic.Stc or
        Mnemonic.Cmc or Mnemonic.Lahf or Mnemonic.Sahf or Mnemonic.Bswap or Mnemonic.Crc32 or Mnemonic.Xlatb;

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
            case Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1 or Mnemonic.Prefetcht2 or Mnemonic.Prefetchnta or Mnemonic.Prefetchw or Mnemonic.Sfence:
            case Mnemonic.Add or Mnemonic.Sub or Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Cmp or Mnemonic.Test:
            case Mnemonic.Adc or Mnemonic.Sbb or Mnemonic.Inc or Mnemonic.Dec or Mnemonic.Neg or Mnemonic.Not:
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror:
            case Mnemonic.Cbw or Mnemonic.Cwde or Mnemonic.Cdqe or Mnemonic.Cwd or Mnemonic.Cdq or Mnemonic.Cqo:
            case Mnemonic.Bsf or Mnemonic.Bsr or Mnemonic.Tzcnt or Mnemonic.Lzcnt or Mnemonic.Popcnt:
                return true;
            case var mnemonic when BitFieldEmitter.Has(mnemonic):
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
