using System.Buffers.Binary;
using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>Encodings of a form with random prefixes and operands, written as the manuals draw them rather than by an assembler, so that none is left out.</summary>
internal sealed class InstructionBytes(CaseRandom random, CornerValues values)
{
    private readonly byte[] _bytes = new byte[32];

    /// <summary>The bytes of the last encoding, and random ones behind it.</summary>
    public Span<byte> Bytes => _bytes;

    /// <summary>Encodes a form and decodes what came of it; false if the random part made it another form.</summary>
    public bool TryEncode(Code code, out Instruction instruction)
    {
        Encode(code.ToOpCode());
        instruction = Decode(out _);
        return instruction.Code == code;
    }

    /// <summary>Decodes the bytes as they are now.</summary>
    public Instruction Decode(out ConstantOffsets offsets)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(_bytes), CaseLayout.CodeStart);
        decoder.Decode(out Instruction instruction);
        offsets = decoder.GetConstantOffsets(instruction);
        return instruction;
    }

    private void Encode(OpCodeInfo info)
    {
        for (int i = 0; i < _bytes.Length; i += 8)
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(i), random.Bits());
        int at = 0;
        bool wide = info.W == 1 || info.OperandSize == 64 || random.Chance(30);
        if (info.Encoding == EncodingKind.VEX)
        {
            if (random.Chance(2))
                _bytes[at++] = 0x67;
            if (random.Chance(2))
                _bytes[at++] = (byte)(random.Chance(50) ? 0x64 : 0x65);
            at = VexPrefix.Append(info, random, _bytes, at);
        }
        else
        {
            if (info.OperandSize == 16 || random.Chance(3))
                _bytes[at++] = 0x66;
            if (random.Chance(5))
                _bytes[at++] = 0x67;
            if (random.Chance(10))
                _bytes[at++] = (byte)(random.Chance(50) ? 0x64 : 0x65);
            if (info.CanUseLockPrefix && random.Chance(25))
                _bytes[at++] = 0xf0;
            if ((info.CanUseRepPrefix && random.Chance(50)) || random.Chance(1))
                _bytes[at++] = 0xf3;
            else if (info.CanUseRepnePrefix && random.Chance(40))
                _bytes[at++] = 0xf2;
            at = AppendMandatoryPrefix(info, at);
            if (wide || random.Chance(40))
                _bytes[at++] = (byte)(0x40 | (wide ? 8 : 0) | random.Next(8));
            if (info.Table != OpCodeTableKind.Normal)
                _bytes[at++] = 0x0f;
            if (info.Table is OpCodeTableKind.T0F38 or OpCodeTableKind.T0F3A)
                _bytes[at++] = (byte)(info.Table == OpCodeTableKind.T0F38 ? 0x38 : 0x3a);
        }

        if (info.OpCodeLength == 2)
            _bytes[at++] = (byte)(info.OpCode >> 8);
        bool inOpcode = Enumerable.Range(0, info.OpCount).Any(i => info.GetOpKind(i) is
            OpCodeOperandKind.r8_opcode or OpCodeOperandKind.r16_opcode or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r64_opcode or
            OpCodeOperandKind.sti_opcode);
        _bytes[at++] = (byte)(info.OpCode + (inOpcode ? (uint)random.Next(8) : 0));
        if (info.OpCodeLength == 2)
            return;

        _bytes[at] = (byte)ModRm(info);
        if (random.Chance(30))
            _bytes[at + 1 + random.Next(4)] = (byte)values.Corner();
    }

    /// <summary>A random ModRM byte that the form may have: groups, operands that are only registers, only memory, or memory with a vector index.</summary>
    private int ModRm(OpCodeInfo info)
    {
        int modRm = random.Next(256);
        if (random.Chance(30))
            modRm |= 0xc0;
        if (info.IsGroup)
            modRm = (modRm & ~0x38) | (info.GroupIndex << 3);
        for (int i = 0; i < info.OpCount; i++)
        {
            modRm = info.GetOpKind(i) switch
            {
                OpCodeOperandKind.mem => WithMemory(modRm),
                OpCodeOperandKind.mem_vsib32x or OpCodeOperandKind.mem_vsib64x or OpCodeOperandKind.mem_vsib32y or OpCodeOperandKind.mem_vsib64y =>
                    (WithMemory(modRm) & ~7) | 4,
                OpCodeOperandKind.r16_rm or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r64_rm or
                OpCodeOperandKind.mm_rm or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.ymm_rm => modRm | 0xc0,
                _ => modRm,
            };
        }

        return modRm;
    }

    private int WithMemory(int modRm) => modRm < 0xc0 ? modRm : modRm - ((1 + random.Next(3)) << 6);

    private int AppendMandatoryPrefix(OpCodeInfo info, int at)
    {
        byte prefix = info.MandatoryPrefix switch
        {
            MandatoryPrefix.P66 => 0x66,
            MandatoryPrefix.PF3 => 0xf3,
            MandatoryPrefix.PF2 => 0xf2,
            _ => 0,
        };
        if (prefix != 0)
            _bytes[at++] = prefix;
        return at;
    }
}
