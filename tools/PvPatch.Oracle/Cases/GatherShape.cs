using Iced.Intel;

namespace PvPatch.Oracle.Cases;

/// <summary>What a gather (VPGATHERDD and its kind) is made of: elements of memory that a vector of indices names and a mask chooses.</summary>
/// <param name="Count">How many elements.</param>
/// <param name="Size">Bytes of an element and of its mask.</param>
/// <param name="IndexSize">Bytes of an index.</param>
/// <param name="Destination">The register that takes the elements.</param>
/// <param name="Index">The register of indices.</param>
/// <param name="Mask">The register of masks.</param>
internal readonly record struct GatherShape(int Count, int Size, int IndexSize, Register Destination, Register Index, Register Mask)
{
    /// <summary>That of an instruction; null if it is no gather.</summary>
    public static GatherShape? Of(in Instruction instruction)
    {
        if (!instruction.IsVsib)
            return null;
        int size = instruction.MemorySize.GetElementSize();
        int indexSize = instruction.IsVsib64 ? 8 : 4;
        int count = Math.Min(instruction.Op0Register.GetSize() / size, instruction.MemoryIndex.GetSize() / indexSize);
        return new GatherShape(count, size, indexSize, instruction.Op0Register, instruction.MemoryIndex, instruction.Op2Register);
    }

    /// <summary>Whether the mask asks for an element.</summary>
    public bool Asks(MachineCase state, int element) => state.Element(Mask, element, Size)[Size - 1] > 0x7f;
}
