using Iced.Intel;

namespace PvPatch.Emulator.Tests.Oracle;

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

    /// <summary>Whether a form may be compared.</summary>
    public static bool CanJudge(Code code) => !Forms.ContainsKey(code);

    /// <summary>Whether the result of an instruction is undefined in a given state.</summary>
    public static bool Has(in Instruction instruction, MachineCase given) =>
        UndefinedFlags.ShiftsTooFar(instruction, given) || RepeatsLoop(instruction);

    /// <summary>Whether an instruction has two memory operands, of which the manuals don't say which one faults first.</summary>
    public static bool MayFaultEitherWay(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsq ||
        instruction.Code is Code.Cmpsd_m32_m32 ||
        instruction.Mnemonic is Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsq || instruction.Code is Code.Movsd_m32_m32;

    /// <summary>A repeat prefix has no meaning before LOOPE and LOOPNE (SDM vol. 2, 2.1.1); AMD processors take its sense of ZF.</summary>
    private static bool RepeatsLoop(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Loope or Mnemonic.Loopne && (instruction.HasRepPrefix || instruction.HasRepnePrefix);
}
