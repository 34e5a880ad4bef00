using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>One page of 64-bit code as it is now.</summary>
/// <param name="bytes">The page.</param>
/// <param name="firstRip">RIP of its first byte.</param>
/// <param name="sought">Where in the page indirect jumps and calls led.</param>
/// <param name="decoded">Where in it the instructions start that the interpreter decoded, since it came near them; null where that is all the same.</param>
/// <param name="translated">Where in it the instructions start that a region has already.</param>
/// <param name="fetchedIn">In which <c>FetchEpoch</c> a fetch led to this page at this address; lives as long as regions of the page do.</param>
internal sealed unsafe class PageCode(byte[] bytes, ulong firstRip, bool[] sought, bool[]? decoded, bool[] translated, ulong* fetchedIn)
{
    /// <summary>Bytes of a page.</summary>
    public const int Size = 0x1000;

    /// <summary>The page.</summary>
    public byte[] Bytes => bytes;

    /// <summary>RIP of its first byte.</summary>
    public ulong FirstRip => firstRip;

    /// <summary>In which <c>FetchEpoch</c> a fetch led to this page at this address.</summary>
    public ulong* FetchedIn => fetchedIn;

    /// <summary>Whether an indirect jump or call led to an offset.</summary>
    public bool IsSought(int offset) => sought[offset];

    /// <summary>Whether the instruction at an offset may be part of a region: execution was at or near it.</summary>
    public bool IsKnown(int offset) => decoded == null || decoded[offset];

    /// <summary>Whether a region has the instruction at an offset already.</summary>
    public bool IsTranslated(int offset) => translated[offset];

    /// <summary>Whether an address lies in the page.</summary>
    public bool Has(ulong rip) => rip - firstRip < Size;

    /// <summary>Where an address lies in its page.</summary>
    public static int OffsetOf(ulong rip) => (int)(rip & (Size - 1));

    /// <summary>Whether two addresses lie in one page.</summary>
    public static bool AreTogether(ulong one, ulong other) => (one ^ other) < Size;

    /// <summary>Whether the bytes of an instruction lie in two pages.</summary>
    public static bool Straddles(in Instruction instruction) => !AreTogether(instruction.IP, LastByte(instruction));

    /// <summary>The address of the last byte of an instruction: when it is executed, control was in that byte's page.</summary>
    public static ulong LastByte(in Instruction instruction) => instruction.NextIP - 1;
}
