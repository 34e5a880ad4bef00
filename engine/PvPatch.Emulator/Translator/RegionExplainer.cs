using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Translator;

/// <summary>Takes the code at an address through all stages of the translator and keeps what each made of it.</summary>
internal static unsafe class RegionExplainer
{
    /// <summary>Explains the region around an address.</summary>
    public static ExplainedRegion Explain(CpuState* cpu, RegionCode code, ulong rip, SensitiveCalls? sensitive)
    {
        if (!RegionCompiler.IsPossible || RegionCompiler.Find(code, rip) is not { } region)
            return new ExplainedRegion(code.TryDecode(rip, out Instruction only) ? [Explained(code, only, true, [])] : [], [], 0, code);
        IlListing listing = null!;
        TranslatedRegion translated = RegionCompiler.Compile(cpu, region, code, sensitive, generator => listing = new IlListing(generator));
        ExplainedInstruction[] instructions =
        [
            .. from block in region.Blocks
               from instruction in block.Instructions
               select Explained(code, instruction, instruction.IP == block.Start, listing.LinesOf(instruction.IP)),
        ];
        return new ExplainedRegion(instructions, translated.SensitiveSites, translated.Code, translated);
    }

    private static ExplainedInstruction Explained(RegionCode code, Instruction instruction, bool startsBlock, IReadOnlyList<string> il)
    {
        var text = new StringOutput();
        new IntelFormatter(new FormatterOptions { HexPrefix = "0x", HexSuffix = "", BranchLeadingZeros = false, UppercaseHex = false }).Format(instruction, text);
        return new ExplainedInstruction(instruction.IP, code.Bytes(instruction), text.ToStringAndReset(), startsBlock, il);
    }
}
