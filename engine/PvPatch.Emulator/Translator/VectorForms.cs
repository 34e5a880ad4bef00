using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Translator;

/// <summary>How an instruction on XMM registers is written.</summary>
internal enum VectorForm
{
    /// <summary>It is not: the interpreter's handler is called.</summary>
    None,

    /// <summary>xmm, xmm/memory (, imm): its row has a meaning. Moves and loads too.</summary>
    Packed,

    /// <summary>memory, xmm: the low bytes.</summary>
    Store,

    /// <summary>memory, xmm: the high half.</summary>
    StoreHigh,

    /// <summary>xmm, general register.</summary>
    FromGeneral,

    /// <summary>general register, xmm.</summary>
    ToGeneral,

    /// <summary>xmm, general register, imm.</summary>
    Insert,

    /// <summary>general register, xmm, imm.</summary>
    Extract,

    /// <summary>general register, xmm: the elements' signs.</summary>
    SignMask,

    /// <summary>xmm, xmm/memory: flags.</summary>
    Test,

    /// <summary>xmm, xmm/memory, XMM0.</summary>
    Blend,

    /// <summary>xmm/memory, ymm, imm: one of its lanes.</summary>
    ExtractLane,

    /// <summary>VZEROUPPER.</summary>
    ZeroUpper,

    /// <summary>xmm, xmm/memory: floating-point arithmetic.</summary>
    Arithmetic,

    /// <summary>xmm, xmm/memory, imm: elements compared.</summary>
    Compare,

    /// <summary>xmm, xmm/memory: flags of the lowest elements compared.</summary>
    Order,

    /// <summary>xmm, general register/memory.</summary>
    FromInteger,

    /// <summary>general register, xmm/memory.</summary>
    ToInteger,

    /// <summary>CVTSS2SD and CVTSD2SS.</summary>
    ToOther,

    /// <summary>xmm, xmm, xmm/memory: FMA.</summary>
    Fused,
}

/// <summary>Which instructions on XMM registers the translator writes itself.</summary>
internal static class VectorForms
{
    /// <summary>Whether the translator writes an instruction on XMM registers.</summary>
    public static bool IsWritten(in Instruction instruction) => Of(instruction) != VectorForm.None;

    /// <summary>Whether it computes on floating-point numbers.</summary>
    public static bool IsFloat(in Instruction instruction) => IsFloat(Of(instruction));

    /// <summary>Whether instructions of a form do: the last of all.</summary>
    public static bool IsFloat(VectorForm form) => form >= VectorForm.Arithmetic;

    /// <summary>How an instruction is written.</summary>
    public static VectorForm Of(in Instruction instruction)
    {
        VectorForm form = OnAnyHost(instruction);
        return IsFloat(form) && !HostMxcsr.IsSupported ? VectorForm.None : form;
    }

    private static VectorForm OnAnyHost(in Instruction instruction)
    {
        if (instruction.Mnemonic == Mnemonic.Vzeroupper)
            return VectorForm.ZeroUpper;
        if (!NamesVector(instruction) || !InstructionTable.IsSupported(instruction.Code))
            return VectorForm.None;
        bool toMemory = instruction.Op0Kind == OpKind.Memory;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Movd or Mnemonic.Movq or Mnemonic.Vmovd or Mnemonic.Vmovq when toMemory:
                return VectorForm.Store;
            case Mnemonic.Movd or Mnemonic.Movq or Mnemonic.Vmovd or Mnemonic.Vmovq when instruction.Op0Register.IsGPR():
                return VectorForm.ToGeneral;
            case Mnemonic.Movd or Mnemonic.Movq or Mnemonic.Vmovd or Mnemonic.Vmovq when instruction.Op1Kind == OpKind.Register && instruction.Op1Register.IsGPR():
                return VectorForm.FromGeneral;
            case Mnemonic.Pinsrb or Mnemonic.Pinsrw or Mnemonic.Pinsrd or Mnemonic.Pinsrq:
            case Mnemonic.Vpinsrb or Mnemonic.Vpinsrw or Mnemonic.Vpinsrd or Mnemonic.Vpinsrq:
                return instruction.GetOpKind(VectorOperands.Second(instruction)) == OpKind.Memory ? VectorForm.None : VectorForm.Insert;
            case Mnemonic.Pextrb or Mnemonic.Pextrw or Mnemonic.Pextrd or Mnemonic.Pextrq or Mnemonic.Extractps:
            case Mnemonic.Vpextrb or Mnemonic.Vpextrw or Mnemonic.Vpextrd or Mnemonic.Vpextrq or Mnemonic.Vextractps:
                return toMemory ? VectorForm.None : VectorForm.Extract;
            case Mnemonic.Pmovmskb or Mnemonic.Movmskps or Mnemonic.Movmskpd or Mnemonic.Vpmovmskb or Mnemonic.Vmovmskps or Mnemonic.Vmovmskpd:
                return VectorForm.SignMask;
            case Mnemonic.Ptest or Mnemonic.Vptest or Mnemonic.Vtestps or Mnemonic.Vtestpd:
                return VectorForm.Test;
            case Mnemonic.Pblendvb or Mnemonic.Blendvps or Mnemonic.Blendvpd or Mnemonic.Vpblendvb or Mnemonic.Vblendvps or Mnemonic.Vblendvpd:
                return VectorForm.Blend;
            case Mnemonic.Movhps or Mnemonic.Movhpd or Mnemonic.Vmovhps or Mnemonic.Vmovhpd when toMemory:
                return VectorForm.StoreHigh;
            case Mnemonic.Vextractf128 or Mnemonic.Vextracti128:
                return VectorForm.ExtractLane;
            case Mnemonic.Cmpps or Mnemonic.Cmppd or Mnemonic.Cmpss or Mnemonic.Cmpsd or Mnemonic.Vcmpps or Mnemonic.Vcmppd or Mnemonic.Vcmpss or Mnemonic.Vcmpsd:
                return IsKeptByCompiler(Predicate(instruction)) ? VectorForm.Compare : VectorForm.None;
            case Mnemonic.Ucomiss or Mnemonic.Ucomisd or Mnemonic.Comiss or Mnemonic.Comisd:
            case Mnemonic.Vucomiss or Mnemonic.Vucomisd or Mnemonic.Vcomiss or Mnemonic.Vcomisd:
                return VectorForm.Order;
            case Mnemonic.Cvtsi2ss or Mnemonic.Cvtsi2sd or Mnemonic.Vcvtsi2ss or Mnemonic.Vcvtsi2sd:
                return VectorForm.FromInteger;
            case Mnemonic.Cvtss2si or Mnemonic.Cvttss2si or Mnemonic.Cvtsd2si or Mnemonic.Cvttsd2si:
            case Mnemonic.Vcvtss2si or Mnemonic.Vcvttss2si or Mnemonic.Vcvtsd2si or Mnemonic.Vcvttsd2si:
                return VectorForm.ToInteger;
            case Mnemonic.Cvtss2sd or Mnemonic.Cvtsd2ss or Mnemonic.Vcvtss2sd or Mnemonic.Vcvtsd2ss:
                return VectorForm.ToOther;
            default:
                return OfRow(InstructionTable.Row(instruction.Code), toMemory);
        }
    }

    /// <summary>The predicate of CMPPS and its kind: SSE has eight, AVX 32.</summary>
    public static int Predicate(in Instruction instruction) => instruction.Immediate8 & (instruction.Encoding == EncodingKind.VEX ? 31 : 7);

    /// <summary>Bytes of the elements that an instruction on single elements or signs takes.</summary>
    public static int ElementSize(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Pinsrb or Mnemonic.Pextrb or Mnemonic.Pmovmskb or Mnemonic.Pblendvb => 1,
        Mnemonic.Vpinsrb or Mnemonic.Vpextrb or Mnemonic.Vpmovmskb or Mnemonic.Vpblendvb or Mnemonic.Ptest or Mnemonic.Vptest => 1,
        Mnemonic.Pinsrw or Mnemonic.Pextrw or Mnemonic.Vpinsrw or Mnemonic.Vpextrw => 2,
        Mnemonic.Pinsrd or Mnemonic.Pextrd or Mnemonic.Extractps or Mnemonic.Movmskps or Mnemonic.Blendvps => 4,
        Mnemonic.Vpinsrd or Mnemonic.Vpextrd or Mnemonic.Vextractps or Mnemonic.Vmovmskps or Mnemonic.Vblendvps or Mnemonic.Vtestps => 4,
        _ => 8,
    };

    /// <summary>
    /// Whether the runtime's compiler writes a predicate of VCMP as it is: it takes those of the upper half for their likes of the lower one, which raise other
    /// exceptions, and what is always or never true for a constant.
    /// </summary>
    private static bool IsKeptByCompiler(int predicate) => predicate is < 16 and not (11 or 15);

    private static VectorForm OfRow(in InstructionRow row, bool toMemory)
    {
        if (row.Operation != null)
            return VectorForm.Arithmetic;
        if (row.FusedOperation != null)
            return FusedOperation.IsOnHost ? VectorForm.Fused : VectorForm.None;
        if (row.RegisterMeaning == null && row.MemoryMeaning == null && row.WideMeaning == null)
            return VectorForm.None;
        return toMemory ? VectorForm.Store : VectorForm.Packed;
    }

    /// <summary>Whether one of its operands is an XMM or YMM register and no other is of MMX.</summary>
    private static bool NamesVector(in Instruction instruction)
    {
        bool any = false;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) != OpKind.Register)
                continue;
            if (instruction.GetOpRegister(i).IsMM())
                return false;
            any |= instruction.GetOpRegister(i).IsXMM() || instruction.GetOpRegister(i).IsYMM();
        }

        return any;
    }
}
