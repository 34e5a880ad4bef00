using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Emulator.Tests.Unicorn;

/// <summary>
/// What Unicorn can't judge, each with the reason. It is of version 2.0, whose translator is QEMU 5.0's. Where its result is not the
/// manual's, the host's processor, as the first oracle, agrees with the emulator.
/// </summary>
internal static class UnicornLimits
{
    private const string NotCarried = "x87, MMX and their images are not carried over";
    private const string Lacks = "Unicorn lacks the instruction or the encoding";
    private const string Unchecked = "Unicorn leaves out a check that the manual has";
    private const string Crashes = "Unicorn itself crashes";
    private const string Wrong = "Unicorn's result is not the manual's";

    /// <summary>Features whose instructions are undefined in Unicorn, with the processor model that the oracle sets.</summary>
    private static readonly HashSet<CpuidFeature> Missing =
    [
        CpuidFeature.SHA, CpuidFeature.CLFLUSHOPT, CpuidFeature.CLWB, CpuidFeature.FSGSBASE, CpuidFeature.MOVBE, CpuidFeature.POPCNT,
        CpuidFeature.PCLMULQDQ, CpuidFeature.AVX, CpuidFeature.AVX2, CpuidFeature.FMA, CpuidFeature.F16C, CpuidFeature.VAES,
        CpuidFeature.VPCLMULQDQ,
    ];

    private static readonly Dictionary<Mnemonic, string> Mnemonics = new()
    {
        [Mnemonic.Reservednop] = Lacks,

        // They fault at CPL 3; Unicorn runs at CPL 0.
        [Mnemonic.Cli] = Unchecked,
        [Mnemonic.Sti] = Unchecked,

        // ENTER: the page at the new top of the stack. CLFLUSH: a canonical address. LDMXCSR: reserved bits.
        [Mnemonic.Enter] = Unchecked,
        [Mnemonic.Clflush] = Unchecked,
        [Mnemonic.Ldmxcsr] = Unchecked,

        // BLSI: the opposite CF. BEXTR, BZHI: a limit is off by one. PDEP, PEXT: other bits.
        [Mnemonic.Blsi] = Wrong,
        [Mnemonic.Bextr] = Wrong,
        [Mnemonic.Bzhi] = Wrong,
        [Mnemonic.Pdep] = Wrong,
        [Mnemonic.Pext] = Wrong,

        // A length whose absolute value is out of range ends the process.
        [Mnemonic.Pcmpestri] = Crashes,
        [Mnemonic.Pcmpestrm] = Crashes,
        [Mnemonic.Pcmpestri64] = Crashes,
        [Mnemonic.Pcmpestrm64] = Crashes,

        // Elements behind the end of a string count.
        [Mnemonic.Pcmpistri] = Wrong,
        [Mnemonic.Pcmpistrm] = Wrong,

        // The products are added in another order, to zero.
        [Mnemonic.Dpps] = Wrong,
        [Mnemonic.Dppd] = Wrong,

        // Denormal arguments and results are neither zero nor infinity.
        [Mnemonic.Rcpps] = Wrong,
        [Mnemonic.Rcpss] = Wrong,
        [Mnemonic.Rsqrtps] = Wrong,
        [Mnemonic.Rsqrtss] = Wrong,
    };

    /// <summary>Why a case can't be compared; null if it can.</summary>
    public static string? WhyNot(MachineCase given)
    {
        Instruction instruction = given.Single;
        CpuidFeature[] features = [.. instruction.Code.CpuidFeatures()];
        if (IsX87OrMmx(instruction, features))
            return NotCarried;
        if (features.Any(Missing.Contains) || IsMissingEncoding(given))
            return Lacks;
        if (Mnemonics.TryGetValue(instruction.Mnemonic, out string? reason))
            return reason;
        if (HasSeveralMandatoryPrefixes(given))
            return "of several prefixes 66, F2 and F3, Unicorn takes another one for the opcode's";
        if (instruction.Code is Code.Bswap_r16 or Code.Bsf_r32_rm32 or Code.Bsr_r32_rm32)
            return "the manual leaves the result undefined, for BSF and BSR that of zero";
        return IsWrong(given) ? Wrong : null;
    }

    /// <summary>Why the emulator's fault can't be compared with none in Unicorn; null if it can.</summary>
    public static string? WhyNoFault(MachineCase given)
    {
        Instruction instruction = given.Single;
        return instruction.MemorySize.GetSize() == 16 && (CaseAddresses.Effective(instruction, given) & 15) != 0 ? Unchecked : null;
    }

    private static bool IsX87OrMmx(in Instruction instruction, CpuidFeature[] features)
    {
        if (StateImage.Uses(instruction) || features.Any(feature => feature is CpuidFeature.MMX or (>= CpuidFeature.FPU and <= CpuidFeature.FPU387SL_ONLY)))
            return true;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Register && instruction.GetOpRegister(i).IsMM())
                return true;
        }

        return false;
    }

    private static bool IsMissingEncoding(MachineCase given)
    {
        Instruction instruction = given.Single;
        return instruction.Code switch
        {
            Code.Test_rm8_imm8_F6r1 or Code.Test_rm16_imm16_F7r1 or Code.Test_rm32_imm32_F7r1 or Code.Test_rm64_imm32_F7r1 => true,
            // REX.R, which these do not use.
            Code.Mov_rm8_imm8 or Code.Mov_rm16_imm16 or Code.Mov_rm32_imm32 or Code.Mov_rm64_imm32 => (Rex(given) & 4) != 0,
            // Reserved bits of the predicate.
            Code.Cmpps_xmm_xmmm128_imm8 or Code.Cmppd_xmm_xmmm128_imm8 or Code.Cmpss_xmm_xmmm32_imm8 or Code.Cmpsd_xmm_xmmm64_imm8 => instruction.Immediate8 > 7,
            _ => false,
        };
    }

    private static bool IsWrong(MachineCase given)
    {
        Instruction instruction = given.Single;
        return instruction.Mnemonic switch
        {
            // A 32-bit register that is not written loses its upper half.
            Mnemonic.Cmpxchg => instruction.Code == Code.Cmpxchg_rm32_r32,
            // The number of bytes is taken for a signed one.
            Mnemonic.Ret => instruction.OpCount == 1 && instruction.Immediate16 > 0x7fff,
            // REX turns AH into SPL.
            Mnemonic.Lahf or Mnemonic.Sahf => Rex(given) != 0,
            // The flags are those of the negated value.
            Mnemonic.Neg => instruction.HasLockPrefix,
            // The address counts from the byte before the immediate.
            Mnemonic.Shld or Mnemonic.Shrd or Mnemonic.Rorx => instruction.IsIPRelativeMemoryOperand && instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Immediate8,
            // A result is written before the last argument is read.
            Mnemonic.Phaddw or Mnemonic.Phaddd or Mnemonic.Phaddsw or Mnemonic.Phsubw or Mnemonic.Phsubd or Mnemonic.Phsubsw =>
                instruction.Op0Register == instruction.Op1Register,
            // 16 bytes are read for 4 or 8.
            Mnemonic.Cvtdq2pd or Mnemonic.Cvtps2pd or Mnemonic.Roundss or Mnemonic.Roundsd => instruction.Op1Kind == OpKind.Memory,
            _ => false,
        };
    }

    private static bool HasSeveralMandatoryPrefixes(MachineCase given)
    {
        if (given.Single.Code.ToOpCode().MandatoryPrefix == MandatoryPrefix.None)
            return false;
        ReadOnlySpan<byte> prefixes = given.Code.AsSpan(0, PrefixLength(given));
        int kinds = 0;
        foreach (byte prefix in (ReadOnlySpan<byte>)[0x66, 0xf2, 0xf3])
            kinds += prefixes.Contains(prefix) ? 1 : 0;
        return kinds > 1;
    }

    /// <summary>The REX prefix, 0 for none.</summary>
    private static int Rex(MachineCase given) => given.Code[PrefixLength(given)] is >= 0x40 and <= 0x4f and var rex ? rex : 0;

    /// <summary>How many bytes the legacy prefixes are (Intel SDM vol. 2, 2.1.1).</summary>
    private static int PrefixLength(MachineCase given) =>
        given.Code.AsSpan().IndexOfAnyExcept((ReadOnlySpan<byte>)[0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
}
