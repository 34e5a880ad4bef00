namespace PvPatch.Emulator.Linux.Elf;

/// <summary>A segment to be loaded (System V ABI, generic part, "Program Header").</summary>
/// <param name="Address">Where it begins in memory, before a position-independent program is moved.</param>
/// <param name="MemorySize">Bytes in memory; those behind the file's are zeros.</param>
/// <param name="FileOffset">Where its bytes begin in the file.</param>
/// <param name="FileSize">How many bytes the file has.</param>
/// <param name="Readable">It may be read.</param>
/// <param name="Writable">It may be written.</param>
/// <param name="Executable">It may be executed.</param>
public sealed record ElfSegment(
    ulong Address,
    ulong MemorySize,
    ulong FileOffset,
    ulong FileSize,
    bool Readable,
    bool Writable,
    bool Executable)
{
    /// <summary>The address behind its last byte.</summary>
    public ulong End => Address + MemorySize;
}
