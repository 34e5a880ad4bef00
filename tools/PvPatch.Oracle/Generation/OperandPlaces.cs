using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Iced.Intel;
using PvPatch.Emulator.Instructions;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>Changes state and encoding of a case so that its operands lead to the case's pages.</summary>
internal sealed class OperandPlaces(CaseRandom random, InstructionBytes bytes, X87Cases x87)
{
    private readonly VectorPlaces _vectors = new(random);

    /// <summary>An address in the windows, sometimes just before what is not mapped, sometimes not canonical.</summary>
    private ulong Address()
    {
        int kind = random.Next(20);
        CaseLayout.Window window = CaseLayout.Windows[kind < 4 ? 1 : 0];
        if (kind < 4)
            return window.Address + (ulong)window.Size - (ulong)random.Next(1, 40);
        if (kind == 4)
            return random.Chance(50) ? window.Address + (ulong)CaseLayout.DataSize : 0x8000_0000_0000_0000 + (uint)random.Bits();
        if (kind < 9)
            return window.Address + 0x200 + (ulong)random.Next(-20, 20);
        return window.Address + (ulong)(random.Next(4, (window.Size / 16) - 4) * 16);
    }

    /// <summary>Where the whole state of an XSAVE area lies in a window.</summary>
    private ulong ImageAddress(in Instruction instruction)
    {
        const int Alignment = 64;
        CaseLayout.Window window = CaseLayout.Windows[0];
        return window.Address + (ulong)(random.Next(((window.Size - StateImage.Size(instruction)) / Alignment) + 1) * Alignment);
    }

    private ulong Address(in Instruction instruction)
    {
        if (StateImage.UsesHeader(instruction) && random.Chance(80))
            return random.Chance(60) ? ImageAddress(instruction) : Address() & ~63ul;
        if (instruction.Encoding == EncodingKind.VEX && random.Chance(VectorPlaces.IsMaskedMove(instruction) ? 40 : 3))
            return _vectors.AddressAtEnd();
        return Address();
    }

    /// <summary>Places all operands; false if this encoding can't reach them.</summary>
    public bool TryPlace(ref Instruction instruction, MachineCase state)
    {
        bool narrow = false;
        for (int i = 0; i < instruction.OpCount; i++)
        {
            OpKind kind = instruction.GetOpKind(i);
            narrow |= kind is OpKind.MemorySegESI or OpKind.MemorySegEDI or OpKind.MemoryESEDI;
        }

        if (!PlaceStringOperands(instruction, state, narrow) || !TryPlaceComponents(instruction, state) || !TryPlaceMemory(ref instruction, state) || !TryPlaceImage(instruction, state))
            return false;
        PlaceNumber(instruction, state);
        if (VectorPlaces.IsMaskedMove(instruction))
            _vectors.PlaceMask(instruction, state);
        if (TakesLengths(instruction))
            PlaceLengths(instruction, state);
        if (TakesTexts(instruction) && random.Chance(70))
            PlaceTexts(instruction, state);
        if (UsesStack(instruction))
            state.General[4] = StackAddress();
        if (instruction.Mnemonic is Mnemonic.Leave or Mnemonic.Enter)
            state.General[5] = StackAddress();
        if (instruction.Mnemonic is Mnemonic.Maskmovdqu or Mnemonic.Vmaskmovdqu or Mnemonic.Maskmovq)
            state.General[7] = CaseLayout.Windows[0].Address + (ulong)random.Next(0x100, 0x300) - CaseAddresses.SegmentBase(instruction);
        if (instruction.Mnemonic == Mnemonic.Xlatb)
            state.General[3] = Address() - (byte)state.General[0];
        if (instruction.Mnemonic is Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b or Mnemonic.Cmpxchg && random.Chance(50))
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

    private static bool TakesLengths(in Instruction instruction) => instruction.Mnemonic is
        Mnemonic.Pcmpestri or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestrm64 or
        Mnemonic.Vpcmpestri or Mnemonic.Vpcmpestri64 or Mnemonic.Vpcmpestrm or Mnemonic.Vpcmpestrm64;

    private static bool TakesTexts(in Instruction instruction) =>
        instruction.Code.CpuidFeatures() is [CpuidFeature.SSE4_2] || TakesLengths(instruction) || instruction.Mnemonic is Mnemonic.Vpcmpistri or Mnemonic.Vpcmpistrm;

    private static bool HasNearBranch(in Instruction instruction) => instruction.OpCount > 0 && instruction.Op0Kind == OpKind.NearBranch64;

    private ulong Target() => CaseLayout.CodePage + (ulong)random.Next(0x900, 0xf00);

    private ulong StackAddress() => CaseLayout.Windows[0].Address + 0x180 + (ulong)random.Next(16) * 8;

    private static bool UsesStack(in Instruction instruction) =>
        instruction.IsStackInstruction || instruction.Mnemonic is Mnemonic.Leave or Mnemonic.Enter;

    private void CopyExpected(in Instruction instruction, MachineCase state)
    {
        ulong address = CaseAddresses.Effective(instruction, state);
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

    /// <summary>Mostly lengths that end within the operand.</summary>
    private void PlaceLengths(in Instruction instruction, MachineCase state)
    {
        foreach (int register in (ReadOnlySpan<int>)[0, 2])
        {
            bool addresses = Register.RAX + register == instruction.MemoryBase.GetFullRegister() || Register.RAX + register == instruction.MemoryIndex.GetFullRegister();
            if (!addresses && random.Chance(80))
                state.General[register] = (ulong)random.Next(-18, 19);
        }
    }

    /// <summary>Two texts of few different characters, so that some are found.</summary>
    private void PlaceTexts(in Instruction instruction, MachineCase state)
    {
        Span<byte> xmm = MemoryMarshal.AsBytes(state.Xmm);
        if (instruction.Op0Register.IsXMM())
            FillText(xmm.Slice(16 * (instruction.Op0Register - Register.XMM0), 16));
        if (instruction.Op1Kind == OpKind.Register && instruction.Op1Register.IsXMM())
            FillText(xmm.Slice(16 * (instruction.Op1Register - Register.XMM0), 16));
        ulong offset = instruction.Op1Kind == OpKind.Memory ? CaseAddresses.Effective(instruction, state) - CaseLayout.Windows[0].Address : ulong.MaxValue;
        if (offset < (ulong)CaseLayout.Windows[0].Size - 16)
            FillText(state.Memory[0].AsSpan((int)offset, 16));
    }

    private void FillText(Span<byte> text)
    {
        ReadOnlySpan<byte> characters = [0, 1, 2, 0x80, 0xff, 3];
        int used = random.Next(2, characters.Length + 1);
        int first = random.Next(2) == 0 ? 1 : 0;
        for (int i = 0; i < text.Length; i++)
            text[i] = characters[random.Next(Math.Min(first, used - 1), used)];
    }

    private void PlaceNumber(in Instruction instruction, MachineCase state)
    {
        if (instruction.MemorySize is not (MemorySize.Float32 or MemorySize.Float64 or MemorySize.Float80 or MemorySize.Bcd))
            return;
        ulong offset = CaseAddresses.Effective(instruction, state) - CaseLayout.Windows[0].Address;
        if (offset < (ulong)CaseLayout.Windows[0].Size - 10)
            x87.FillOperand(instruction, state.Memory[0].AsSpan((int)offset));
    }

    /// <summary>
    /// Whether a whole state of the x87 lies in one of the windows or where it faults: what is between the windows is not the same on
    /// both sides. What FXRSTOR reads is made to be a state, whose MXCSR mostly may be loaded.
    /// </summary>
    private bool TryPlaceImage(in Instruction instruction, MachineCase state)
    {
        int size = instruction.Mnemonic is Mnemonic.Fnsave or Mnemonic.Frstor ? 108 : StateImage.Size(instruction);
        if (size == 0)
            return true;
        ulong address = CaseAddresses.Effective(instruction, state);
        int window = Array.FindIndex(CaseLayout.Windows, w => address >= w.Address && address + (ulong)size <= w.Address + (ulong)w.Size);
        if (window < 0)
            return address + (ulong)size <= CaseLayout.DataPages || address + (ulong)Math.Min(size, StateImage.SmallestArea) > CaseLayout.DataPages + CaseLayout.DataSize;
        if (!StateImage.IsRestored(instruction))
            return true;
        Span<byte> image = state.Memory[window].AsSpan((int)(address - CaseLayout.Windows[window].Address));
        x87.Fill(image);
        if (random.Chance(90))
            image[26..28].Clear();
        if (StateImage.UsesHeader(instruction))
            FillHeader(image.Slice(512, 64));
        return true;
    }

    /// <summary>The header of an XSAVE area: components that both sides have, both formats, now and then what must not be.</summary>
    private void FillHeader(Span<byte> header)
    {
        const ulong Nonexistent = 1ul << 62;
        const ulong Compacted = 1ul << 63;
        header.Clear();
        ulong compaction = random.Chance(40) ? Compacted | Components() : 0;
        BinaryPrimitives.WriteUInt64LittleEndian(header, (random.Bits() & StateComponents.All) | (random.Chance(3) ? Nonexistent : 0));
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], compaction | (random.Chance(3) ? Nonexistent : 0));
        if (random.Chance(5))
            header[random.Next(16, 64)] = 1;
    }

    /// <summary>XSAVE and its kind are asked for components that both sides have.</summary>
    private bool TryPlaceComponents(in Instruction instruction, MachineCase state)
    {
        if (!StateImage.UsesHeader(instruction))
            return true;
        foreach (Register register in (ReadOnlySpan<Register>)[instruction.MemoryBase, instruction.MemoryIndex])
        {
            if (register != Register.None && register.GetFullRegister() is Register.RAX or Register.RDX)
                return false;
        }

        state.General[0] = (state.General[0] & 0xffff_ffff_0000_0000) | Components();
        state.General[2] &= 0xffff_ffff_0000_0000;
        return true;
    }

    private ulong Components() => random.Chance(50) ? StateComponents.All : random.Bits() & StateComponents.All;

    private bool PlaceStringOperands(in Instruction instruction, MachineCase state, bool narrow)
    {
        if (!instruction.IsStringInstruction)
            return true;
        state.General[6] = Address() - CaseAddresses.SegmentBase(instruction);
        state.General[7] = Address();
        if (narrow && ((state.General[6] | state.General[7]) >> 32) != 0)
            return false;
        if (instruction.HasRepPrefix || instruction.HasRepnePrefix)
            state.General[1] = (ulong)random.Next(40) + (narrow && random.Chance(50) ? 0x5_0000_0000ul : 0);
        if (!narrow)
            return true;
        state.General[6] |= random.Chance(50) ? 0x7_0000_0000ul : 0;
        return (uint)state.General[6] + CaseAddresses.SegmentBase(instruction) >= CaseLayout.DataPages;
    }

    /// <summary>Makes the memory operand's address one of <see cref="Address()"/>: through a base register, or in the displacement's bytes.</summary>
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
        if (GatherShape.Of(instruction) is { } gather)
            return _vectors.TryPlaceGather(instruction, gather, state);
        ulong wanted = Address(instruction) - CaseAddresses.SegmentBase(instruction);
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
                state.General[bit] = (ulong)random.Next(-600, 600);
            }

            ulong based = wanted - instruction.MemoryDisplacement64 - (index * (uint)instruction.MemoryIndexScale);
            state.General[place.GetFullRegister() - Register.RAX] = narrow ? (uint)based + ((ulong)(uint)random.Bits() << 32) : based;
            return !narrow || (wanted >> 32) == 0;
        }

        if (instruction.MemoryIndex != Register.None || wanted >> 31 != 0)
            return false;
        bytes.Decode(out ConstantOffsets offsets);
        if (offsets.DisplacementSize < 4)
            return false;
        if (instruction.MemoryIndexScale != 1 || instruction.Mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc)
            return false;
        if (instruction.IsIPRelativeMemoryOperand)
            wanted -= instruction.NextIP;
        Span<byte> displacement = bytes.Bytes[offsets.DisplacementOffset..];
        if (offsets.DisplacementSize == 8)
            BinaryPrimitives.WriteUInt64LittleEndian(displacement, wanted);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(displacement, (uint)wanted);
        instruction = bytes.Decode(out _);
        return true;
    }
}
