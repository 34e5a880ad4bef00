using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using PvPatch.Engine.Reports;

namespace PvPatch.Engine.Il;

/// <summary>Decodes IL (ECMA-335, partition III, 1.2 and the table of opcodes in partition VI, annex C).</summary>
internal static class IlReader
{
    private const byte TwoBytes = 0xFE;

    private static readonly OpCode?[] OneByteCodes = new OpCode?[256];
    private static readonly OpCode?[] TwoByteCodes = new OpCode?[256];

    static IlReader()
    {
        foreach (FieldInfo field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var code = (OpCode)field.GetValue(null)!;
            if (code.OpCodeType != OpCodeType.Nternal)
                (code.Size == 1 ? OneByteCodes : TwoByteCodes)[code.Value & 0xFF] = code;
        }
    }

    /// <summary>Decodes a whole method.</summary>
    /// <param name="il">Its IL.</param>
    /// <exception cref="PatchException"><see cref="PatchError.BadIl"/>: an unknown opcode, a cut operand, or a branch that misses every instruction.</exception>
    public static Instruction[] Decode(ReadOnlySpan<byte> il)
    {
        int count = 0;
        for (int at = 0; at < il.Length; count++)
            at += SizeAt(il, at);
        var decoded = new Instruction[count];
        for (int i = 0, at = 0; i < count; at = decoded[i++].End)
            decoded[i] = DecodeOne(il, at);
        CheckBranches(decoded, il.Length);
        return decoded;
    }

    /// <summary>Whether the instruction may go on at <see cref="Instruction.Operand"/>.</summary>
    public static bool IsBranch(Instruction instruction) =>
        instruction.Code.OperandType is OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget;

    /// <summary>Index of the first instruction at an offset or behind it.</summary>
    public static int IndexAt(Instruction[] decoded, int offset)
    {
        int low = 0, high = decoded.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (decoded[middle].Offset < offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>The form of a short branch that reaches everywhere.</summary>
    public static OpCode LongFormOf(OpCode branch) => branch.Value == OpCodes.Leave_S.Value
        ? OpCodes.Leave
        : OneByteCodes[branch.Value + OpCodes.Br.Value - OpCodes.Br_S.Value]!.Value; // they stand in the same order

    /// <summary>The opcode at an offset.</summary>
    private static OpCode CodeAt(ReadOnlySpan<byte> il, int at)
    {
        if (il[at] != TwoBytes)
            return OneByteCodes[il[at]] ?? throw Bad(at, $"0x{il[at]:X2} is no opcode");
        if (at + 1 == il.Length)
            throw Bad(at, "the IL ends within an opcode");
        return TwoByteCodes[il[at + 1]] ?? throw Bad(at, $"0x{(TwoBytes << 8) | il[at + 1]:X2} is no opcode");
    }

    /// <summary>The size of the instruction at an offset, with its operand.</summary>
    private static int SizeAt(ReadOnlySpan<byte> il, int at)
    {
        OpCode code = CodeAt(il, at);
        ReadOnlySpan<byte> rest = il[(at + code.Size)..];
        int size = OperandSize(code, rest, at);
        return size <= rest.Length ? code.Size + size : throw Bad(at, $"the IL ends within the operand of {code.Name}");
    }

    private static Instruction DecodeOne(ReadOnlySpan<byte> il, int at)
    {
        OpCode code = CodeAt(il, at);
        ReadOnlySpan<byte> rest = il[(at + code.Size)..];
        int size = code.Size + OperandSize(code, rest, at);
        return code.OperandType == OperandType.InlineSwitch
            ? new Instruction(at, size, code, 0) { Targets = SwitchTargets(rest[..(size - code.Size)], at + size) }
            : new Instruction(at, size, code, Operand(code, rest, at + size));
    }

    private static int OperandSize(OpCode code, ReadOnlySpan<byte> rest, int at)
    {
        switch (code.OperandType)
        {
            case OperandType.InlineNone:
                return 0;
            case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                return 1;
            case OperandType.InlineVar:
                return 2;
            case OperandType.InlineI8 or OperandType.InlineR:
                return 8;
            case OperandType.InlineSwitch:
                uint count = rest.Length < 4 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(rest);
                return count <= rest.Length / 4 ? 4 + (4 * (int)count) : throw Bad(at, "the IL ends within the operand of switch");
            default:
                return 4;
        }
    }

    private static long Operand(OpCode code, ReadOnlySpan<byte> rest, int end) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget => end + (sbyte)rest[0],
        OperandType.InlineBrTarget => end + (long)BinaryPrimitives.ReadInt32LittleEndian(rest),
        OperandType.ShortInlineI => (sbyte)rest[0],
        OperandType.ShortInlineVar => rest[0],
        OperandType.InlineVar => BinaryPrimitives.ReadUInt16LittleEndian(rest),
        OperandType.InlineI8 or OperandType.InlineR => BinaryPrimitives.ReadInt64LittleEndian(rest),
        _ => BinaryPrimitives.ReadInt32LittleEndian(rest),
    };

    private static int[] SwitchTargets(ReadOnlySpan<byte> operand, int end)
    {
        var targets = new int[(operand.Length / 4) - 1];
        for (int i = 0; i < targets.Length; i++)
            targets[i] = unchecked(end + BinaryPrimitives.ReadInt32LittleEndian(operand[(4 * (i + 1))..]));
        return targets;
    }

    private static void CheckBranches(Instruction[] decoded, int length)
    {
        foreach (Instruction instruction in decoded)
        {
            if (IsBranch(instruction) && !IsStart(instruction.Operand))
                throw Bad(instruction.Offset, $"{instruction.Code.Name} goes to {instruction.Operand}, where no instruction starts");
            foreach (int target in instruction.Targets)
            {
                if (!IsStart(target))
                    throw Bad(instruction.Offset, $"switch goes to {target}, where no instruction starts");
            }
        }

        bool IsStart(long offset) => offset >= 0 && offset < length && decoded[IndexAt(decoded, (int)offset)].Offset == offset;
    }

    private static PatchException Bad(int offset, string what) =>
        new(PatchError.BadIl, $"The IL cannot be read at {offset}: {what}.") { Offset = offset };
}
