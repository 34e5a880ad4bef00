using PvPatch.Emulator.State;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.GuestOs.Workloads;
using PvPatch.Hosts.Bare;
using PvPatch.Paravirt.Layout;

namespace PvPatch.GuestOs.Tests.Memory;

[TestFixture]
public sealed unsafe class PageAllocatorTests
{
    private const ulong RamSize = 12ul << 20;

    [TestCase(1ul)]
    [TestCase(2ul)]
    [TestCase(3ul)]
    [TestCase(0x1234_5678_9abc_def0ul)]
    public void Random_blocks_never_overlap_and_merge_back(ulong seed)
    {
        using GuestMachine guest = Booted();
        string? mistake = null;
        (int Before, int After) largest = default;
        guest.Do(cpu =>
        {
            largest.Before = CountLargest(cpu);
            mistake = new RandomBlocks(cpu, seed).Run(steps: 4_000);
            largest.After = CountLargest(cpu);
        });
        Assert.That(mistake, Is.Null, $"seed {seed}");
        Assert.That(largest.After, Is.EqualTo(largest.Before).And.Positive, "blocks of the largest order when all is free again");
    }

    [TestCase(0)]
    [TestCase(3)]
    [TestCase(PageAllocator.MaxOrder)]
    public void When_memory_is_out_the_answer_is_0(int order)
    {
        using GuestMachine guest = Booted();
        ulong last = 1, smaller = 1;
        guest.Do(cpu =>
        {
            while (last != 0)
                last = PageAllocator.Allocate(cpu, order);
            while (smaller != 0)
                smaller = PageAllocator.Allocate(cpu);
            last = PageAllocator.FreePages(cpu);
        });
        Assert.That(last, Is.Zero, "pages that are still free");
    }

    [Test]
    public void An_order_above_the_largest_has_no_block()
    {
        using GuestMachine guest = Booted();
        ulong block = 1;
        guest.Do(cpu => block = PageAllocator.Allocate(cpu, PageAllocator.MaxOrder + 1));
        Assert.That(block, Is.Zero);
    }

    [Test]
    public void A_page_is_zero_whatever_it_held_before()
    {
        using GuestMachine guest = Booted();
        bool zero = false;
        guest.Do(cpu =>
        {
            ulong page = PageAllocator.Allocate(cpu);
            new Span<byte>(MemoryLayout.At<byte>(cpu, page), 4096).Fill(0xaa);
            PageAllocator.Free(cpu, page);
            ulong again = PageAllocator.Allocate(cpu);
            zero = again == page && !new Span<byte>(MemoryLayout.At<byte>(cpu, page), 4096).ContainsAnyExcept((byte)0);
        });
        Assert.That(zero);
    }

    // The second free of a page finds it alone, as the first or the second half of a merged block, or in the middle of one.
    [TestCase(new[] { 0 }, 0)]
    [TestCase(new[] { 0, 1 }, 0)]
    [TestCase(new[] { 0, 1 }, 1)]
    [TestCase(new[] { 0, 1, 2, 3 }, 2)]
    [TestCase(new[] { 3, 2, 1, 0 }, 3)]
    public void Freeing_twice_panics(int[] freed, int again)
    {
        using GuestMachine guest = Booted();
        string message = guest.Panic(cpu =>
        {
            ulong block = SingleBlocks(cpu);
            foreach (int page in freed)
                PageAllocator.Free(cpu, block + ((ulong)page << MemoryLayout.PageShift));
            PageAllocator.Free(cpu, block + ((ulong)again << MemoryLayout.PageShift));
        });
        Assert.That(message, Does.Contain("Kernel panic - not syncing: Bad page state: page frame"));
    }

    [TestCase(2, 1, 0ul)]
    [TestCase(2, 3, 0ul)]
    [TestCase(2, 2, 1ul)]
    [TestCase(2, 0, 1ul)]
    public void Freeing_another_block_than_was_given_panics(int allocated, int freed, ulong page)
    {
        using GuestMachine guest = Booted();
        string message = guest.Panic(cpu => PageAllocator.Free(cpu, PageAllocator.Allocate(cpu, allocated) + (page << MemoryLayout.PageShift), freed));
        Assert.That(message, Does.Contain("Bad page state"));
    }

    [TestCase(0ul)]
    [TestCase(MemoryLayout.FirstFree)]
    [TestCase(RamSize)]
    [TestCase(1ul << 40)]
    public void Freeing_what_is_not_managed_panics(ulong address)
    {
        using GuestMachine guest = Booted();
        Assert.That(guest.Panic(cpu => PageAllocator.Free(cpu, address)), Does.Contain("Bad page state"));
    }

    private static GuestMachine Booted() => new GuestMachine(new BareHardware(), ramSize: RamSize).Boot();

    /// <summary>Four neighbouring pages, aligned to four, each allocated for itself.</summary>
    private static ulong SingleBlocks(CpuState* cpu)
    {
        while (true)
        {
            ulong first = PageAllocator.Allocate(cpu);
            if (first % (4 * MemoryLayout.PageSize) != 0)
                continue;
            ulong second = PageAllocator.Allocate(cpu), third = PageAllocator.Allocate(cpu), fourth = PageAllocator.Allocate(cpu);
            if (second == first + 4096 && third == first + 8192 && fourth == first + 12288)
                return first;
        }
    }

    private static int CountLargest(CpuState* cpu)
    {
        var blocks = new List<ulong>();
        while (PageAllocator.Allocate(cpu, PageAllocator.MaxOrder) is not 0 and ulong block)
            blocks.Add(block);
        foreach (ulong block in blocks)
            PageAllocator.Free(cpu, block, PageAllocator.MaxOrder);
        return blocks.Count;
    }

    /// <summary>Allocates and frees at random beside a plain model of which page is whose.</summary>
    private sealed class RandomBlocks(CpuState* cpu, ulong seed)
    {
        private readonly CpuState* _cpu = cpu;
        private readonly List<(ulong Address, int Order)> _blocks = [];
        private readonly HashSet<ulong> _frames = [];
        private readonly uint _freeAtStart = PageAllocator.FreePages(cpu);
        private Randomness _random = new(seed);

        /// <summary>Runs and frees all. Null, or the first thing that was wrong.</summary>
        public string? Run(int steps)
        {
            string? mistake = null;
            for (int step = 0; step < steps && mistake is null; step++)
                mistake = _random.Next(5) < 3 || _blocks.Count == 0 ? Allocate(_random.Next(PageAllocator.MaxOrder + 1)) : Free(_random.Next(_blocks.Count));
            while (mistake is null && _blocks.Count > 0)
                mistake = Free(_random.Next(_blocks.Count));
            return mistake;
        }

        private string? Allocate(int order)
        {
            ulong address = PageAllocator.Allocate(_cpu, order);
            if (address == 0)
                return Count("a refused allocation");
            if (address % (MemoryLayout.PageSize << order) != 0)
                return $"{address:x} is not aligned to order {order}";
            for (ulong page = 0; page < 1ul << order; page++)
            {
                if (!_frames.Add((address >> MemoryLayout.PageShift) + page))
                    return $"{address:x}, order {order}, overlaps a block that is in use";
            }

            _blocks.Add((address, order));
            return Count("an allocation");
        }

        private string? Free(int index)
        {
            (ulong address, int order) = _blocks[index];
            _blocks.RemoveAt(index);
            for (ulong page = 0; page < 1ul << order; page++)
                _frames.Remove((address >> MemoryLayout.PageShift) + page);
            PageAllocator.Free(_cpu, address, order);
            return Count("a free");
        }

        private string? Count(string after) => PageAllocator.FreePages(_cpu) == _freeAtStart - _frames.Count ? null : $"after {after} {PageAllocator.FreePages(_cpu)} pages are free";
    }
}
