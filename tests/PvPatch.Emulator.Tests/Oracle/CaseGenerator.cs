using System.Buffers.Binary;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Oracle;

/// <summary>Makes single-instruction cases: an encoding of a supported form with random prefixes and operands, and a state with corner values whose addresses lead to the case's pages.</summary>
internal sealed class CaseGenerator
{
    private static readonly ulong[] Corners =
    [
        0, 1, 2, 7, 8, 0xf, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000,
        0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000,
        0xffff_ffff_ffff_ff80, 0xffff_ffff_ffff_8000, 0xffff_ffff_8000_0000, 0xffff_ffff_ffff_fffe, ulong.MaxValue,
    ];

    /// <summary>Flags that a case may start with: not TF, which would stop after one instruction on one side only.</summary>
    private const ulong StartFlags = StatusFlags.All | RFlags.Direction;

    private readonly Random _random;
    private readonly X87Cases _x87;
    private readonly Code[] _codes;
    private readonly byte[] _bytes = new byte[32];

    public CaseGenerator(int seed, Func<Code, bool> wanted)
    {
        _random = new Random(seed);
        _x87 = new X87Cases(_random);
        _codes = [.. InstructionTable.Supported.Where(c => c.ToOpCode().Mode64 && c.ToOpCode().Cpl3 && wanted(c))];
    }

    /// <summary>The forms that cases are made of.</summary>
    public IReadOnlyList<Code> Codes => _codes;

    /// <summary>Makes one case.</summary>
    public (MachineCase Case, Instruction Instruction) Next()
    {
        while (true)
        {
            Code code = _codes[_random.Next(_codes.Length)];
            Encode(code.ToOpCode());
            Instruction instruction = Decode();
            if (instruction.Code != code)
                continue;
            MachineCase state = State();
            if (!TryPlaceOperands(ref instruction, state))
                continue;
            _bytes.AsSpan(0, instruction.Length).CopyTo(state.Code);
            state.Code.AsSpan(instruction.Length).Fill(0xcc);
            return (state, instruction);
        }
    }

    private Instruction Decode()
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(_bytes), CaseLayout.CodeStart);
        decoder.Decode(out Instruction instruction);
        return instruction;
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private void Encode(OpCodeInfo info)
    {
        _random.NextBytes(_bytes);
        int at = 0;
        bool wide = info.W == 1 || info.OperandSize == 64 || Chance(30);
        if (info.Encoding == EncodingKind.VEX)
        {
            int map = info.Table == OpCodeTableKind.T0F38 ? 2 : 3;
            _bytes[at++] = 0xc4;
            _bytes[at] = (byte)((_bytes[at] & 0xe0) | map);
            at++;
            int prefix = info.MandatoryPrefix switch
            {
                MandatoryPrefix.P66 => 1,
                MandatoryPrefix.PF3 => 2,
                MandatoryPrefix.PF2 => 3,
                _ => 0,
            };
            _bytes[at] = (byte)(((int)info.W * 0x80) + (_bytes[at] & 0x78) + prefix);
            at++;
        }
        else
        {
            if (info.OperandSize == 16 || Chance(3))
                _bytes[at++] = 0x66;
            if (Chance(5))
                _bytes[at++] = 0x67;
            if (Chance(10))
                _bytes[at++] = (byte)(Chance(50) ? 0x64 : 0x65);
            if (info.CanUseLockPrefix && Chance(25))
                _bytes[at++] = 0xf0;
            if ((info.CanUseRepPrefix && Chance(50)) || Chance(1))
                _bytes[at++] = 0xf3;
            else if (info.CanUseRepnePrefix && Chance(40))
                _bytes[at++] = 0xf2;
            at = AppendMandatoryPrefix(info, at);
            if (wide || Chance(40))
                _bytes[at++] = (byte)(0x40 | (wide ? 8 : 0) | _random.Next(8));
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
        _bytes[at++] = (byte)(info.OpCode + (inOpcode ? (uint)_random.Next(8) : 0));
        if (info.OpCodeLength == 2)
            return;

        int modRm = _random.Next(256);
        if (Chance(30))
            modRm |= 0xc0;
        if (info.IsGroup)
            modRm = (modRm & ~0x38) | (info.GroupIndex << 3);
        _bytes[at] = (byte)modRm;
        if (Chance(30))
            _bytes[at + 1 + _random.Next(4)] = (byte)Corners[_random.Next(Corners.Length)];
    }

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

    private ulong Value()
    {
        ulong corner = Corners[_random.Next(Corners.Length)];
        return _random.Next(4) switch
        {
            0 => corner,
            1 => corner + (ulong)_random.Next(-2, 3),
            2 => (ulong)_random.NextInt64() >> _random.Next(64),
            _ => (ulong)_random.NextInt64(long.MinValue, long.MaxValue),
        };
    }

    /// <summary>A double or two singles: zeros, denormals, infinities, NaNs, small integers, values whose exponents are near each other.</summary>
    private ulong FloatValue() => Chance(50) ? FloatBits(52, 11) : (FloatBits(23, 8) << 32) | FloatBits(23, 8);

    private ulong FloatBits(int fractionBits, int exponentBits)
    {
        ulong highest = (1ul << exponentBits) - 1;
        ulong exponent = _random.Next(8) switch
        {
            0 => 0,
            1 => highest,
            2 => 1 + (ulong)_random.Next(3),
            3 => highest - (ulong)_random.Next(4),
            _ => (highest >> 1) + (ulong)_random.Next(-40, 70),
        };
        ulong fraction = _random.Next(4) switch
        {
            0 => 0,
            1 => (ulong)_random.Next(3) << _random.Next(fractionBits),
            2 => (1ul << fractionBits) - (ulong)_random.Next(1, 3),
            _ => (ulong)_random.NextInt64(),
        };
        ulong sign = Chance(50) ? 1ul << (fractionBits + exponentBits) : 0;
        return sign | (exponent << fractionBits) | (fraction & ((1ul << fractionBits) - 1));
    }

    private MachineCase State()
    {
        var state = new MachineCase { Rip = CaseLayout.CodeStart, Flags = (ulong)_random.NextInt64() & StartFlags };
        if (Chance(70))
            state.Flags &= ~RFlags.Direction;
        for (int i = 0; i < 16; i++)
            state.General[i] = Value();
        foreach (byte[] window in state.Memory)
        {
            for (int i = 0; i < window.Length; i += 8)
                BinaryPrimitives.WriteUInt64LittleEndian(window.AsSpan(i), Chance(30) ? FloatValue() : Value());
        }

        _x87.Fill(state.Fpu);
        state.Mxcsr = (Chance(80) ? 0x1f80u : (uint)_random.Next() & 0x1f80) | ((uint)_random.Next() & (Chance(50) ? 0xe07fu : 0x6000));
        for (int i = 0; i < state.Xmm.Length; i++)
            state.Xmm[i] = Chance(50) ? FloatValue() : Value();
        return state;
    }

    /// <summary>An address in the windows, sometimes just before what is not mapped, sometimes not canonical.</summary>
    private ulong Address()
    {
        int kind = _random.Next(20);
        CaseLayout.Window window = CaseLayout.Windows[kind < 4 ? 1 : 0];
        if (kind < 4)
            return window.Address + (ulong)window.Size - (ulong)_random.Next(1, 40);
        if (kind == 4)
            return Chance(50) ? window.Address + (ulong)CaseLayout.DataSize : 0x8000_0000_0000_0000 + (uint)_random.Next();
        if (kind < 9)
            return window.Address + 0x200 + (ulong)_random.Next(-20, 20);
        return window.Address + (ulong)(_random.Next(4, (window.Size / 16) - 4) * 16);
    }

    private bool TryPlaceOperands(ref Instruction instruction, MachineCase state)
    {
        bool narrow = false;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            OpKind kind = instruction.GetOpKind(i);
            narrow |= kind is OpKind.MemorySegESI or OpKind.MemorySegEDI or OpKind.MemoryESEDI;
        }

        if (!PlaceStringOperands(instruction, state, narrow) || !TryPlaceMemory(ref instruction, state) || !TryPlaceImage(instruction, state))
            return false;
        PlaceNumber(instruction, state);
        if (UsesStack(instruction))
            state.General[4] = StackAddress();
        if (instruction.Mnemonic is Mnemonic.Leave or Mnemonic.Enter)
            state.General[5] = StackAddress();
        if (instruction.Mnemonic is Mnemonic.Maskmovdqu or Mnemonic.Maskmovq)
            state.General[7] = CaseLayout.Windows[0].Address + (ulong)_random.Next(0x100, 0x300) - SegmentBase(instruction);
        if (instruction.Mnemonic == Mnemonic.Xlatb)
            state.General[3] = Address() - (byte)state.General[0];
        if (instruction.Mnemonic is Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b or Mnemonic.Cmpxchg && Chance(50))
            CopyExpected(instruction, state);
        if (instruction.FlowControl == FlowControl.Return)
        {
            int offset = (int)(state.General[4] - CaseLayout.Windows[0].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(state.Memory[0].AsSpan(offset), Target());
        }

        if (instruction.FlowControl is FlowControl.IndirectBranch or FlowControl.IndirectCall && instruction.Op0Kind == OpKind.Register)
        {
            if (instruction.Op0Register.GetFullRegister() == Register.RSP)
                return false;
            state.General[instruction.Op0Register.GetFullRegister() - Register.RAX] = Target();
        }

        // Branches must land on the INT3 that fill the code page.
        return !HasNearBranch(instruction) ||
            (instruction.NearBranchTarget >= CaseLayout.CodePage && instruction.NearBranchTarget < CaseLayout.CodePage + 0xff0 &&
            (instruction.NearBranchTarget < CaseLayout.CodeStart || instruction.NearBranchTarget >= instruction.NextIP));
    }

    private static bool HasNearBranch(in Instruction instruction) => instruction.OpCount > 0 && instruction.Op0Kind == OpKind.NearBranch64;

    private ulong Target() => CaseLayout.CodePage + (ulong)_random.Next(0x900, 0xf00);

    private ulong StackAddress() => CaseLayout.Windows[0].Address + 0x180 + (ulong)_random.Next(16) * 8;

    private static bool UsesStack(in Instruction instruction) =>
        instruction.IsStackInstruction || instruction.Mnemonic is Mnemonic.Leave or Mnemonic.Enter;

    private void CopyExpected(in Instruction instruction, MachineCase state)
    {
        ulong address = EffectiveAddress(instruction, state);
        if (address < CaseLayout.Windows[0].Address || address + 16 > CaseLayout.Windows[0].Address + (ulong)CaseLayout.Windows[0].Size)
            return;
        Span<byte> place = state.Memory[0].AsSpan((int)(address - CaseLayout.Windows[0].Address));
        int size = instruction.MemorySize.GetSize();
        if (instruction.Mnemonic == Mnemonic.Cmpxchg8b)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(place, (uint)state.General[0]);
            BinaryPrimitives.WriteUInt32LittleEndian(place[4..], (uint)state.General[2]);
        }
        else if (size == 16)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(place, state.General[0]);
            BinaryPrimitives.WriteUInt64LittleEndian(place[8..], state.General[2]);
        }
        else
        {
            Span<byte> accumulator = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(accumulator, state.General[0]);
            accumulator[..size].CopyTo(place);
        }
    }

    private void PlaceNumber(in Instruction instruction, MachineCase state)
    {
        if (instruction.MemorySize is not (MemorySize.Float32 or MemorySize.Float64 or MemorySize.Float80 or MemorySize.Bcd))
            return;
        ulong offset = EffectiveAddress(instruction, state) - CaseLayout.Windows[0].Address;
        if (offset < (ulong)CaseLayout.Windows[0].Size - 10)
            _x87.FillOperand(instruction, state.Memory[0].AsSpan((int)offset));
    }

    /// <summary>
    /// Whether a whole state of the x87 lies in one of the windows or where it faults: what is between the windows is not the same on
    /// both sides. What FXRSTOR reads is made to be a state, whose MXCSR mostly may be loaded.
    /// </summary>
    private bool TryPlaceImage(in Instruction instruction, MachineCase state)
    {
        int size = instruction.Mnemonic switch
        {
            Mnemonic.Fxsave or Mnemonic.Fxsave64 or Mnemonic.Fxrstor or Mnemonic.Fxrstor64 => 512,
            Mnemonic.Fnsave or Mnemonic.Frstor => 108,
            _ => 0,
        };
        if (size == 0)
            return true;
        ulong address = EffectiveAddress(instruction, state);
        int window = Array.FindIndex(CaseLayout.Windows, w => address >= w.Address && address + (ulong)size <= w.Address + (ulong)w.Size);
        if (window < 0)
            return address + (ulong)size <= CaseLayout.DataPages || address + (ulong)size > CaseLayout.DataPages + CaseLayout.DataSize;
        if (instruction.Mnemonic is not (Mnemonic.Fxrstor or Mnemonic.Fxrstor64))
            return true;
        Span<byte> image = state.Memory[window].AsSpan((int)(address - CaseLayout.Windows[window].Address));
        _x87.Fill(image);
        if (Chance(90))
            image[26..28].Clear();
        return true;
    }

    private bool PlaceStringOperands(in Instruction instruction, MachineCase state, bool narrow)
    {
        if (!instruction.IsStringInstruction)
            return true;
        state.General[6] = Address() - SegmentBase(instruction);
        state.General[7] = Address();
        if (narrow && ((state.General[6] | state.General[7]) >> 32) != 0)
            return false;
        if (instruction.HasRepPrefix || instruction.HasRepnePrefix)
            state.General[1] = (ulong)_random.Next(40) + (narrow && Chance(50) ? 0x5_0000_0000ul : 0);
        if (!narrow)
            return true;
        state.General[6] |= Chance(50) ? 0x7_0000_0000ul : 0;
        return (uint)state.General[6] + SegmentBase(instruction) >= CaseLayout.DataPages;
    }

    private static ulong SegmentBase(in Instruction instruction) => instruction.MemorySegment switch
    {
        Register.FS => CaseLayout.FsBase,
        Register.GS => CaseLayout.GsBase,
        _ => 0,
    };

    /// <summary>The linear address of the memory operand.</summary>
    public static ulong EffectiveAddress(in Instruction instruction, MachineCase state) => instruction.GetVirtualAddress(0, 0, (register, _, _) => register switch
    {
        Register.FS => CaseLayout.FsBase,
        Register.GS => CaseLayout.GsBase,
        _ => register.IsSegmentRegister() ? 0 : state.General[register.GetFullRegister() - Register.RAX],
    });

    /// <summary>Makes the memory operand's address one of <see cref="Address"/>: through a base register, or in the displacement's bytes.</summary>
    private bool TryPlaceMemory(ref Instruction instruction, MachineCase state)
    {
        int operand = -1;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Memory)
                operand = i;
        }

        if (operand < 0 || instruction.Mnemonic is Mnemonic.Lea or Mnemonic.Nop or Mnemonic.Xlatb || instruction.MemorySize == MemorySize.Unknown)
            return true;
        ulong wanted = Address() - SegmentBase(instruction);
        Register place = instruction.MemoryBase is Register.None or Register.RIP or Register.EIP ? Register.None : instruction.MemoryBase;
        if (place != Register.None)
        {
            bool narrow = place.GetSize() == 4;
            ulong index = instruction.MemoryIndex == Register.None ? 0 : state.General[instruction.MemoryIndex.GetFullRegister() - Register.RAX];
            if (instruction.MemoryIndex != Register.None && instruction.MemoryIndex.GetFullRegister() == place.GetFullRegister())
                return false;
            if (instruction.Mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc && instruction.Op1Kind == OpKind.Register)
            {
                int bit = instruction.Op1Register.GetFullRegister() - Register.RAX;
                if (bit == place.GetFullRegister() - Register.RAX || (instruction.MemoryIndex != Register.None && bit == instruction.MemoryIndex.GetFullRegister() - Register.RAX))
                    return false;
                state.General[bit] = (ulong)_random.Next(-600, 600);
            }

            ulong based = wanted - instruction.MemoryDisplacement64 - (index * (uint)instruction.MemoryIndexScale);
            state.General[place.GetFullRegister() - Register.RAX] = narrow ? (uint)based + ((ulong)(uint)_random.Next() << 32) : based;
            return !narrow || (wanted >> 32) == 0;
        }

        if (instruction.MemoryIndex != Register.None || wanted >> 31 != 0 || !HasWideDisplacement(instruction, out ConstantOffsets offsets))
            return false;
        if (instruction.MemoryIndexScale != 1 || instruction.Mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc)
            return false;
        if (instruction.IsIPRelativeMemoryOperand)
            wanted -= instruction.NextIP;
        Span<byte> displacement = _bytes.AsSpan(offsets.DisplacementOffset);
        if (offsets.DisplacementSize == 8)
            BinaryPrimitives.WriteUInt64LittleEndian(displacement, wanted);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(displacement, (uint)wanted);
        instruction = Decode();
        return true;
    }

    private bool HasWideDisplacement(in Instruction instruction, out ConstantOffsets offsets)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(_bytes), CaseLayout.CodeStart);
        decoder.Decode(out Instruction same);
        offsets = decoder.GetConstantOffsets(same);
        return same.Code == instruction.Code && offsets.DisplacementSize >= 4;
    }
}
