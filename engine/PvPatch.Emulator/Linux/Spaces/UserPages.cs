using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>
/// The four-level page tables of a program, in guest RAM (Intel SDM vol. 3, 4.5). A page without any right stays present
/// for the supervisor, so that its bytes are kept.
/// </summary>
internal sealed unsafe class UserPages
{
    private const ulong TableBits = PageTableEntry.Present | PageTableEntry.Writable | PageTableEntry.User;

    private readonly CpuState* _cpu;
    private readonly PhysicalMemory _memory;
    private readonly FrameAllocator _frames;
    private readonly ulong _top;

    /// <summary>Makes an empty top table.</summary>
    /// <param name="cpu">The CPU that will use the tables.</param>
    /// <param name="memory">Guest RAM.</param>
    /// <param name="frames">Where tables come from.</param>
    public UserPages(CpuState* cpu, PhysicalMemory memory, FrameAllocator frames)
    {
        _cpu = cpu;
        _memory = memory;
        _frames = frames;
        _top = frames.Take();
    }

    /// <summary>Whether there was room for the top table.</summary>
    public bool IsThere => _top != 0;

    /// <summary>Lets the CPU use these tables.</summary>
    public void Enter()
    {
        _cpu->Cr3 = _top;
        Tlb.Flush(_cpu);
    }

    /// <summary>The frame that a page leads to, 0 if there is none.</summary>
    public ulong FrameOf(ulong page)
    {
        ulong place = LeafOf(page, create: false);
        return place == 0 ? 0 : Entry(place) & PageTableEntry.AddressMask;
    }

    /// <summary>Lets a page lead to a frame; false if there is no room for a table.</summary>
    public bool TryMap(ulong page, ulong frame, Protection protection)
    {
        ulong place = LeafOf(page, create: true);
        if (place == 0)
            return false;
        // An entry that is not present is in no TLB (Intel SDM vol. 3, 4.10.2.3).
        bool wasPresent = (Entry(place) & PageTableEntry.Present) != 0;
        SetEntry(place, frame | BitsOf(protection));
        if (wasPresent)
            Tlb.FlushPage(_cpu, page);
        return true;
    }

    /// <summary>Changes the rights of a page, if it leads anywhere.</summary>
    public void Protect(ulong page, Protection protection)
    {
        ulong frame = FrameOf(page);
        if (frame != 0)
            TryMap(page, frame, protection);
    }

    /// <summary>Forgets where a page led, and returns the frame, 0 if there was none.</summary>
    public ulong Unmap(ulong page)
    {
        ulong place = LeafOf(page, create: false);
        if (place == 0)
            return 0;
        ulong frame = Entry(place) & PageTableEntry.AddressMask;
        SetEntry(place, 0);
        Tlb.FlushPage(_cpu, page);
        return frame;
    }

    /// <summary>Gives back the tables that lead nowhere any more, of a range that nothing is mapped in.</summary>
    public void Trim(ulong start, ulong end) => Trim(_top, 39, 0, start, end);

    /// <summary>Gives back all tables. Nothing is mapped any more.</summary>
    public void Release()
    {
        Trim(_top, 39, 0, 0, 1ul << 47);
        _frames.Give(_top);
    }

    /// <summary>Gives back the empty tables below a table; the range is cut to what the table covers.</summary>
    private void Trim(ulong table, int shift, ulong from, ulong start, ulong end)
    {
        ulong last = Math.Min(511, (end - 1 - from) >> shift);
        for (ulong i = start <= from ? 0 : (start - from) >> shift; i <= last; i++)
        {
            ulong place = table + (i * 8);
            ulong entry = Entry(place);
            if ((entry & PageTableEntry.Present) == 0)
                continue;
            ulong below = entry & PageTableEntry.AddressMask;
            if (shift > 21)
                Trim(below, shift - 9, from + (i << shift), start, end);
            if (_memory.Span(below, (int)PhysicalMemory.PageSize).ContainsAnyExcept((byte)0))
                continue;
            SetEntry(place, 0);
            _frames.Give(below);
        }
    }

    /// <summary>The last address of what has no table from an address on, so that a walk over pages can leap.</summary>
    public ulong EndOfHole(ulong page)
    {
        ulong table = _top;
        for (int shift = 39; shift > 12; shift -= 9)
        {
            ulong entry = Entry(table + ((page >> shift & 511) * 8));
            if ((entry & PageTableEntry.Present) == 0)
                return page | ((1ul << shift) - 1);
            table = entry & PageTableEntry.AddressMask;
        }

        return page | (PhysicalMemory.PageSize - 1);
    }

    private static ulong BitsOf(Protection protection)
    {
        ulong bits = PageTableEntry.Present;
        if (protection != Protection.None)
            bits |= PageTableEntry.User;
        if ((protection & Protection.Write) != Protection.None)
            bits |= PageTableEntry.Writable;
        if ((protection & Protection.Execute) == Protection.None)
            bits |= PageTableEntry.NoExecute;
        return bits;
    }

    private ulong LeafOf(ulong page, bool create)
    {
        ulong table = _top;
        for (int shift = 39; shift > 12; shift -= 9)
        {
            ulong place = table + ((page >> shift & 511) * 8);
            ulong entry = Entry(place);
            if ((entry & PageTableEntry.Present) == 0)
            {
                ulong made = create ? _frames.Take() : 0;
                if (made == 0)
                    return 0;
                entry = made | TableBits;
                SetEntry(place, entry);
            }

            table = entry & PageTableEntry.AddressMask;
        }

        return table + ((page >> 12 & 511) * 8);
    }

    // SAFETY: Pointer throws where there are no eight bytes; the span below is over a parameter.
    private ulong Entry(ulong place) => *(ulong*)_memory.Pointer(place, sizeof(ulong));

    private void SetEntry(ulong place, ulong entry) => _memory.Write(place, new ReadOnlySpan<byte>(&entry, sizeof(ulong)));
}
