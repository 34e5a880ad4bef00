using System.Buffers.Binary;
using System.Reflection.Emit;
using PvPatch.Engine.Il;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>Where a token has still to be written.</summary>
/// <param name="Offset">Offset of the four bytes in the code.</param>
/// <param name="Instruction">Whose token it is: that of its <see cref="MovableInstruction.Member"/> or <see cref="MovableInstruction.Text"/>.</param>
internal sealed record TokenFixup(int Offset, MovableInstruction Instruction);

/// <summary>Movable instructions as bytes.</summary>
/// <param name="Il">The bytes; zero where a token is missing.</param>
/// <param name="Fixups">The missing tokens.</param>
internal sealed record AssembledIl(byte[] Il, List<TokenFixup> Fixups);

/// <summary>Writes movable instructions. Short branches stay short where they reach their target.</summary>
internal static class IlAssembler
{
    /// <summary>Assembles a piece of code.</summary>
    public static AssembledIl Assemble(IReadOnlyList<MovableInstruction> code)
    {
        MovableInstruction[] chosen = [.. code];
        var offsets = new int[chosen.Length + 1];
        do
        {
            for (int i = 0; i < chosen.Length; i++)
                offsets[i + 1] = offsets[i] + chosen[i].Size;
        }
        while (Widen(chosen, offsets)); // a widened branch may put another one out of reach

        var il = new byte[offsets[^1]];
        var fixups = new List<TokenFixup>();
        for (int i = 0; i < chosen.Length; i++)
            Write(chosen[i], offsets[i], offsets, il, fixups);
        return new AssembledIl(il, fixups);
    }

    private static bool Widen(MovableInstruction[] code, int[] offsets)
    {
        bool changed = false;
        for (int i = 0; i < code.Length; i++)
        {
            if (code[i].Code.OperandType == OperandType.ShortInlineBrTarget
                && offsets[code[i].Operand] - offsets[i + 1] is < sbyte.MinValue or > sbyte.MaxValue)
            {
                code[i] = code[i] with { Code = IlReader.LongFormOf(code[i].Code) };
                changed = true;
            }
        }

        return changed;
    }

    private static void Write(MovableInstruction instruction, int at, int[] offsets, byte[] il, List<TokenFixup> fixups)
    {
        OpCode code = instruction.Code;
        if (code.Size == 2)
            il[at] = (byte)(code.Value >> 8);
        il[at + code.Size - 1] = (byte)code.Value;

        int end = at + instruction.Size;
        Span<byte> operand = il.AsSpan(at + code.Size, end - at - code.Size);
        switch (code.OperandType)
        {
            case OperandType.InlineNone:
                break;
            case OperandType.ShortInlineBrTarget:
                operand[0] = unchecked((byte)(offsets[instruction.Operand] - end));
                break;
            case OperandType.InlineBrTarget:
                BinaryPrimitives.WriteInt32LittleEndian(operand, offsets[instruction.Operand] - end);
                break;
            case OperandType.ShortInlineI or OperandType.ShortInlineVar:
                operand[0] = unchecked((byte)instruction.Operand);
                break;
            case OperandType.InlineVar:
                BinaryPrimitives.WriteUInt16LittleEndian(operand, (ushort)instruction.Operand);
                break;
            case OperandType.InlineI8 or OperandType.InlineR:
                BinaryPrimitives.WriteInt64LittleEndian(operand, instruction.Operand);
                break;
            case OperandType.InlineSwitch:
                BinaryPrimitives.WriteInt32LittleEndian(operand, instruction.Targets.Length);
                for (int k = 0; k < instruction.Targets.Length; k++)
                    BinaryPrimitives.WriteInt32LittleEndian(operand[(4 * (k + 1))..], offsets[instruction.Targets[k]] - end);
                break;
            default:
                BinaryPrimitives.WriteInt32LittleEndian(operand, unchecked((int)instruction.Operand));
                if (instruction.NeedsToken)
                    fixups.Add(new TokenFixup(end - operand.Length, instruction));
                break;
        }
    }
}
