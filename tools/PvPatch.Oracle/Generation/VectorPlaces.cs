using System.Buffers.Binary;
using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Generation;

/// <summary>Masks of moves that leave elements out, and indices of gathers, whose elements are made to lie in the case's pages.</summary>
internal sealed class VectorPlaces(CaseRandom random)
{
    /// <summary>Elements do not begin so near the end of a window, that none which shall lie in it leaves it.</summary>
    private const int Margin = 16;

    /// <summary>Whether an instruction moves only the elements that a mask chooses: the others don't fault.</summary>
    public static bool IsMaskedMove(in Instruction instruction) =>
        instruction.Mnemonic is Mnemonic.Vmaskmovps or Mnemonic.Vmaskmovpd or Mnemonic.Vpmaskmovd or Mnemonic.Vpmaskmovq;

    /// <summary>An operand across an end of what is mapped.</summary>
    public ulong AddressAtEnd()
    {
        ulong end = random.Chance(50) ? CaseLayout.DataPages : CaseLayout.DataPages + CaseLayout.DataSize;
        return end - (ulong)random.Next(1, 32);
    }

    /// <summary>Sets the mask of a masked move.</summary>
    public void PlaceMask(in Instruction instruction, MachineCase state)
    {
        int size = instruction.Mnemonic is Mnemonic.Vmaskmovps or Mnemonic.Vpmaskmovd ? 4 : 8;
        FillMask(state, instruction.Op1Register, size);
    }

    /// <summary>Sets base, indices and mask of a gather; false if this encoding can't reach the windows.</summary>
    public bool TryPlaceGather(in Instruction instruction, GatherShape gather, MachineCase state)
    {
        FillMask(state, gather.Mask, gather.Size);
        ulong segment = CaseAddresses.SegmentBase(instruction);
        ulong origin = instruction.MemoryDisplacement64;
        bool narrow = instruction.MemoryBase.GetSize() == 4 || instruction.MemoryDisplSize == 4;
        if (instruction.MemoryBase != Register.None)
        {
            ulong wanted = CaseLayout.Windows[0].Address + 0x200 + (ulong)random.Next(16) - segment;
            state.General[instruction.MemoryBase.GetFullRegister() - Register.RAX] = wanted - origin;
            origin = wanted;
        }

        int wild = random.Chance(35) ? random.Next(gather.Count) : -1;
        for (int i = 0; i < gather.Count; i++)
        {
            ulong wanted = (i == wild ? WildAddress() : Address()) - segment - origin;
            long distance = narrow ? (int)wanted : (long)wanted;
            long index = distance / instruction.MemoryIndexScale;
            Span<byte> place = state.Element(gather.Index, i, gather.IndexSize);
            if (gather.IndexSize == 8)
                BinaryPrimitives.WriteInt64LittleEndian(place, index);
            else if ((int)index == index || i == wild)
                BinaryPrimitives.WriteInt32LittleEndian(place, (int)index);
            else
                return false;
        }

        return true;
    }

    private ulong Address()
    {
        CaseLayout.Window window = CaseLayout.Windows[random.Next(4) == 0 ? 1 : 0];
        return window.Address + (ulong)random.Next(Margin, window.Size - Margin);
    }

    /// <summary>An element at an end of what is mapped, beyond it, or anywhere.</summary>
    private ulong WildAddress() => random.Next(4) switch
    {
        0 => random.Bits(),
        1 => CaseLayout.DataPages + CaseLayout.DataSize + (ulong)random.Next(0x1000),
        2 => CaseLayout.DataPages + CaseLayout.DataSize - (ulong)random.Next(12),
        _ => CaseLayout.DataPages - (ulong)random.Next(12),
    };

    /// <summary>Only the signs of a mask's elements count: all set, some or none.</summary>
    private void FillMask(MachineCase state, Register register, int size)
    {
        int percent = random.Next(5) switch
        {
            0 => 100,
            1 => random.Next(10),
            _ => random.Next(20, 90),
        };
        for (int i = 0; i < register.GetSize() / size; i++)
        {
            ref byte highest = ref state.Element(register, i, size)[size - 1];
            highest = (byte)((highest & 0x7f) | (random.Chance(percent) ? 0x80 : 0));
        }
    }
}
