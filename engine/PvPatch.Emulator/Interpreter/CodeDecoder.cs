using Iced.Intel;
using PvPatch.Emulator.Instructions;

namespace PvPatch.Emulator.Interpreter;

/// <summary>Decodes bytes of the host as code of any width.</summary>
internal sealed unsafe class CodeDecoder : CodeReader
{
    /// <summary>Bytes that an instruction may have.</summary>
    public const int LongestInstruction = 15;

    private readonly Decoder _decoder64;
    private readonly Decoder _decoder32;
    private readonly Decoder _decoder16;
    private byte* _next;
    private int _left;

    public CodeDecoder()
    {
        _decoder64 = Decoder.Create(64, this);
        _decoder32 = Decoder.Create(32, this);
        _decoder16 = Decoder.Create(16, this);
    }

    /// <summary>The decoder of a width, at the first of some bytes; behind the last one it finds <see cref="DecoderError.NoMoreBytes"/>.</summary>
    public Decoder Start(byte* bytes, int count, ulong rip, Marks width)
    {
        _next = bytes;
        _left = count;
        Decoder decoder = width switch
        {
            Marks.Code64 => _decoder64,
            Marks.Code32 => _decoder32,
            _ => _decoder16,
        };
        decoder.IP = rip;
        return decoder;
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        if (_left == 0)
            return -1;
        _left--;
        // SAFETY: Start was given left more bytes.
        return *_next++;
    }
}
