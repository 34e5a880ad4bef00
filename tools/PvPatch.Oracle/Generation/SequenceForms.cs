using Iced.Intel;

namespace PvPatch.Oracle.Generation;

/// <summary>What may stand in a sequence.</summary>
internal static class SequenceForms
{
    /// <summary>Mnemonics that stay out, so that what one processor may do otherwise than another does not spread over what follows.</summary>
    private static readonly HashSet<Mnemonic> Excluded =
    [
        // The last bit may differ.
        Mnemonic.F2xm1, Mnemonic.Fyl2x, Mnemonic.Fyl2xp1, Mnemonic.Fpatan, Mnemonic.Fptan, Mnemonic.Fsin, Mnemonic.Fcos, Mnemonic.Fsincos,
        Mnemonic.Rcpps, Mnemonic.Rcpss, Mnemonic.Rsqrtps, Mnemonic.Rsqrtss,
        Mnemonic.Vrcpps, Mnemonic.Vrcpss, Mnemonic.Vrsqrtps, Mnemonic.Vrsqrtss,

        // C1 differs, and then the status word.
        Mnemonic.Fcomi, Mnemonic.Fcomip, Mnemonic.Fucomi, Mnemonic.Fucomip,

        // Pointers of the x87, features of the processor.
        Mnemonic.Fnstenv, Mnemonic.Fldenv, Mnemonic.Fnsave, Mnemonic.Frstor, Mnemonic.Ldmxcsr, Mnemonic.Vldmxcsr,
        Mnemonic.Fxsave, Mnemonic.Fxsave64, Mnemonic.Fxrstor, Mnemonic.Fxrstor64,
        Mnemonic.Xsave, Mnemonic.Xsave64, Mnemonic.Xsaveopt, Mnemonic.Xsaveopt64, Mnemonic.Xsavec, Mnemonic.Xsavec64, Mnemonic.Xrstor, Mnemonic.Xrstor64,

        // The result is undefined for some operands.
        Mnemonic.Shld, Mnemonic.Shrd,

        // Their memory operand can't be led into the windows by its base.
        Mnemonic.Xlatb, Mnemonic.Enter, Mnemonic.Leave, Mnemonic.Maskmovdqu, Mnemonic.Vmaskmovdqu, Mnemonic.Maskmovq,
        Mnemonic.Vpgatherdd, Mnemonic.Vpgatherdq, Mnemonic.Vpgatherqd, Mnemonic.Vpgatherqq,
        Mnemonic.Vgatherdps, Mnemonic.Vgatherdpd, Mnemonic.Vgatherqps, Mnemonic.Vgatherqpd,

        // They end the sequence, or may trap at every instruction.
        Mnemonic.Int3, Mnemonic.Into, Mnemonic.Ud0, Mnemonic.Ud1, Mnemonic.Ud2, Mnemonic.Xsetbv, Mnemonic.Popf, Mnemonic.Popfq,

        // With REX.B it is an exchange for AMD.
        Mnemonic.Pause,
    ];

    /// <summary>Jcc.</summary>
    public static IReadOnlyList<Code> ConditionalBranches { get; } =
    [
        Code.Jo_rel32_64, Code.Jno_rel32_64, Code.Jb_rel32_64, Code.Jae_rel32_64, Code.Je_rel32_64, Code.Jne_rel32_64, Code.Jbe_rel32_64, Code.Ja_rel32_64,
        Code.Js_rel32_64, Code.Jns_rel32_64, Code.Jp_rel32_64, Code.Jnp_rel32_64, Code.Jl_rel32_64, Code.Jge_rel32_64, Code.Jle_rel32_64, Code.Jg_rel32_64,
    ];

    /// <summary>String instructions without a prefix.</summary>
    public static IReadOnlyList<Instruction> Strings { get; } =
    [
        Instruction.CreateMovsb(64), Instruction.CreateMovsw(64), Instruction.CreateMovsd(64), Instruction.CreateMovsq(64),
        Instruction.CreateStosb(64), Instruction.CreateStosw(64), Instruction.CreateStosd(64), Instruction.CreateStosq(64),
        Instruction.CreateLodsb(64), Instruction.CreateLodsw(64), Instruction.CreateLodsd(64), Instruction.CreateLodsq(64),
        Instruction.CreateCmpsb(64), Instruction.CreateCmpsw(64), Instruction.CreateCmpsd(64), Instruction.CreateCmpsq(64),
        Instruction.CreateScasb(64), Instruction.CreateScasw(64), Instruction.CreateScasd(64), Instruction.CreateScasq(64),
    ];

    /// <summary>Whether a form may stand in a sequence just so; branches and strings have units of their own.</summary>
    public static bool Has(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (Excluded.Contains(code.Mnemonic()) || code.FlowControl() != FlowControl.Next || code.IsStringInstruction())
            return false;

        // The bit of a register reaches beyond the window; an absolute address has no base.
        if (code.Mnemonic() is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc && info.Op1Kind != OpCodeOperandKind.imm8)
            return false;
        return info.Op0Kind != OpCodeOperandKind.mem_offs && info.Op1Kind != OpCodeOperandKind.mem_offs;
    }
}
