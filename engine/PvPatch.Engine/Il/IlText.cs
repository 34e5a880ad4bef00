using System.Reflection.Emit;
using System.Text;

namespace PvPatch.Engine.Il;

/// <summary>IL as text for people, one line: <c>ldsflda Pv::Irq; ldfld IrqOps::SaveFlags; stloc.0 | ldloc.0; calli</c>.</summary>
internal static class IlText
{
    /// <summary>Writes the instructions that stand in some ranges; <c>|</c> stands for what lies between two of them.</summary>
    /// <param name="decoded">A whole method.</param>
    /// <param name="ranges">First offset and the offset behind the last one, ascending.</param>
    /// <param name="names">Names of the module's tokens.</param>
    public static string Of(Instruction[] decoded, IReadOnlyList<(int Start, int End)> ranges, MetadataNames names) =>
        string.Join(" | ", ranges.Select(range => OfRange(decoded, range, names)));

    private static string OfRange(Instruction[] decoded, (int Start, int End) range, MetadataNames names)
    {
        var text = new StringBuilder();
        int nops = 0;
        for (int i = IlReader.IndexAt(decoded, range.Start); i < decoded.Length && decoded[i].Offset < range.End; i++)
        {
            Instruction instruction = decoded[i];
            if (instruction.Is(OpCodes.Nop))
            {
                nops++;
                continue;
            }

            AppendNops(text, ref nops);
            Append(text, Of(instruction, names));
        }

        AppendNops(text, ref nops);
        return text.ToString();
    }

    private static void AppendNops(StringBuilder text, ref int nops)
    {
        if (nops > 0)
            Append(text, nops == 1 ? "nop" : $"nop x{nops}");
        nops = 0;
    }

    private static void Append(StringBuilder text, string next)
    {
        if (text.Length > 0)
            text.Append("; ");
        text.Append(next);
    }

    /// <summary>One instruction.</summary>
    public static string Of(Instruction instruction, MetadataNames names) => instruction.Code.OperandType switch
    {
        OperandType.InlineNone or OperandType.InlineSwitch or OperandType.InlineSig => instruction.Code.Name!,
        OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok =>
            $"{instruction.Code.Name} {names.Short(instruction.Token)}",
        OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget => $"{instruction.Code.Name} IL_{instruction.Operand:x4}",
        OperandType.InlineString => $"{instruction.Code.Name} 0x{instruction.Token:X8}",
        _ => $"{instruction.Code.Name} {instruction.Operand}",
    };
}
