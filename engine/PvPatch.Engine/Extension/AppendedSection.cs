using System.Buffers.Binary;
using System.Reflection.PortableExecutable;

namespace PvPatch.Engine.Extension;

/// <summary>
/// A section put behind those of an image, for what found no room where it was. All else keeps its address, and, except
/// that the headers may need room for one more, its place in the file (ECMA-335, partition II, 25).
/// </summary>
internal sealed class AppendedSection
{
    private const int SectionHeaderSize = 40, ExecutableCode = 0x60000020; // IMAGE_SCN_CNT_CODE, MEM_EXECUTE, MEM_READ: as .text

    private readonly PEHeaders _headers;
    private readonly byte[] _image;
    private readonly int _shift;
    private readonly List<byte> _content = [];

    /// <summary>Makes the section, empty.</summary>
    /// <param name="image">Content of the image's file; it is not changed.</param>
    /// <param name="headers">Its headers.</param>
    /// <exception cref="InvalidDataException">The headers have no room for a section.</exception>
    public AppendedSection(byte[] image, PEHeaders headers)
    {
        _headers = headers;
        PEHeader header = _headers.PEHeader!;
        Address = AlignedTo(header.SectionAlignment, _headers.SectionHeaders.Max(s => s.VirtualAddress + Math.Max(s.VirtualSize, s.SizeOfRawData)));
        int free = _headers.SectionHeaders.Where(s => s.PointerToRawData > 0).Min(s => s.PointerToRawData) - SectionTableEnd;
        _shift = free >= SectionHeaderSize ? 0 : AlignedTo(header.FileAlignment, SectionHeaderSize);
        if (_shift > 0 && header.SizeOfHeaders + _shift > _headers.SectionHeaders.Min(s => s.VirtualAddress))
            throw new InvalidDataException("its headers have no room for one more section");
        _image = new byte[image.Length + _shift];
        image.AsSpan(0, SectionTableEnd).CopyTo(_image);
        image.AsSpan(SectionTableEnd).CopyTo(_image.AsSpan(SectionTableEnd + _shift));
    }

    /// <summary>Address that the section will have, from the start of the loaded image.</summary>
    public int Address { get; }

    private int SectionTableEnd => _headers.CoffHeaderStartOffset + 20 + _headers.CoffHeader.SizeOfOptionalHeader + (_headers.SectionHeaders.Length * SectionHeaderSize);

    /// <summary>Adds bytes.</summary>
    /// <returns>Their address, a multiple of four.</returns>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        while (_content.Count % 4 != 0)
            _content.Add(0);
        _content.AddRange(bytes);
        return Address + _content.Count - bytes.Length;
    }

    /// <summary>Overwrites bytes of the image as it was.</summary>
    /// <param name="offset">Where, in the file as it was.</param>
    /// <param name="bytes">What is there now.</param>
    public void Overwrite(int offset, ReadOnlySpan<byte> bytes) => bytes.CopyTo(_image.AsSpan(offset + _shift));

    /// <summary>Adds metadata, which take the place of those that the image has, and gives the whole image.</summary>
    public byte[] ToImage(byte[] metadata)
    {
        SetMetadata(Add(metadata), metadata.Length);
        SetHeaders();
        MoveDebugDirectory();
        var image = new byte[RawEnd + RawSize];
        _image.CopyTo(image, 0);
        _content.CopyTo(image, RawEnd);
        return image;
    }

    private int RawEnd => AlignedTo(_headers.PEHeader!.FileAlignment, _image.Length);

    private int RawSize => AlignedTo(_headers.PEHeader!.FileAlignment, _content.Count);

    /// <summary>The CLI header (25.3.3) points to the new metadata, and no longer claims a signature that does not fit.</summary>
    private void SetMetadata(int address, int size)
    {
        const int MetadataAt = 8, FlagsAt = 16;
        Span<byte> header = _image.AsSpan(_headers.CorHeaderStartOffset + _shift);
        BinaryPrimitives.WriteInt32LittleEndian(header[MetadataAt..], address);
        BinaryPrimitives.WriteInt32LittleEndian(header[(MetadataAt + 4)..], size);
        BinaryPrimitives.WriteInt32LittleEndian(header[FlagsAt..], (int)(_headers.CorHeader!.Flags & ~CorFlags.StrongNameSigned));
    }

    private void SetHeaders()
    {
        const int SectionCountAt = 2, SymbolTableAt = 8;
        const int CodeSizeAt = 4, ImageSizeAt = 56, HeadersSizeAt = 60, ChecksumAt = 64, SecurityEntry = 4;
        Span<byte> coff = _image.AsSpan(_headers.CoffHeaderStartOffset);
        BinaryPrimitives.WriteInt16LittleEndian(coff[SectionCountAt..], (short)(_headers.SectionHeaders.Length + 1));
        if (_headers.CoffHeader.PointerToSymbolTable > 0)
            BinaryPrimitives.WriteInt32LittleEndian(coff[SymbolTableAt..], _headers.CoffHeader.PointerToSymbolTable + _shift);

        PEHeader header = _headers.PEHeader!;
        Span<byte> optional = _image.AsSpan(_headers.PEHeaderStartOffset);
        BinaryPrimitives.WriteInt32LittleEndian(optional[CodeSizeAt..], header.SizeOfCode + RawSize);
        BinaryPrimitives.WriteInt32LittleEndian(optional[ImageSizeAt..], AlignedTo(header.SectionAlignment, Address + _content.Count));
        BinaryPrimitives.WriteInt32LittleEndian(optional[HeadersSizeAt..], header.SizeOfHeaders + _shift);
        BinaryPrimitives.WriteInt32LittleEndian(optional[ChecksumAt..], 0);
        int directories = header.Magic == PEMagic.PE32Plus ? 112 : 96;
        optional.Slice(directories + (8 * SecurityEntry), 8).Clear(); // it signs other bytes

        for (int i = 0; i < _headers.SectionHeaders.Length; i++)
        {
            const int RawPointerAt = 20;
            Span<byte> section = _image.AsSpan(SectionTableEnd - ((_headers.SectionHeaders.Length - i) * SectionHeaderSize));
            if (_headers.SectionHeaders[i].PointerToRawData > 0)
                BinaryPrimitives.WriteInt32LittleEndian(section[RawPointerAt..], _headers.SectionHeaders[i].PointerToRawData + _shift);
        }

        Span<byte> own = _image.AsSpan(SectionTableEnd, SectionHeaderSize);
        own.Clear();
        ".pvpatch"u8.CopyTo(own);
        BinaryPrimitives.WriteInt32LittleEndian(own[8..], _content.Count);
        BinaryPrimitives.WriteInt32LittleEndian(own[12..], Address);
        BinaryPrimitives.WriteInt32LittleEndian(own[16..], RawSize);
        BinaryPrimitives.WriteInt32LittleEndian(own[20..], RawEnd);
        BinaryPrimitives.WriteInt32LittleEndian(own[36..], ExecutableCode);
    }

    /// <summary>Debug data are also found by their place in the file (PE format, "Debug Directory").</summary>
    private void MoveDebugDirectory()
    {
        const int EntrySize = 28, RawPointerAt = 24;
        if (_shift == 0 || !_headers.TryGetDirectoryOffset(_headers.PEHeader!.DebugTableDirectory, out int start))
            return;
        for (int entry = 0; entry + EntrySize <= _headers.PEHeader.DebugTableDirectory.Size; entry += EntrySize)
        {
            Span<byte> pointer = _image.AsSpan(start + _shift + entry + RawPointerAt, 4);
            if (BinaryPrimitives.ReadInt32LittleEndian(pointer) is > 0 and var raw)
                BinaryPrimitives.WriteInt32LittleEndian(pointer, raw + _shift);
        }
    }

    private static int AlignedTo(int alignment, int value) => alignment > 0 ? checked((value + alignment - 1) / alignment * alignment) : value;
}
