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
    /// <param name="cpu">The CPU that will use it.</param>
    /// <param name="memory">Guest RAM.</param>
    /// <param name="frames">Where pages and tables come from.</param>
    public AddressSpace(CpuState* cpu, PhysicalMemory memory, FrameAllocator frames)
    {
        _cpu = cpu;
        _memory = memory;
        _frames = frames;
        _pages = new UserPages(cpu, memory, frames);
    }

    /// <summary>How many processes use it: more than one between vfork(2) and what ends it.</summary>
    public int Users { get; private set; } = 1;

    /// <summary>How many pages got a frame.</summary>
    public ulong Populated { get; private set; }

    /// <summary>Bytes that frames are left for.</summary>
    public ulong FreeBytes => _frames.Free * PageSize;

    /// <summary>Lets the CPU see these addresses.</summary>
    public void Enter() => _pages.Enter();

    /// <summary>One more process uses it.</summary>
    public AddressSpace Share()
    {
        Users++;
        return this;
    }

    /// <summary>One process less uses it; with the last one all memory is given back.</summary>
    public void Release()
    {
        if (--Users > 0)
            return;
        Unmap(0, End);
        if (_pages.IsThere)
            _pages.Release();
    }

    /// <summary>A copy, as fork(2) makes it: shared regions lead to the same frames; null if there is no room.</summary>
    public AddressSpace? Copy()
    {
        var copy = new AddressSpace(_cpu, _memory, _frames);
        if (copy._pages.IsThere && _regions.All.All(region => TryCopy(region, copy)))
            return copy;
        copy.Release();
        return null;
    }

    /// <summary>Where a byte lies in guest RAM, if its page has a frame; 0 if not.</summary>
    public ulong PhysicalOf(ulong address) => _pages.FrameOf(PageOf(address)) is not 0 and var frame ? frame | (address & (PageSize - 1)) : 0;

    /// <summary>An address rounded down to a page.</summary>
    public static ulong PageOf(ulong address) => address & ~(PageSize - 1);

    /// <summary>An address rounded up to a page.</summary>
    public static ulong RoundUp(ulong address) => (address + PageSize - 1) & ~(PageSize - 1);

    /// <summary>Whether pages lie where a program may map them.</summary>
    public static bool IsUserRange(ulong start, ulong size) => start >= ElfImage.LeastAddress && start < End && size <= End - start;

    /// <summary>Whether all of a range is mapped.</summary>
    public bool Covers(ulong start, ulong size) => _regions.Covers(start, start + size);

    /// <summary>Whether nothing of a range is mapped.</summary>
    public bool IsFree(ulong start, ulong size) => _regions.IsFree(start, start + size);

    /// <summary>The highest free range of a size; 0 if there is none.</summary>
    public ulong FindHole(ulong size) => _regions.FindHole(size, ElfImage.LeastAddress, MappingLimit);

    /// <summary>Maps zeros over whatever was there.</summary>
    public void Map(ulong start, ulong size, Protection protection, bool shared = false)
    {
        Unmap(start, size);
        _regions.Add(new Region(start, start + size, protection, shared));
    }

    /// <summary>Maps zeros as another address is mapped, over whatever was there.</summary>
    public void MapLike(ulong model, ulong start, ulong size)
    {
        if (_regions.Find(model) is { } region)
            Map(start, size, region.Protection, region.Shared);
    }

    /// <summary>Takes pages away.</summary>
    public void Unmap(ulong start, ulong size)
    {
        foreach (Region region in _regions.Remove(start, start + size))
        {
            foreach (ulong page in PagesOf(region))
                _frames.Give(Forget(page));
            _pages.Trim(region.Start, region.End);
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
            _regions.Add(region with { Start = moved, End = moved + (region.End - region.Start) });
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
        ulong frame = _frames.TakeFor(page);
        if (frame == 0)
            return Population.NoMemory;
        if (!_pages.TryMap(page, frame, region.Protection))
        {
            _frames.Give(frame);
            return Population.NoMemory;
        }

        Took(frame);
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

    private bool TryCopy(Region region, AddressSpace copy)
    {
        copy._regions.Add(region);
        // A shared page that has no frame yet would get another one in each process.
        if (region.Shared && !TryReach(region.Start, region.End - region.Start, Protection.None))
            return false;
        foreach (ulong page in PagesOf(region))
        {
            ulong frame = _pages.FrameOf(page);
            ulong target = region.Shared ? frame : _frames.TakeFor(page);
            if (target == 0)
                return false;
            if (region.Shared)
                _frames.Share(frame);
            else
                _memory.Span(frame, (int)PageSize).CopyTo(_memory.Span(target, (int)PageSize));
            if (!copy._pages.TryMap(page, target, region.Protection))
            {
                _frames.Give(target);
                return false;
            }

            copy.Took(target);
        }

        return true;
    }

    /// <summary>Counts a page that got its frame, which may have held another page's code.</summary>
    private void Took(ulong frame)
    {
        CodePages.Written(_cpu, frame, PageSize);
        Populated++;
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
