namespace PvPatch.Emulator.Linux.Elf;

/// <summary>Every way in which a file is not a program that can be loaded: a word each, its sentence comes with the exception.</summary>
public enum ElfError
{
    /// <summary>The file does not begin with ELF's magic number.</summary>
    NotElf,

    /// <summary>The file ends before something that its headers tell of.</summary>
    Truncated,

    /// <summary>It is a 32-bit file, or of no class at all.</summary>
    WrongClass,

    /// <summary>Its numbers are big-endian, or of no known order.</summary>
    WrongByteOrder,

    /// <summary>It has another version of the format.</summary>
    WrongVersion,

    /// <summary>It is made for another operating system.</summary>
    WrongSystem,

    /// <summary>It is no program: an object file, a core dump.</summary>
    WrongType,

    /// <summary>It is made for another processor.</summary>
    WrongMachine,

    /// <summary>The program headers have a wrong size, or there are none or too many.</summary>
    BadProgramHeaders,

    /// <summary>It is linked dynamically: it asks for an interpreter.</summary>
    Dynamic,

    /// <summary>No segment is to be loaded.</summary>
    NothingToLoad,

    /// <summary>A segment has more bytes in the file than in memory, or its places do not agree within a page.</summary>
    BadSegment,

    /// <summary>A segment lies outside what a program may have.</summary>
    SegmentOutOfRange,

    /// <summary>Two segments share a page, or they are not in the order of their addresses.</summary>
    OverlappingSegments,

    /// <summary>The entry point lies in no executable segment.</summary>
    BadEntry,

    /// <summary>The segments, arguments or environment do not fit into the memory that the program was given.</summary>
    NoRoom,
}

/// <summary>A file that can't be loaded.</summary>
/// <param name="error">Which way it can't.</param>
/// <param name="sentence">What is wrong, for people.</param>
public sealed class ElfException(ElfError error, string sentence) : Exception(sentence)
{
    /// <summary>Which way it can't.</summary>
    public ElfError Error { get; } = error;
}
