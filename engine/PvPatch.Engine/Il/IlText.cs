using System.Buffers.Binary;
using System.Globalization;
using System.Reflection.Emit;
using System.Text;

namespace PvPatch.Engine.Il;

/// <summary>IL as text for people, one line: <c>ldsflda Pv::Irq; ldfld IrqOps::SaveFlags; stloc.0 | ldloc.0; calli</c>.</summary>
/// <param name="names">Names of the module's tokens.</param>
internal sealed class IlText(MetadataNames names)
{
    private readonly StringBuilder _text = new();
    private readonly Dictionary<int, Known> _known = []; // by hash: sites of one op are alike
    private byte[] _bytes = [];
    private bool _tellsPlace;

    /// <summary>Writes the instructions that stand in some parts of a method; <c>|</c> stands for what lies between two of them.</summary>
    /// <param name="il">The whole method.</param>
    /// <param name="parts">The parts, each of whole instructions.</param>
    public string Of(ReadOnlySpan<byte> il, IlRanges parts)
    {
        ReadOnlySpan<byte> bytes = BytesOf(il, parts);
        int hash = HashOf(bytes);
        Known? first = _known.GetValueOrDefault(hash);
        for (Known? known = first; known is not null; known = known.Next)
        {
            if (bytes.SequenceEqual(known.Bytes))
                return known.Text;
        }

        _text.Clear();
        _tellsPlace = false;
        for (int part = 0; part < parts.Count; part++)
        {
            if (part > 0)
                _text.Append(" | ");
            AddPart(il, parts.StartOf(part), parts.EndOf(part));
        }

        string text = _text.ToString();
        if (!_tellsPlace)
            _known[hash] = new Known(bytes.ToArray(), text, first);
        return text;
    }

    /// <summary>One instruction.</summary>
    public string Of(Instruction instruction)
    {
        _text.Clear();
        Add(instruction);
        return _text.ToString();
    }

    /// <summary>What the text is of: the bytes of each part behind their number.</summary>
    private ReadOnlySpan<byte> BytesOf(ReadOnlySpan<byte> il, IlRanges parts)
    {
        int length = 0;
        for (int part = 0; part < parts.Count; part++)
        {
            ReadOnlySpan<byte> bytes = il[parts.StartOf(part)..parts.EndOf(part)];
            Room.For(ref _bytes, length + sizeof(int) + bytes.Length);
            BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(length), bytes.Length);
            bytes.CopyTo(_bytes.AsSpan(length + sizeof(int)));
            length += sizeof(int) + bytes.Length;
        }

        return _bytes.AsSpan(0, length);
    }

    private static int HashOf(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261; // FNV-1a
        foreach (byte next in bytes)
            hash = (hash ^ next) * 16777619;
        return (int)hash;
    }

    private void AddPart(ReadOnlySpan<byte> il, int at, int end)
    {
        int nops = 0, start = _text.Length;
        while (at < end)
        {
            Instruction instruction = IlReader.DecodeAt(il, at);
            at = instruction.End;
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
                _tellsPlace = true;
                break;
            case OperandType.InlineString:
                _text.Append(CultureInfo.InvariantCulture, $" 0x{instruction.Token:X8}");
                break;
            default:
                _text.Append(' ').Append(instruction.Operand);
                break;
        }
    }

    /// <summary>A text that was written before.</summary>
    private sealed record Known(byte[] Bytes, string Text, Known? Next);
}
