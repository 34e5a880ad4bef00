using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>
/// A program's addresses: what is mapped, and the page tables below it. A page gets its frame at its first access, so that
/// large mappings cost nothing until they are used.
/// </summary>
internal sealed unsafe class AddressSpace
{
    /// <summary>Bytes in a page.</summary>
    public const ulong PageSize = PhysicalMemory.PageSize;

    /// <summary>The address behind the last one that a program can have.</summary>
    public const ulong End = 0x7fff_ffff_f000;

    /// <summary>The most bytes of stack, as Linux's RLIMIT_STACK has it by default.</summary>
    public const ulong StackSize = 8 << 20;

    /// <summary>The stack's lowest address.</summary>
    public const ulong StackBottom = End - StackSize;

    /// <summary>Mappings without an address lie below this one; between it and the stack nothing is ever mapped.</summary>
    public const ulong MappingLimit = StackBottom - StackGuard;

    /// <summary>Bytes below the stack in which an access is an overflow of it.</summary>
    public const ulong StackGuard = 1 << 20;

    private readonly CpuState* _cpu;
    private readonly PhysicalMemory _memory;
    private readonly FrameAllocator _frames;
    private readonly UserPages _pages;
    private readonly RegionList _regions = new();

    /// <summary>Makes an address space in which nothing is mapped.</summary>
    public AddressSpace(CpuState* cpu, PhysicalMemory memory)
    {
        _cpu = cpu;
        _memory = memory;
        _frames = new FrameAllocator(memory);
        _pages = new UserPages(cpu, memory, _frames);
    }

    /// <summary>How many pages got a frame.</summary>
    public ulong Populated { get; private set; }

    /// <summary>Bytes that frames are left for.</summary>
    public ulong FreeBytes => _frames.Free * PageSize;

    /// <summary>An address rounded down to a page.</summary>
    public static ulong PageOf(ulong address) => address & ~(PageSize - 1);

    /// <summary>An address rounded up to a page.</summary>
    public static ulong RoundUp(ulong address) => (address + PageSize - 1) & ~(PageSize - 1);

    /// <summary>Whether pages lie where a program may map them.</summary>
    public static bool IsUserRange(ulong start, ulong size) => start >= ElfImage.LeastAddress && start < End && size <= End - start;

    /// <summary>The rights of an address; null where nothing is mapped.</summary>
    public Protection? ProtectionOf(ulong address) => _regions.Find(address)?.Protection;

    /// <summary>Whether all of a range is mapped.</summary>
    public bool Covers(ulong start, ulong size) => _regions.Covers(start, start + size);

    /// <summary>Whether nothing of a range is mapped.</summary>
    public bool IsFree(ulong start, ulong size) => _regions.IsFree(start, start + size);

    /// <summary>The highest free range of a size; 0 if there is none.</summary>
    public ulong FindHole(ulong size) => _regions.FindHole(size, ElfImage.LeastAddress, MappingLimit);

    /// <summary>Maps zeros over whatever was there.</summary>
    public void Map(ulong start, ulong size, Protection protection)
    {
        Unmap(start, size);
        _regions.Add(new Region(start, start + size, protection));
    }

    /// <summary>Takes pages away.</summary>
    public void Unmap(ulong start, ulong size)
    {
        foreach (Region region in _regions.Remove(start, start + size))
        {
            foreach (ulong page in PagesOf(region))
                _frames.Give(Forget(page));
        }
    }

    /// <summary>Makes zeros of pages, all of which are mapped.</summary>
    public void Clear(ulong start, ulong size)
    {
        List<Region> regions = _regions.Remove(start, start + size);
        foreach (Region region in regions)
        {
            foreach (ulong page in PagesOf(region))
                _frames.Give(Forget(page));
            _regions.Add(region);
        }
    }

    /// <summary>Changes the rights of pages, all of which are mapped.</summary>
    public void Protect(ulong start, ulong size, Protection protection)
    {
        foreach (Region region in _regions.Remove(start, start + size))
        {
            foreach (ulong page in PagesOf(region))
                _pages.Protect(page, protection);
            _regions.Add(region with { Protection = protection });
        }
    }

    /// <summary>Moves pages to where nothing is mapped; false if there is no room for tables, and then some are moved.</summary>
    public bool TryMove(ulong start, ulong size, ulong target)
    {
        foreach (Region region in _regions.Remove(start, start + size))
        {
            ulong moved = target + (region.Start - start);
            _regions.Add(new Region(moved, moved + (region.End - region.Start), region.Protection));
            foreach (ulong page in PagesOf(region))
            {
                ulong frame = _pages.Unmap(page);
                if (!_pages.TryMap(target + (page - start), frame, region.Protection))
                    return false;
            }
        }

        return true;
    }

    /// <summary>Gives the page of an address its frame, if the access is allowed.</summary>
    public Population Populate(ulong address, Protection access)
    {
        if (_regions.Find(address) is not { } region)
            return Population.NotMapped;
        Protection granted = region.Protection;
        if ((granted & (Protection.Write | Protection.Execute)) != Protection.None)
            granted |= Protection.Read;
        if ((granted & access) != access)
            return Population.Forbidden;
        ulong page = PageOf(address);
        if (_pages.FrameOf(page) != 0)
            return Population.Done;
        ulong frame = _frames.Take();
        if (frame == 0)
            return Population.NoMemory;
        if (!_pages.TryMap(page, frame, region.Protection))
        {
            _frames.Give(frame);
            return Population.NoMemory;
        }

        // The frame may have held another page's code.
        CodePages.Written(_cpu, frame, PageSize);
        Populated++;
        return Population.Done;
    }

    /// <summary>Whether a range may be accessed in a way; its pages have frames then.</summary>
    public bool TryReach(ulong address, ulong size, Protection access)
    {
        if (size == 0)
            return true;
        if (address >= End || size > End - address)
            return false;
        for (ulong page = PageOf(address); page < address + size; page += PageSize)
        {
            if (Populate(page, access) != Population.Done)
                return false;
        }

        return true;
    }

    /// <summary>The bytes of guest RAM from an address to the end of its page, at most <paramref name="size"/>.</summary>
    /// <remarks><see cref="TryReach"/> has found the address before.</remarks>
    public Span<byte> BytesAt(ulong address, int size)
    {
        int inPage = (int)(PageSize - (address & (PageSize - 1)));
        return _memory.Span(_pages.FrameOf(PageOf(address)) + (address & (PageSize - 1)), Math.Min(size, inPage));
    }

    /// <summary>Bytes were written through <see cref="BytesAt"/>: code that was decoded from them is stale.</summary>
    public void NoteWritten(ulong address, int size) =>
        CodePages.Written(_cpu, _pages.FrameOf(PageOf(address)) + (address & (PageSize - 1)), (ulong)size);

    /// <summary>Reads bytes as the program could.</summary>
    public bool TryRead(ulong address, Span<byte> target)
    {
        if (!TryReach(address, (ulong)target.Length, Protection.Read))
            return false;
        while (target.Length > 0)
        {
            Span<byte> piece = BytesAt(address, target.Length);
            piece.CopyTo(target);
            target = target[piece.Length..];
            address += (ulong)piece.Length;
        }

        return true;
    }

    /// <summary>Writes bytes where the program could.</summary>
    public bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        if (!TryReach(address, (ulong)source.Length, Protection.Write))
            return false;
        Copy(address, source);
        return true;
    }

    /// <summary>Writes bytes of a program's image, whatever its rights; false if there is no room.</summary>
    public bool TryLoad(ulong address, ReadOnlySpan<byte> source)
    {
        if (!TryReach(address, (ulong)source.Length, Protection.None))
            return false;
        Copy(address, source);
        return true;
    }

    private void Copy(ulong address, ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            Span<byte> piece = BytesAt(address, source.Length);
            source[..piece.Length].CopyTo(piece);
            NoteWritten(address, piece.Length);
            source = source[piece.Length..];
            address += (ulong)piece.Length;
        }
    }

    private ulong Forget(ulong page)
    {
        Populated--;
        return _pages.Unmap(page);
    }

    /// <summary>The pages of a region that have frames.</summary>
    private IEnumerable<ulong> PagesOf(Region region)
    {
        ulong page = region.Start;
        while (page < region.End)
        {
            if (_pages.FrameOf(page) != 0)
            {
                yield return page;
                page += PageSize;
            }
            else
            {
                page = _pages.EndOfHole(page) + 1;
            }
        }
    }
}
