using System.Buffers.Binary;
using System.Reflection.Emit;

namespace PvPatch.Engine.PatchedCalls.Growth;

/// <summary>Where a token has still to be written.</summary>
/// <param name="Offset">Offset of the four bytes in the code.</param>
/// <param name="Instruction">Whose token it is: that of its <see cref="MovableInstruction.Member"/> or <see cref="MovableInstruction.Text"/>.</param>
internal readonly record struct TokenFixup(int Offset, MovableInstruction Instruction);

/// <summary>Movable instructions as bytes.</summary>
/// <param name="Il">The bytes; zero where a token is missing.</param>
/// <param name="Offsets">Offset of each instruction, and of what follows the last.</param>
/// <param name="Fixups">The missing tokens.</param>
internal sealed record AssembledIl(byte[] Il, int[] Offsets, IReadOnlyList<TokenFixup> Fixups);

/// <summary>Writes movable instructions. Short branches stay short where they reach their target.</summary>
internal static class IlAssembler
{
    private static readonly Dictionary<short, OpCode> LongForms = new OpCode[][]
    {
        [OpCodes.Br_S, OpCodes.Br], [OpCodes.Brfalse_S, OpCodes.Brfalse], [OpCodes.Brtrue_S, OpCodes.Brtrue],
        [OpCodes.Beq_S, OpCodes.Beq], [OpCodes.Bge_S, OpCodes.Bge], [OpCodes.Bgt_S, OpCodes.Bgt],
        [OpCodes.Ble_S, OpCodes.Ble], [OpCodes.Blt_S, OpCodes.Blt], [OpCodes.Bne_Un_S, OpCodes.Bne_Un],
        [OpCodes.Bge_Un_S, OpCodes.Bge_Un], [OpCodes.Bgt_Un_S, OpCodes.Bgt_Un], [OpCodes.Ble_Un_S, OpCodes.Ble_Un],
        [OpCodes.Blt_Un_S, OpCodes.Blt_Un], [OpCodes.Leave_S, OpCodes.Leave],
    }.ToDictionary(pair => pair[0].Value, pair => pair[1]);

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
        return new AssembledIl(il, offsets, fixups);
    }

    private static bool Widen(MovableInstruction[] code, int[] offsets)
    {
        bool changed = false;
        for (int i = 0; i < code.Length; i++)
        {
            if (code[i].Code.OperandType == OperandType.ShortInlineBrTarget
                && offsets[code[i].Operand] - offsets[i + 1] is < sbyte.MinValue or > sbyte.MaxValue)
            {
                code[i] = code[i] with { Code = LongForms[code[i].Code.Value] };
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
                BinaryPrimitives.WriteInt32LittleEndian(operand, instruction.Targets.Count);
                for (int k = 0; k < instruction.Targets.Count; k++)
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
