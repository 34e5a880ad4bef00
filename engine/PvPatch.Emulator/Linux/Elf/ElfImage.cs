using System.Buffers.Binary;

namespace PvPatch.Emulator.Linux.Elf;

/// <summary>
/// A static x86-64 program in ELF form (System V ABI, generic part, chapters 4 and 5, and its AMD64 supplement). What has
/// been read is consistent: segments lie inside the file and inside the user's addresses, in order, a page apart or more.
/// </summary>
public sealed class ElfImage
{
    /// <summary>The least address a segment may have, as Linux's <c>vm.mmap_min_addr</c> has it by default.</summary>
    public const ulong LeastAddress = 0x1_0000;

    /// <summary>Segments end below this address; above it lie the program's mappings and its stack.</summary>
    public const ulong AddressLimit = 0x7000_0000_0000;

    /// <summary>Where a position-independent program is put.</summary>
    public const ulong PositionIndependentBase = 0x5555_5555_4000;

    /// <summary>Bytes of a program header.</summary>
    public const int ProgramHeaderSize = 56;

    private const int HeaderSize = 64;
    private const int MostProgramHeaders = 1024;
    private const ulong PageMask = 0xfff;
    private const ushort TypeProgram = 2;
    private const ushort TypeShared = 3;
    private const ushort MachineX64 = 62;
    private const byte SystemV = 0;
    private const byte SystemGnu = 3;
    private const uint Load = 1;
    private const uint Interpreter = 3;
    private const uint GnuStack = 0x6474_e551;
    private const uint FlagExecute = 1;
    private const uint FlagWrite = 2;
    private const uint FlagRead = 4;

    private readonly byte[] _file;
    private readonly List<ElfSegment> _segments = [];

    private ElfImage(byte[] file) => _file = file;

    /// <summary>The segments, by address.</summary>
    public IReadOnlyList<ElfSegment> Segments => _segments;

    /// <summary>Where the program starts, before it is moved.</summary>
    public ulong Entry { get; private set; }

    /// <summary>The program may be loaded at any address.</summary>
    public bool PositionIndependent { get; private set; }

    /// <summary>The program asks for a stack that may be executed.</summary>
    public bool ExecutableStack { get; private set; }

    /// <summary>Where the program headers are in memory, before it is moved; 0 if no segment has them.</summary>
    public ulong ProgramHeaders { get; private set; }

    /// <summary>How many program headers there are.</summary>
    public int ProgramHeaderCount { get; private set; }

    /// <summary>Reads a program.</summary>
    /// <param name="file">The file's bytes; they must not change any more.</param>
    /// <exception cref="ElfException">It is none that can be loaded.</exception>
    public static ElfImage Read(byte[] file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var image = new ElfImage(file);
        image.CheckIdentity();
        image.ReadHeader();
        image.CheckOrder();
        image.CheckEntry();
        return image;
    }

    /// <summary>The address of a symbol when the program is loaded; null if it has none of that name.</summary>
    public ulong? AddressOf(string symbol) =>
        new ElfSymbols(_file).Find(symbol) is { } value ? value + (PositionIndependent ? PositionIndependentBase : 0) : null;

    /// <summary>The bytes that the file has for a segment.</summary>
    public ReadOnlySpan<byte> BytesOf(ElfSegment segment) => _file.AsSpan((int)segment.FileOffset, (int)segment.FileSize);

    private void CheckIdentity()
    {
        ReadOnlySpan<byte> file = _file;
        if (file.Length < 4 || !file[..4].SequenceEqual("\u007fELF"u8))
            throw new ElfException(ElfError.NotElf, "it is no ELF file");
        if (file.Length < HeaderSize)
            throw new ElfException(ElfError.Truncated, $"its {file.Length} bytes are less than an ELF header");
        if (file[4] != 2)
            throw new ElfException(ElfError.WrongClass, file[4] == 1 ? "it is a 32-bit program" : $"its class is {file[4]}, not 64-bit");
        if (file[5] != 1)
            throw new ElfException(ElfError.WrongByteOrder, file[5] == 2 ? "it is big-endian" : $"its byte order is {file[5]}, not little-endian");
        if (file[6] != 1 || U32(20) != 1)
            throw new ElfException(ElfError.WrongVersion, $"its ELF version is {(file[6] != 1 ? file[6] : U32(20))}, not 1");
        if (file[7] is not (SystemV or SystemGnu))
            throw new ElfException(ElfError.WrongSystem, $"it is made for the operating system with ELF's number {file[7]}, not for Linux");
    }

    private void ReadHeader()
    {
        ushort machine = U16(18);
        if (machine != MachineX64)
            throw new ElfException(ElfError.WrongMachine, $"it is made for {MachineName(machine)}, not for x86-64");
        ushort type = U16(16);
        if (type is not (TypeProgram or TypeShared))
            throw new ElfException(ElfError.WrongType, $"it is {TypeName(type)}, no program");
        PositionIndependent = type == TypeShared;
        Entry = U64(24);
        ulong table = U64(32);
        ushort size = U16(54);
        ProgramHeaderCount = U16(56);
        if (size != ProgramHeaderSize)
            throw new ElfException(ElfError.BadProgramHeaders, $"its program headers have {size} bytes, not {ProgramHeaderSize}");
        if (ProgramHeaderCount is 0 or > MostProgramHeaders)
            throw new ElfException(ElfError.BadProgramHeaders, $"it has {ProgramHeaderCount} program headers, not 1 to {MostProgramHeaders}");
        ulong bytes = (ulong)ProgramHeaderCount * ProgramHeaderSize;
        if (!IsInFile(table, bytes))
            throw Truncated("program headers", table, bytes);
        for (int i = 0; i < ProgramHeaderCount; i++)
            ReadProgramHeader(i, (int)table + (i * ProgramHeaderSize));
        foreach (ElfSegment segment in _segments)
        {
            if (table >= segment.FileOffset && table - segment.FileOffset + bytes <= segment.FileSize)
                ProgramHeaders = segment.Address + (table - segment.FileOffset);
        }
    }

    private void ReadProgramHeader(int number, int place)
    {
        uint flags = U32(place + 4);
        switch (U32(place))
        {
            case Interpreter:
                throw new ElfException(ElfError.Dynamic, "it is linked dynamically; only static programs can be run");
            case GnuStack:
                ExecutableStack = (flags & FlagExecute) != 0;
                break;
            case Load when U64(place + 40) != 0:
                ReadSegment(number, place, flags);
                break;
        }
    }

    private void ReadSegment(int number, int place, uint flags)
    {
        var segment = new ElfSegment(
            U64(place + 16), U64(place + 40), U64(place + 8), U64(place + 32),
            (flags & FlagRead) != 0, (flags & FlagWrite) != 0, (flags & FlagExecute) != 0);
        if (segment.FileSize > segment.MemorySize)
            throw new ElfException(ElfError.BadSegment, $"segment {number} has more bytes in the file, 0x{segment.FileSize:x}, than in memory, 0x{segment.MemorySize:x}");
        if (!IsInFile(segment.FileOffset, segment.FileSize))
            throw Truncated($"segment {number}", segment.FileOffset, segment.FileSize);
        if (((segment.Address ^ segment.FileOffset) & PageMask) != 0)
            throw new ElfException(ElfError.BadSegment, $"segment {number} is at 0x{segment.FileOffset:x} in the file and 0x{segment.Address:x} in memory, which differ within a page");
        ulong least = PositionIndependent ? 0 : LeastAddress;
        ulong limit = PositionIndependent ? AddressLimit - PositionIndependentBase : AddressLimit;
        if (segment.Address < least || segment.Address >= limit || segment.MemorySize > limit - segment.Address)
            throw new ElfException(ElfError.SegmentOutOfRange, $"segment {number}, 0x{segment.MemorySize:x} bytes at 0x{segment.Address:x}, is not between 0x{least:x} and 0x{limit:x}");
        _segments.Add(segment);
    }

    private void CheckOrder()
    {
        if (_segments.Count == 0)
            throw new ElfException(ElfError.NothingToLoad, "it has no segment to load");
        for (int i = 1; i < _segments.Count; i++)
        {
            if ((_segments[i].Address & ~PageMask) < ((_segments[i - 1].End + PageMask) & ~PageMask))
                throw new ElfException(ElfError.OverlappingSegments, $"the segment at 0x{_segments[i].Address:x} is not a page above the one at 0x{_segments[i - 1].Address:x}");
        }
    }

    private void CheckEntry()
    {
        if (!_segments.Exists(segment => segment.Executable && Entry >= segment.Address && Entry < segment.End))
            throw new ElfException(ElfError.BadEntry, $"its entry point 0x{Entry:x} is in no executable segment");
    }

    private bool IsInFile(ulong offset, ulong size) => offset <= (ulong)_file.Length && size <= (ulong)_file.Length - offset;

    private ElfException Truncated(string what, ulong offset, ulong size) =>
        new(ElfError.Truncated, $"its {what}, 0x{size:x} bytes at 0x{offset:x}, would be beyond its end at 0x{_file.Length:x}");

    private ushort U16(int place) => BinaryPrimitives.ReadUInt16LittleEndian(_file.AsSpan(place));

    private uint U32(int place) => BinaryPrimitives.ReadUInt32LittleEndian(_file.AsSpan(place));

    private ulong U64(int place) => BinaryPrimitives.ReadUInt64LittleEndian(_file.AsSpan(place));

    private static string MachineName(ushort machine) => machine switch
    {
        3 => "32-bit x86",
        8 => "MIPS",
        20 => "32-bit PowerPC",
        21 => "PowerPC",
        22 => "S/390",
        40 => "32-bit ARM",
        183 => "AArch64",
        243 => "RISC-V",
        258 => "LoongArch",
        _ => $"the machine with ELF's number {machine}",
    };

    private static string TypeName(ushort type) => type switch
    {
        1 => "an object file",
        4 => "a core dump",
        _ => $"of type {type}",
    };
}
