using Iced.Intel;
using PvPatch.Oracle.Cases;

namespace PvPatch.Oracle.Judgement;

/// <summary>
/// Compares gathers that fault. They fault for the lowest element that does, with all below it done. From there on a processor may do
/// more (Intel SDM vol. 2, VPGATHERDD): load elements that lie higher, extend the signs of masks, clear what is beyond the vector.
/// AMD's processors were seen to do nothing of it, so what a host leaves as it was is compared.
/// </summary>
internal static class GatherComparison
{
    /// <summary>Makes equal what the host changed in destination and mask from the element that faults on.</summary>
    public static void HideOpenElements(MachineCase given, in Instruction instruction, MachineCase host, MachineCase emulated)
    {
        if (GatherShape.Of(instruction) is not { } gather || host.Vector == 3 || emulated.Vector == 3)
            return;
        int first = 0;
        while (first < gather.Count && !Faults(given, instruction, gather, first))
            first++;
        for (int i = first; i < 32 / gather.Size; i++)
        {
            foreach (Register register in (ReadOnlySpan<Register>)[gather.Destination, gather.Mask])
            {
                Span<byte> there = host.Element(register, i, gather.Size);
                if (!there.SequenceEqual(given.Element(register, i, gather.Size)))
                    there.CopyTo(emulated.Element(register, i, gather.Size));
            }
        }
    }

    private static bool Faults(MachineCase given, in Instruction instruction, GatherShape gather, int element)
    {
        ulong address = CaseAddresses.Effective(instruction, given, element);
        return gather.Asks(given, element) &&
            !Lies(address, gather.Size, CaseLayout.DataPages, CaseLayout.DataSize) && !Lies(address, gather.Size, CaseLayout.CodePage, 0x1000);
    }

    private static bool Lies(ulong address, int size, ulong place, ulong placeSize) => address >= place && address - place <= placeSize - (ulong)size;
}
