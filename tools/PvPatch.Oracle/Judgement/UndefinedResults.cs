using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Judgement;

/// <summary>What a host can't judge: results that the manuals leave undefined or that differ between makers of processors.</summary>
internal static class UndefinedResults
{
    /// <summary>Forms that are not compared at all, each with the reason.</summary>
    private static readonly Dictionary<Code, string> Forms = new()
    {
        [Code.Int1] = "under a hypervisor RIP may stay at the instruction",
        [Code.Int_imm8] = "the host's kernel has gates of its own",
        [Code.Movsxd_r16_rm16] = "Intel reads 16 bits, AMD 32 (SDM and APM, MOVSXD)",
        [Code.Reservednop_rm16_r16_0F0D] = "a register operand is #UD for AMD (APM vol. 3, PREFETCH)",
        [Code.Reservednop_rm32_r32_0F0D] = "a register operand is #UD for AMD (APM vol. 3, PREFETCH)",
        [Code.Reservednop_rm64_r64_0F0D] = "a register operand is #UD for AMD (APM vol. 3, PREFETCH)",
    };

    /// <summary>Mnemonics whose result depends on the host system's tables, MSRs, devices or clock.</summary>
    private static readonly HashSet<Mnemonic> OfTheSystem =
    [
        Mnemonic.Syscall, Mnemonic.Sysret, Mnemonic.Sysenter, Mnemonic.Sysexit, Mnemonic.Vmcall, Mnemonic.Vmmcall,
        Mnemonic.Iret, Mnemonic.Iretd, Mnemonic.Iretq, Mnemonic.Retf,
        Mnemonic.Cpuid, Mnemonic.Rdtsc, Mnemonic.Rdtscp, Mnemonic.Rdpid, Mnemonic.Rdpmc, Mnemonic.Rdrand, Mnemonic.Rdseed, Mnemonic.Xgetbv,
        Mnemonic.Sgdt, Mnemonic.Sidt, Mnemonic.Sldt, Mnemonic.Str, Mnemonic.Smsw, Mnemonic.Wrfsbase, Mnemonic.Wrgsbase,
        Mnemonic.Lar, Mnemonic.Lsl, Mnemonic.Verr, Mnemonic.Verw, Mnemonic.Lss, Mnemonic.Lfs, Mnemonic.Lgs,
        Mnemonic.In, Mnemonic.Out, Mnemonic.Insb, Mnemonic.Insw, Mnemonic.Insd, Mnemonic.Outsb, Mnemonic.Outsw, Mnemonic.Outsd,
    ];

    /// <summary>Why a form can't be compared; null if it can.</summary>
    public static string? WhyNot(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (!info.Mode64)
            return "not in 64-bit mode";
        if (!info.Cpl3)
            return "privileged";
        if (Forms.TryGetValue(code, out string? reason))
            return reason;
        if (OfTheSystem.Contains(code.Mnemonic()))
            return "the host system's tables, registers, devices or clock decide";
        if (UsesSegmentRegister(code) || IsFar(code))
            return "selectors are the host system's";
        return null;
    }

    private static bool UsesSegmentRegister(Code code) => code is
        Code.Mov_Sreg_rm16 or Code.Mov_Sreg_r32m16 or Code.Mov_Sreg_r64m16 or Code.Mov_rm16_Sreg or Code.Mov_r32m16_Sreg or Code.Mov_r64m16_Sreg or
        Code.Popw_FS or Code.Popw_GS or Code.Popq_FS or Code.Popq_GS or Code.Pushw_FS or Code.Pushw_GS or Code.Pushq_FS or Code.Pushq_GS;

    private static bool IsFar(Code code) => code is
        Code.Jmp_m1616 or Code.Jmp_m1632 or Code.Jmp_m1664 or Code.Call_m1616 or Code.Call_m1632 or Code.Call_m1664;

    /// <summary>Whether the result of an instruction is undefined in a given state.</summary>
    public static bool Has(in Instruction instruction, MachineCase given) =>
        UndefinedFlags.ShiftsTooFar(instruction, given) || RepeatsLoop(instruction) || IsExtendedPause(instruction, given) || IsUnalignedSha(instruction, given);

    /// <summary>F3 90 with REX.B: Iced reads PAUSE, AMD processors exchange R8 and RAX.</summary>
    private static bool IsExtendedPause(in Instruction instruction, MachineCase given) =>
        instruction.Code == Code.Pause && (given.Code[instruction.Length - 2] & 0xf1) == 0x41;

    /// <summary>A memory operand of SHA off a multiple of 16: #GP for Intel (SDM vol. 2, exception type 4), nothing for AMD's processors.</summary>
    private static bool IsUnalignedSha(in Instruction instruction, MachineCase given) =>
        NeedsAlignment(instruction) && instruction.Op1Kind == OpKind.Memory && (CaseAddresses.Effective(instruction, given) & 15) != 0;

    /// <summary>Whether only an aligned memory operand gives the same everywhere.</summary>
    public static bool NeedsAlignment(in Instruction instruction) => instruction.Code.CpuidFeatures() is [CpuidFeature.SHA];

    /// <summary>Whether an instruction has two memory operands, of which the manuals don't say which one faults first.</summary>
    public static bool MayFaultEitherWay(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsq ||
        instruction.Code is Code.Cmpsd_m32_m32 ||
        instruction.Mnemonic is Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsq || instruction.Code is Code.Movsd_m32_m32;

    /// <summary>A repeat prefix has no meaning before LOOPE and LOOPNE (SDM vol. 2, 2.1.1); AMD processors take its sense of ZF.</summary>
    private static bool RepeatsLoop(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Loope or Mnemonic.Loopne && (instruction.HasRepPrefix || instruction.HasRepnePrefix);
}
