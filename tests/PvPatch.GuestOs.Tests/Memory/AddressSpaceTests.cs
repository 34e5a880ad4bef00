using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Hosts.Bare;
using PvPatch.Paravirt.Layout;

namespace PvPatch.GuestOs.Tests.Memory;

[TestFixture]
public sealed unsafe class AddressSpaceTests
{
    private const ulong Base = 0x0000_5555_0000_0000;
    private const ulong Data = PageFlags.Present | PageFlags.Writable | PageFlags.NoExecute;
    private const ulong ReadOnly = PageFlags.Present | PageFlags.NoExecute;

    [TestCase("bare", 1)]
    [TestCase("bare", 2)]
    [TestCase("kvm", 2)]
    public void What_is_written_through_linear_addresses_stands_in_the_pages(string host, int cpus)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus);
        var physical = new List<ulong>();
        var linear = new List<ulong>();
        guest.Do(cpu =>
        {
            ulong space = NewSpace(cpu, Base, 40, Data);
            for (ulong i = 0; i < 40; i++)
                LinearMemory.Store(cpu, At(i) + 8, i + 1000);
            for (ulong i = 0; i < 40; i++)
            {
                physical.Add(*MemoryLayout.At<ulong>(cpu, (*PageTables.Find(cpu, space, At(i)) & PageFlags.AddressMask) + 8));
                linear.Add(LinearMemory.Load<ulong>(cpu, At(i) + 8));
            }
        });
        IEnumerable<ulong> written = Enumerable.Range(1000, 40).Select(i => (ulong)i);
        Assert.That(physical, Is.EqualTo(written));
        Assert.That(linear, Is.EqualTo(written));
    }

    // Error code: bit 0 the page is there, 1 a write, 2 user mode, 4 a fetch (Intel SDM vol. 3, 4.7).
    [TestCase(Data, 0, AccessKind.Write, AccessMode.Supervisor, null)]
    [TestCase(ReadOnly, 0, AccessKind.Read, AccessMode.Supervisor, null)]
    [TestCase(ReadOnly, 0, AccessKind.Write, AccessMode.Supervisor, 0x03)]
    [TestCase(Data, 0, AccessKind.Execute, AccessMode.Supervisor, 0x11)]
    [TestCase(Data, 0, AccessKind.Read, AccessMode.User, 0x05)]
    [TestCase(Data, 0, AccessKind.Write, AccessMode.User, 0x07)]
    [TestCase(Data | PageFlags.User, 0, AccessKind.Write, AccessMode.User, null)]
    [TestCase(ReadOnly | PageFlags.User, 0, AccessKind.Write, AccessMode.User, 0x07)]
    [TestCase(Data, 1, AccessKind.Read, AccessMode.Supervisor, 0x00)]
    [TestCase(Data, 1, AccessKind.Write, AccessMode.Supervisor, 0x02)]
    [TestCase(Data, 1, AccessKind.Write, AccessMode.User, 0x06)]
    [TestCase(Data, 1, AccessKind.Execute, AccessMode.Supervisor, 0x10)]
    public void An_access_has_the_fault_that_the_flags_give(ulong flags, int page, AccessKind kind, AccessMode mode, int? errorCode)
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        bool done = false;
        MemoryFault fault = default;
        guest.Do(cpu =>
        {
            NewSpace(cpu, Base, 1, flags);
            done = PageWalk.TryTranslate(cpu, At((ulong)page), kind, mode, out _, out fault);
        });
        Assert.That(done, Is.EqualTo(errorCode is null));
        if (errorCode is { } code)
            Assert.That(fault, Is.EqualTo(new MemoryFault(MemoryFault.PageFault, (uint)code, At((ulong)page))));
    }

    [TestCase("bare", 1)]
    [TestCase("kvm", 2)]
    public void Protection_is_taken_and_given_back_and_the_content_stays(string host, int cpus)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus);
        (bool First, bool Denied, bool Again) stores = default;
        ulong kept = 0;
        guest.Do(cpu =>
        {
            ulong space = NewSpace(cpu, Base, 3, Data);
            stores.First = TryStore(cpu, At(1), 7);
            AddressSpace.Protect(cpu, space, Base, 3, clear: PageFlags.Writable, set: 0);
            stores.Denied = !TryStore(cpu, At(1), 8);
            kept = LinearMemory.Load<ulong>(cpu, At(1));
            AddressSpace.Protect(cpu, space, Base, 3, clear: 0, set: PageFlags.Writable);
            stores.Again = TryStore(cpu, At(1), 9);
        });
        Assert.That((stores, kept), Is.EqualTo(((true, true, true), 7ul)));
    }

    [Test]
    public void Protect_leaves_what_is_not_mapped()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        bool mapped = true;
        guest.Do(cpu =>
        {
            ulong space = NewSpace(cpu, Base, 1, Data);
            AddressSpace.Protect(cpu, space, Base, 600, clear: 0, set: PageFlags.Writable);
            mapped = (*PageTables.Find(cpu, space, At(1)) & PageFlags.Present) != 0;
        });
        Assert.That(mapped, Is.False);
    }

    // 1 GiB apart: each page has tables of its own; with more than 48 of them the gather is flushed in between.
    [TestCase("bare", 1, 1, 1ul)]
    [TestCase("bare", 1, 1_200, 1ul)]
    [TestCase("bare", 2, 60, 512ul)]
    [TestCase("bare", 2, 30, 512ul * 512)]
    [TestCase("kvm", 2, 1_200, 1ul)]
    [TestCase("kvm", 2, 60, 512ul)]
    [TestCase("kvm", 2, 100, 512ul * 512)]
    public void Destroying_a_space_gives_every_page_back(string host, int cpus, int pages, ulong distance)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus);
        (uint Before, uint Between, uint After) free = default;
        int unmapped = 0;
        guest.Do(cpu =>
        {
            free.Before = PageAllocator.FreePages(cpu);
            ulong space = AddressSpace.Create(cpu);
            for (int i = 0; i < pages; i++)
                AddressSpace.Populate(cpu, space, At((ulong)i * distance), 1, Data);
            free.Between = PageAllocator.FreePages(cpu);
            if (distance == 1)
                unmapped = AddressSpace.Unmap(cpu, space, Base, pages + 5);
            else
            {
                for (int i = 0; i < pages; i++)
                    unmapped += AddressSpace.Unmap(cpu, space, At((ulong)i * distance), 1);
            }

            AddressSpace.Destroy(cpu, space);
            AddressSpace.EndGracePeriod(cpu);
            free.After = PageAllocator.FreePages(cpu);
        });
        Assert.That((unmapped, free.After), Is.EqualTo((pages, free.Before)));
        Assert.That(free.Between, Is.LessThan(free.Before - pages), "pages and their tables in use");
    }

    [TestCase("bare")]
    [TestCase("kvm")]
    public void Another_space_is_untouched(string host)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus: 2);
        (ulong First, ulong Second) words = default;
        guest.Do(cpu =>
        {
            ulong first = NewSpace(cpu, Base, 4, Data);
            LinearMemory.Store(cpu, Base, 1ul);
            ulong second = NewSpace(cpu, Base, 4, Data);
            LinearMemory.Store(cpu, Base, 2ul);
            words.Second = LinearMemory.Load<ulong>(cpu, Base);
            AddressSpace.Switch(cpu, first);
            AddressSpace.Unmap(cpu, second, Base, 4);
            AddressSpace.Destroy(cpu, second);
            words.First = LinearMemory.Load<ulong>(cpu, Base);
        });
        Assert.That(words, Is.EqualTo((1ul, 2ul)));
    }

    [Test]
    public void The_kernel_half_is_the_same_in_every_space()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        bool same = false;
        guest.Do(cpu =>
        {
            ulong space = AddressSpace.Create(cpu);
            var kernel = new ReadOnlySpan<ulong>(MemoryLayout.At<ulong>(cpu, AddressSpace.Kernel(cpu)) + 256, 256);
            same = kernel.SequenceEqual(new ReadOnlySpan<ulong>(MemoryLayout.At<ulong>(cpu, space) + 256, 256)) && kernel.ContainsAnyExcept(0ul);
        });
        Assert.That(same);
    }

    [Test]
    public void The_page_fault_makes_pages_in_the_demand_range_and_nowhere_else()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm");
        (ulong Faults, ulong Word) seen = default;
        string message = guest.Panic(cpu =>
        {
            AddressSpace.Switch(cpu, AddressSpace.Create(cpu));
            AddressSpace.SetDemandRange(cpu, Base, At(3));
            for (ulong i = 0; i < 3; i++)
            {
                LinearMemory.Store(cpu, At(i) + 16, i + 5);
                LinearMemory.Store(cpu, At(i) + 24, i + 5);
            }

            seen = (AddressSpace.DemandFaults(cpu), LinearMemory.Load<ulong>(cpu, At(2) + 16));
            LinearMemory.Store(cpu, At(3), 1ul);
        });
        Assert.That(seen, Is.EqualTo((3ul, 7ul)));
        Assert.That(message, Does.Contain($"Unable to handle page fault for address {At(3):x16}, error code 0002"));
    }

    [Test]
    public void A_page_that_forbids_the_access_is_not_replaced_by_a_fresh_one()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        string message = guest.Panic(cpu =>
        {
            NewSpace(cpu, Base, 1, ReadOnly);
            AddressSpace.SetDemandRange(cpu, Base, At(4));
            LinearMemory.Store(cpu, Base, 1ul);
        });
        Assert.That(message, Does.Contain($"Unable to handle page fault for address {Base:x16}, error code 0003"));
    }

    [Test]
    public void Without_memory_a_space_is_refused_and_what_was_mapped_comes_back()
    {
        using GuestMachine guest = new GuestMachine(new BareHardware(), ramSize: 8ul << 20).Boot();
        (bool Populated, ulong Space) answer = (true, 1);
        (uint Before, uint After) free = default;
        guest.Do(cpu =>
        {
            free.Before = PageAllocator.FreePages(cpu);
            ulong space = AddressSpace.Create(cpu);
            answer.Populated = AddressSpace.Populate(cpu, space, Base, 4_000, Data);
            while (PageAllocator.Allocate(cpu) != 0)
                free.Before--;
            answer.Space = AddressSpace.Create(cpu);
            AddressSpace.Unmap(cpu, space, Base, 4_000);
            AddressSpace.Destroy(cpu, space);
            free.After = PageAllocator.FreePages(cpu);
        });
        Assert.That(answer, Is.EqualTo((false, 0ul)));
        Assert.That(free.After, Is.EqualTo(free.Before));
    }

    [Test]
    public void Pages_are_mapped_protected_and_unmapped_in_one_lazy_window_each()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        IReadOnlyDictionary<string, long> calls = guest.Kernel.Ops.CountCalls(() => guest.Do(cpu =>
        {
            ulong space = AddressSpace.Create(cpu);
            AddressSpace.Populate(cpu, space, Base, 10, Data);
            AddressSpace.Protect(cpu, space, Base, 10, PageFlags.Writable, 0);
            AddressSpace.Unmap(cpu, space, Base, 10);
        }));
        string[] ops = ["mmu.lazy_mode.enter", "mmu.lazy_mode.leave", "mmu.ptep_modify_prot_start", "mmu.ptep_modify_prot_commit", "mmu.set_pte", "mmu.alloc_pte", "mmu.alloc_pmd", "mmu.alloc_pud"];
        Assert.That(ops.Select(op => calls[op]), Is.EqualTo([3, 3, 10, 10, 30, 1, 1, 1]));
    }

    private static ulong NewSpace(CpuState* cpu, ulong start, int pages, ulong flags)
    {
        ulong space = AddressSpace.Create(cpu);
        AddressSpace.Populate(cpu, space, start, pages, flags);
        AddressSpace.Switch(cpu, space);
        return space;
    }

    private static bool TryStore(CpuState* cpu, ulong address, ulong value) => LinearMemory.TryStore(cpu, address, AccessModes.Of(cpu), value, out _);

    private static ulong At(ulong page) => Base + (page << MemoryLayout.PageShift);
}
