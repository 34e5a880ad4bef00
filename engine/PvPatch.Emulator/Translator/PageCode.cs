using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>The bytes of one page of 64-bit code as they are now, to be decoded at any address in it.</summary>
/// <param name="bytes">The page.</param>
/// <param name="firstRip">RIP of its first byte.</param>
/// <param name="sought">Where in the page execution arrived by a look-up.</param>
/// <param name="isHooked">Whether somebody wants to be called before the instruction at an address: then the interpreter executes it.</param>
internal sealed class PageCode(byte[] bytes, ulong firstRip, bool[] sought, Func<ulong, bool> isHooked)
{
    /// <summary>Bytes of a page.</summary>
    public const int Size = 0x1000;

    private readonly ByteArrayCodeReader _reader = new(bytes);
    private Decoder? _decoder;

    /// <summary>RIP of its first byte.</summary>
    public ulong FirstRip => firstRip;

    /// <summary>Whether execution arrived at an offset by a look-up: it may be the target of an indirect branch.</summary>
    public bool IsSought(int offset) => sought[offset];

    /// <summary>Where an address lies in its page.</summary>
    public static int OffsetOf(ulong rip) => (int)(rip & (Size - 1));

    /// <summary>Whether an address lies in the page.</summary>
    public bool Has(ulong rip) => rip - firstRip < Size;

    /// <summary>The bytes of an instruction of the page.</summary>
    public ReadOnlySpan<byte> Bytes(in Instruction instruction) => bytes.AsSpan((int)(instruction.IP - firstRip), instruction.Length);

    /// <summary>The instruction at an address; false if it is not all in the page, is none, or is hooked.</summary>
    public bool TryDecode(ulong rip, out Instruction instruction)
    {
        instruction = default;
        if (!Has(rip) || isHooked(rip))
            return false;
        _decoder ??= Decoder.Create(64, _reader);
        _reader.Position = (int)(rip - firstRip);
        _decoder.IP = rip;
        _decoder.Decode(out instruction);
        return !instruction.IsInvalid;
    }
}
