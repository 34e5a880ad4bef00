using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// The 64-bit code that a region may be made of, as it is now: the page that is translated, and others when they are asked for. Each
/// address in it has a place, a number below <see cref="Places"/>.
/// </summary>
internal sealed class RegionCode : CodeReader
{
    /// <summary>Pages of a region.</summary>
    public const int MostPages = 8;

    /// <summary>Places that there are at most.</summary>
    public const int Places = MostPages * PageCode.Size;

    private const int MostMissing = 32;

    private readonly PageCode[] _pages = new PageCode[MostPages];
    private readonly ulong[] _missing = new ulong[MostMissing];
    private readonly Func<ulong, bool> _isHooked;
    private readonly Decoder _decoder;
    private Func<ulong, PageCode?>? _find;
    private int _count;
    private int _missingCount;
    private ulong _next;

    /// <summary>Takes the first page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="find">Finds another page by its first address; null if its code cannot be told.</param>
    /// <param name="isHooked">Whether somebody wants to be called before the instruction at an address: then the interpreter executes it.</param>
    public RegionCode(PageCode page, Func<ulong, PageCode?> find, Func<ulong, bool> isHooked)
    {
        _pages[_count++] = page;
        _find = find;
        _isHooked = isHooked;
        _decoder = Decoder.Create(64, this);
    }

    /// <summary>How many pages there are.</summary>
    public int PageCount => _count;

    /// <summary>A page, in the order in which they were asked for.</summary>
    public PageCode Page(int index) => _pages[index];

    /// <summary>The pages in the order of their addresses.</summary>
    public int[] PagesByAddress()
    {
        int[] order = new int[_count];
        for (int i = 0; i < _count; i++)
        {
            int place = i;
            for (; place > 0 && _pages[order[place - 1]].FirstRip > _pages[i].FirstRip; place--)
                order[place] = order[place - 1];
            order[place] = i;
        }

        return order;
    }

    /// <summary>Asks for no more pages; from now on any thread may use it.</summary>
    public void Close() => _find = null;

    /// <summary>The place of an address, -1 if it is in no page of the code.</summary>
    public int PlaceOf(ulong rip)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_pages[i].Has(rip))
                return (i * PageCode.Size) + PageCode.OffsetOf(rip);
        }

        return TryAdd(rip - (uint)PageCode.OffsetOf(rip)) ? ((_count - 1) * PageCode.Size) + PageCode.OffsetOf(rip) : -1;
    }

    /// <summary>The page of an address that has a place.</summary>
    public PageCode PageOf(ulong rip) => _pages[PlaceOf(rip) / PageCode.Size];

    /// <summary>The instruction at an address; false if it is not all in the code, is none, is hooked, or execution was never near it.</summary>
    public bool TryDecode(ulong rip, out Instruction instruction)
    {
        instruction = default;
        if (PlaceOf(rip) is var place && (place < 0 || !_pages[place / PageCode.Size].IsKnown(place % PageCode.Size) || _isHooked(rip)))
            return false;
        _next = rip;
        _decoder.IP = rip;
        _decoder.Decode(out instruction);
        return !instruction.IsInvalid;
    }

    /// <summary>The bytes of an instruction of the code.</summary>
    public byte[] Bytes(in Instruction instruction)
    {
        byte[] bytes = new byte[instruction.Length];
        _next = instruction.IP;
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)ReadByte();
        return bytes;
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        int place = PlaceOf(_next);
        if (place < 0)
            return -1;
        _next++;
        return _pages[place / PageCode.Size].Bytes[place % PageCode.Size];
    }

    private bool TryAdd(ulong firstRip)
    {
        if (_find == null || _count == MostPages || _missingCount == MostMissing || Array.IndexOf(_missing, firstRip, 0, _missingCount) >= 0)
            return false;
        if (_find(firstRip) is { } page)
        {
            _pages[_count++] = page;
            return true;
        }

        _missing[_missingCount++] = firstRip;
        return false;
    }
}
