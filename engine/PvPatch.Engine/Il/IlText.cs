using System.Globalization;
using System.Reflection.Emit;
using System.Text;

namespace PvPatch.Engine.Il;

/// <summary>Some bytes of a method's IL.</summary>
/// <param name="Start">Offset of the first one.</param>
/// <param name="End">The offset behind the last one.</param>
internal sealed record IlRange(int Start, int End);

/// <summary>IL as text for people, one line: <c>ldsflda Pv::Irq; ldfld IrqOps::SaveFlags; stloc.0 | ldloc.0; calli</c>.</summary>
/// <param name="names">Names of the module's tokens.</param>
internal sealed class IlText(MetadataNames names)
{
    private readonly StringBuilder _text = new();

    /// <summary>Writes the instructions that stand in some ranges; <c>|</c> stands for what lies between two of them.</summary>
    /// <param name="decoded">A whole method.</param>
    /// <param name="ranges">The ranges, ascending.</param>
    public string Of(Instruction[] decoded, List<IlRange> ranges)
    {
        _text.Clear();
        for (int r = 0; r < ranges.Count; r++)
        {
            if (r > 0)
                _text.Append(" | ");
            AddRange(decoded, ranges[r]);
        }

        return _text.ToString();
    }

    private void AddRange(Instruction[] decoded, IlRange range)
    {
        int nops = 0, start = _text.Length;
        for (int i = IlReader.IndexAt(decoded, range.Start); i < decoded.Length && decoded[i].Offset < range.End; i++)
        {
            Instruction instruction = decoded[i];
            if (instruction.Is(OpCodes.Nop))
            {
                nops++;
                continue;
            }

            AddNops(nops, start);
            nops = 0;
            Separate(start);
            Add(instruction);
        }

        AddNops(nops, start);
    }

    private void AddNops(int count, int start)
    {
        if (count == 0)
            return;
        Separate(start);
        _text.Append("nop");
        if (count > 1)
            _text.Append(" x").Append(count);
    }

    private void Separate(int start)
    {
        if (_text.Length > start)
            _text.Append("; ");
    }

    private void Add(Instruction instruction)
    {
        _text.Append(instruction.Code.Name);
        switch (instruction.Code.OperandType)
        {
            case OperandType.InlineNone or OperandType.InlineSwitch or OperandType.InlineSig:
                break;
            case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok:
                _text.Append(' ').Append(names.Short(instruction.Token));
                break;
            case OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget:
                _text.Append(CultureInfo.InvariantCulture, $" IL_{instruction.Operand:x4}");
                break;
            case OperandType.InlineString:
                _text.Append(CultureInfo.InvariantCulture, $" 0x{instruction.Token:X8}");
                break;
            default:
                _text.Append(' ').Append(instruction.Operand);
                break;
        }
    }

    /// <summary>One instruction.</summary>
    public string Of(Instruction instruction)
    {
        _text.Clear();
        Add(instruction);
        return _text.ToString();
    }
}
