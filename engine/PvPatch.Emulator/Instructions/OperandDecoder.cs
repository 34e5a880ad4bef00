using System.Numerics;
using Iced.Intel;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Turns an instruction that Iced decoded into the form that handlers read.</summary>
internal static unsafe class OperandDecoder
{
    /// <summary>Fills in everything but the target of a branch, which is linked when it is first taken.</summary>
    public static void Fill(CpuState* cpu, in Instruction instruction, byte* bytes, Marks codeWidth, DecodedInstruction* u)
    {
        ushort zero = RegisterPlaces.Zero(cpu);
        *u = new DecodedInstruction
        {
            Rip = instruction.IP,
            Code = (ushort)instruction.Code,
            Length = (byte)instruction.Length,
            Base = zero,
            Index = zero,
            Segment = RegisterPlaces.Segment(cpu, Register.DS),
            Marks = codeWidth | Prefixes(instruction),
        };

        bool memory = false;
        ushort* registers = stackalloc ushort[5];
        for (int i = 0; i < instruction.OpCount; i++)
        {
            switch (instruction.GetOpKind(i))
            {
                case OpKind.Register:
                    registers[i] = RegisterPlaces.Of(cpu, instruction.GetOpRegister(i));
                    break;
                case OpKind.NearBranch16 or OpKind.NearBranch32 or OpKind.NearBranch64:
                    u->Immediate = instruction.NearBranchTarget;
                    break;
                case OpKind.FarBranch16:
                    u->Immediate = instruction.FarBranch16;
                    u->Immediate2 = instruction.FarBranchSelector;
                    break;
                case OpKind.FarBranch32:
                    u->Immediate = instruction.FarBranch32;
                    u->Immediate2 = instruction.FarBranchSelector;
                    break;
                case OpKind.Immediate8_2nd:
                    u->Immediate2 = instruction.Immediate8_2nd;
                    break;
                case OpKind.Memory:
                    memory = true;
                    Address(cpu, instruction, u);
                    break;
                case OpKind.MemorySegSI or OpKind.MemorySegDI or OpKind.MemoryESDI:
                    memory = true;
                    StringAddress(cpu, instruction, u, Addressing.Cut16, instruction.GetOpKind(i) != OpKind.MemoryESDI);
                    break;
                case OpKind.MemorySegESI or OpKind.MemorySegEDI or OpKind.MemoryESEDI:
                    memory = true;
                    StringAddress(cpu, instruction, u, Addressing.Cut32, instruction.GetOpKind(i) != OpKind.MemoryESEDI);
                    break;
                case OpKind.MemorySegRSI or OpKind.MemorySegRDI or OpKind.MemoryESRDI:
                    memory = true;
                    StringAddress(cpu, instruction, u, Addressing.Flat, instruction.GetOpKind(i) != OpKind.MemoryESRDI);
                    break;
                default:
                    u->Immediate = instruction.GetImmediate(i);
                    break;
            }
        }

        u->Op0 = registers[0];
        u->Op1 = registers[1];
        u->Op2 = registers[2];
        if (X87Opcode(bytes, instruction.Length, codeWidth) is { } opcode)
            u->Immediate2 = opcode;
        if (CounterWidth(instruction) is { } width)
            u->Addressing = width;

        ref readonly InstructionRow row = ref InstructionTable.Row(instruction.Code);
        bool locked = instruction.HasLockPrefix && row.Locked != null;
        u->Handler = !memory ? row.Register : locked ? row.Locked : row.Memory;
        if ((memory ? row.MemoryMeaning : row.RegisterMeaning) is { } meaning)
            u->Target = (DecodedInstruction*)meaning.Method.MethodHandle.GetFunctionPointer();
        if (row.WideMeaning is { } wide)
            u->Target = (DecodedInstruction*)wide.Method.MethodHandle.GetFunctionPointer();
        if (row.IsVex)
            VexOperands.Fill(instruction, row, registers, u);
        if (u->Handler == null)
            u->Handler = &Faults.InvalidOpcode;
    }

    /// <summary>
    /// The 11 bits of an instruction of the x87 that it remembers: the low ones of D8 to DF, then the byte behind it (Intel SDM
    /// vol. 1, 8.1.9). Null for all others.
    /// </summary>
    private static ushort? X87Opcode(byte* bytes, int length, Marks codeWidth)
    {
        int first = 0;
        // SAFETY: the instruction has length bytes, of which the last is no prefix.
        while (first + 1 < length && IsPrefix(bytes[first], codeWidth))
            first++;
        return first + 1 < length && (bytes[first] & 0xf8) == 0xd8 ? (ushort)((bytes[first] & 7) << 8 | bytes[first + 1]) : null;
    }

    private static bool IsPrefix(byte value, Marks codeWidth) => value switch
    {
        0x26 or 0x2e or 0x36 or 0x3e or 0x64 or 0x65 or 0x66 or 0x67 or 0xf0 or 0xf2 or 0xf3 => true,
        >= 0x40 and <= 0x4f => codeWidth == Marks.Code64,
        _ => false,
    };

    private static Marks Prefixes(in Instruction instruction)
    {
        Marks marks = instruction.HasLockPrefix ? Marks.Lock : Marks.None;
        if (instruction.HasRepPrefix || instruction.HasRepePrefix)
            marks |= Marks.Rep;
        return instruction.HasRepnePrefix ? marks | Marks.Repne : marks;
    }

    private static void Address(CpuState* cpu, in Instruction instruction, DecodedInstruction* u)
    {
        Register baseRegister = instruction.MemoryBase;
        Register index = instruction.MemoryIndex;
        u->Displacement = instruction.MemoryDisplacement64;
        int size = 8;
        if (baseRegister is Register.RIP or Register.EIP)
        {
            // Iced gives the displacement of these with the next instruction's address already added.
            size = baseRegister == Register.EIP ? 4 : 8;
        }
        else if (baseRegister != Register.None || index != Register.None)
        {
            size = baseRegister != Register.None ? baseRegister.GetSize() : index.IsGPR() ? index.GetSize() : instruction.MemoryDisplSize;
            if (baseRegister != Register.None)
                u->Base = RegisterPlaces.Of(cpu, baseRegister);
            if (index != Register.None)
            {
                u->Index = RegisterPlaces.Of(cpu, index);
                u->Scale = (byte)BitOperations.Log2((uint)instruction.MemoryIndexScale);
            }
        }
        else
        {
            size = instruction.MemoryDisplSize;
        }

        Addressing cut = size switch
        {
            2 => Addressing.Cut16,
            4 => Addressing.Cut32,
            _ => Addressing.Flat,
        };
        InSegment(cpu, u, instruction.MemorySegment, cut);
    }

    private static void StringAddress(CpuState* cpu, in Instruction instruction, DecodedInstruction* u, Addressing cut, bool inNamedSegment)
    {
        if (inNamedSegment)
            InSegment(cpu, u, instruction.MemorySegment, cut);
        else
            u->Addressing |= cut | ((u->Marks & Marks.Code64) == Marks.None ? Addressing.Checked : Addressing.Flat);
    }

    private static void InSegment(CpuState* cpu, DecodedInstruction* u, Register segment, Addressing cut)
    {
        u->Segment = RegisterPlaces.Segment(cpu, segment);
        u->Addressing |= cut;
        if ((u->Marks & Marks.Code64) == Marks.None)
            u->Addressing |= Addressing.Checked;
        else if (segment is Register.FS or Register.GS)
            u->Addressing |= Addressing.SegmentBase;
        if (segment == Register.SS)
            u->Marks |= Marks.Stack;
    }

    /// <summary>LOOP and JCXZ have no memory operand, but a counter with the width of addresses.</summary>
    private static Addressing? CounterWidth(in Instruction instruction) => instruction.Code switch
    {
        Code.Jcxz_rel8_16 or Code.Jcxz_rel8_32 or
        Code.Loop_rel8_16_CX or Code.Loop_rel8_32_CX or
        Code.Loope_rel8_16_CX or Code.Loope_rel8_32_CX or
        Code.Loopne_rel8_16_CX or Code.Loopne_rel8_32_CX => Addressing.Cut16,
        Code.Jecxz_rel8_16 or Code.Jecxz_rel8_32 or Code.Jecxz_rel8_64 or
        Code.Loop_rel8_16_ECX or Code.Loop_rel8_32_ECX or Code.Loop_rel8_64_ECX or
        Code.Loope_rel8_16_ECX or Code.Loope_rel8_32_ECX or Code.Loope_rel8_64_ECX or
        Code.Loopne_rel8_16_ECX or Code.Loopne_rel8_32_ECX or Code.Loopne_rel8_64_ECX => Addressing.Cut32,
        _ => null,
    };
}
