using System.Text;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;
using PvPatch.Perf.Results;

namespace PvPatch.Tool;

/// <summary>The story of <c>run --explain</c>: what becomes of code, stage by stage.</summary>
internal static class ExplainText
{
    private const int BytesColumn = 33;

    /// <summary>Writes it.</summary>
    /// <param name="address">The address that was asked for.</param>
    /// <param name="region">What became of the code there.</param>
    /// <param name="code">The machine code; null where it is not known.</param>
    internal static string Of(ulong address, ExplainedRegion region, MachineCode? code)
    {
        var text = new StringBuilder();
        if (region.Code == 0)
        {
            text.Append($"0x{address:x}: the interpreter executes the instruction; no region starts with it.\n\n");
            AddDecoded(text, address, region);
            return text.ToString();
        }

        ExplainedInstruction[] block = BlockAt(region, address);
        int blocks = region.Instructions.Count(instruction => instruction.StartsBlock);
        text.Append($"0x{address:x} is translated in a region of {Plural(region.Instructions.Count, "instruction")} in {Plural(blocks, "block")}.\n");
        text.Append("\n1. Bytes, decoded: a blank line begins a block.\n");
        AddDecoded(text, address, region);
        text.Append("\n2. IL of the block: guest registers are locals. Side exits, which the interpreter goes on from, stand behind it.\n");
        foreach (ExplainedInstruction instruction in block)
        {
            text.Append($"\n  {instruction.Text}\n");
            if (instruction.Il.Count == 0)
                text.Append("      (left before it: the interpreter executes it)\n");
            foreach (string line in instruction.Il)
                text.Append($"      {line}\n");
        }

        AddSites(text, region.SensitiveSites);
        text.Append(code is null
            ? "\n3. Machine code: the runtime did not tell where it is.\n"
            : $"\n3. Machine code of the region, by the runtime's compiler: {code.Bytes} bytes, {code.Tier}.\n\n");
        foreach (string line in code?.Lines ?? [])
            text.Append($"  {line.TrimEnd()}\n");
        return text.ToString();
    }

    private static ExplainedInstruction[] BlockAt(ExplainedRegion region, ulong address)
    {
        int at = Math.Max(0, region.Instructions.ToList().FindIndex(instruction => instruction.Rip == address));
        int first = at;
        while (first > 0 && !region.Instructions[first].StartsBlock)
            first--;
        return [region.Instructions[first], .. region.Instructions.Skip(first + 1).TakeWhile(instruction => !instruction.StartsBlock)];
    }

    private static void AddDecoded(StringBuilder text, ulong address, ExplainedRegion region)
    {
        foreach (ExplainedInstruction instruction in region.Instructions)
        {
            if (instruction.StartsBlock)
                text.Append('\n');
            string bytes = string.Join(' ', instruction.Bytes.Select(one => $"{one:x2}"));
            text.Append($"{(instruction.Rip == address ? '>' : ' ')} 0x{instruction.Rip:x}  {bytes.PadRight(BytesColumn)}{instruction.Text}\n");
        }
    }

    private static void AddSites(StringBuilder text, IReadOnlyList<PatchedSite> sites)
    {
        if (sites.Count > 0)
            text.Append("\n   Sensitive ops of the region:\n\n");
        foreach (PatchedSite site in sites)
            text.Append($"  {site.Method}: {site.Op} -> {site.Replacement}\n");
    }

    private static string Plural(int count, string word) => count == 1 ? $"1 {word}" : $"{count} {word}s";
}
