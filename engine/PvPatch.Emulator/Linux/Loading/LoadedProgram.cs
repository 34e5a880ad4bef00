using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Spaces;

namespace PvPatch.Emulator.Linux.Loading;

/// <summary>A program in memory, before its first instruction.</summary>
/// <param name="Entry">RIP.</param>
/// <param name="Stack">RSP.</param>
/// <param name="Heap">Where its heap starts.</param>
internal readonly record struct LoadedProgram(ulong Entry, ulong Stack, ulong Heap)
{
    /// <summary>Loads a program into addresses in which nothing is mapped.</summary>
    /// <param name="space">The addresses.</param>
    /// <param name="image">The program.</param>
    /// <param name="start">Its file, arguments and environment.</param>
    /// <param name="owner">The user's and the group's number.</param>
    /// <exception cref="ElfException">It does not fit.</exception>
    public static LoadedProgram Load(AddressSpace space, ElfImage image, ProgramStart start, (uint User, uint Group) owner)
    {
        ulong slide = image.PositionIndependent ? ElfImage.PositionIndependentBase : 0;
        foreach (ElfSegment segment in image.Segments)
            Load(space, image, segment, slide);
        Protection stack = Protection.Read | Protection.Write | (image.ExecutableStack ? Protection.Execute : Protection.None);
        space.Map(AddressSpace.StackBottom, AddressSpace.StackSize, stack);
        ulong top = InitialStack.Fill(space, image, slide, start, owner);
        return new LoadedProgram(image.Entry + slide, top, AddressSpace.RoundUp(image.Segments[^1].End + slide));
    }

    private static void Load(AddressSpace space, ElfImage image, ElfSegment segment, ulong slide)
    {
        Protection protection = (segment.Readable ? Protection.Read : Protection.None) |
            (segment.Writable ? Protection.Write : Protection.None) |
            (segment.Executable ? Protection.Execute : Protection.None);
        ulong first = AddressSpace.PageOf(segment.Address + slide);
        space.Map(first, AddressSpace.RoundUp(segment.End + slide) - first, protection);
        if (!space.TryLoad(segment.Address + slide, image.BytesOf(segment)))
            throw new ElfException(ElfError.NoRoom, "its segments do not fit into the memory that it was given");
    }
}
