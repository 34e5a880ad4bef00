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
            at = DecodeAt(il, at).End;
        var decoded = new Instruction[count];
        Decode(il, ref decoded);
        return decoded;
    }

    /// <summary>Decodes a whole method into an array that grows as it must.</summary>
    /// <param name="il">Its IL.</param>
    /// <param name="decoded">Where to.</param>
    /// <returns>How many instructions it has.</returns>
    /// <exception cref="PatchException">As <see cref="Decode(ReadOnlySpan{byte})"/>.</exception>
    public static int Decode(ReadOnlySpan<byte> il, ref Instruction[] decoded)
    {
        int count = 0;
        bool branches = false;
        for (int at = 0; at < il.Length; at = decoded[count++].End)
        {
            Room.For(ref decoded, count + 1);
            decoded[count] = DecodeAt(il, at);
            branches |= decoded[count].Code.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch;
        }

        if (branches)
            CheckBranches(decoded.AsSpan(0, count), il.Length);
        return count;
    }

    /// <summary>Decodes the instruction at an offset.</summary>
    /// <exception cref="PatchException"><see cref="PatchError.BadIl"/>: there is none.</exception>
    public static Instruction DecodeAt(ReadOnlySpan<byte> il, int at)
    {
        OpCode code = CodeAt(il, at);
        ReadOnlySpan<byte> rest = il[(at + code.Size)..];
        int size = OperandSize(code, rest, at), end = at + code.Size + size;
        if (size > rest.Length)
            throw Bad(at, $"the IL ends within the operand of {code.Name}");
        return code.OperandType == OperandType.InlineSwitch
            ? new Instruction(at, end - at, code, 0) { Targets = SwitchTargets(rest[..size], end) }
            : new Instruction(at, end - at, code, Operand(code, rest, end));
    }

    /// <summary>Whether the instruction may go on at <see cref="Instruction.Operand"/>.</summary>
    public static bool IsBranch(in Instruction instruction) =>
        instruction.Code.OperandType is OperandType.InlineBrTarget or OperandType.ShortInlineBrTarget;

    /// <summary>Index of the first instruction at an offset or behind it.</summary>
    public static int IndexAt(ReadOnlySpan<Instruction> decoded, int offset)
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

    private static void CheckBranches(ReadOnlySpan<Instruction> decoded, int length)
    {
        foreach (ref readonly Instruction instruction in decoded)
        {
            if (IsBranch(instruction) && !IsStart(decoded, length, instruction.Operand))
                throw Bad(instruction.Offset, $"{instruction.Code.Name} goes to {instruction.Operand}, where no instruction starts");
            foreach (int target in instruction.Targets)
            {
                if (!IsStart(decoded, length, target))
                    throw Bad(instruction.Offset, $"switch goes to {target}, where no instruction starts");
            }
        }
    }

    private static bool IsStart(ReadOnlySpan<Instruction> decoded, int length, long offset) =>
        offset >= 0 && offset < length && decoded[IndexAt(decoded, (int)offset)].Offset == offset;

    private static PatchException Bad(int offset, string what) =>
        new(PatchError.BadIl, $"The IL cannot be read at {offset}: {what}.") { Offset = offset };
}
