using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Memory;

public sealed unsafe class PageWalkTests
{
    private const ulong Everything = PageTableEntry.Present | PageTableEntry.Writable | PageTableEntry.User;

    [TestCase(12, 0x7fff_1234_5000ul, 0x5000ul, 0xabcul)]
    [TestCase(21, 0x7fff_1220_0000ul, 0x20_0000ul, 0x1f_fabcul)]
    [TestCase(30, 0x7fff_0000_0000ul, 0ul, 0x80_1234ul)]
    [TestCase(12, 0xffff_8000_0000_0000ul, 0x7000ul, 0ul)]
    public void A_page_of_each_size_leads_to_its_frame_and_offset(int pageBits, ulong linear, ulong frame, ulong offset)
    {
        using var cpu = new PagedCpu();
        cpu.Map(linear, frame, Everything, pageBits);
        Assert.That(PageWalk.TryTranslate(cpu.State, linear + offset, AccessKind.Read, AccessMode.Supervisor, out Translation found, out _));
        Assert.That((found.Physical, found.PageBits), Is.EqualTo((frame + offset, pageBits)));
    }

    [TestCase(0x0000_8000_0000_0000ul)]
    [TestCase(0xffff_7fff_ffff_fffful)]
    [TestCase(0x8000_0000_0000_0000ul)]
    public void An_address_that_is_not_canonical_is_a_general_protection_fault(ulong linear)
    {
        using var cpu = new PagedCpu();
        Assert.That(cpu.Read(linear), Is.EqualTo(new MemoryFault(13, 0, linear)));
    }

    [Test]
    public void An_access_that_runs_off_the_canonical_half_is_a_general_protection_fault()
    {
        using var cpu = new PagedCpu();
        cpu.Map(0x7fff_ffff_f000, 0x3000, Everything);
        Assert.That(LinearMemory.TryLoad(cpu.State, 0x7fff_ffff_fffc, AccessMode.Supervisor, out ulong _, out MemoryFault fault), Is.False);
        Assert.That(fault.Vector, Is.EqualTo(13));
    }

    [TestCase(12, 1ul << 40, 9u, TestName = "Address bit beyond the physical width, 4 KB page")]
    [TestCase(12, 1ul << 51, 9u, TestName = "Highest address bit, 4 KB page")]
    [TestCase(12, 1ul << 52, null, TestName = "Bit 52 is ignored, 4 KB page")]
    [TestCase(21, 1ul << 13, 9u, TestName = "Lowest reserved bit of a 2 MB page")]
    [TestCase(21, 1ul << 20, 9u, TestName = "Highest reserved bit of a 2 MB page")]
    [TestCase(21, 1ul << 12, null, TestName = "PAT bit of a 2 MB page")]
    [TestCase(30, 1ul << 13, 9u, TestName = "Lowest reserved bit of a 1 GB page")]
    [TestCase(30, 1ul << 29, 9u, TestName = "Highest reserved bit of a 1 GB page")]
    public void Reserved_bits_of_a_leaf_fault_with_their_error_code(int pageBits, ulong bit, uint? expected)
    {
        using var cpu = new PagedCpu();
        cpu.Map(0x4000_0000, 0, Everything | bit, pageBits);
        Assert.That(cpu.Read(0x4000_0000)?.ErrorCode, Is.EqualTo(expected));
    }

    [Test]
    public void The_page_size_bit_is_reserved_in_the_top_table()
    {
        using var cpu = new PagedCpu();
        cpu.Map(0x4000_0000, 0, Everything, upper: Everything | PageTableEntry.PageSize);
        Assert.That(cpu.Read(0x4000_0000)?.ErrorCode, Is.EqualTo(9u));
    }

    [TestCase(AccessKind.Read, false)]
    [TestCase(AccessKind.Write, true)]
    [TestCase(AccessKind.Execute, false)]
    public void An_access_sets_accessed_on_all_levels_and_a_write_dirty_on_the_leaf(AccessKind kind, bool dirty)
    {
        using var cpu = new PagedCpu();
        ulong leaf = cpu.Map(0, 0x8000, Everything);
        Assert.That(cpu.Access(0x10, kind), Is.Null);
        ulong place = cpu.State->Cr3;
        for (int level = 4; level > 1; level--)
        {
            ulong entry = *cpu.Physical(place);
            Assert.That(entry & (PageTableEntry.Accessed | PageTableEntry.Dirty), Is.EqualTo(PageTableEntry.Accessed));
            place = entry & PageTableEntry.AddressMask;
        }

        Assert.That((*cpu.Physical(leaf) & PageTableEntry.Accessed) != 0);
        Assert.That((*cpu.Physical(leaf) & PageTableEntry.Dirty) != 0, Is.EqualTo(dirty));
    }

    [Test]
    public void A_write_after_a_read_still_sets_dirty()
    {
        using var cpu = new PagedCpu();
        ulong leaf = cpu.Map(0, 0x8000, Everything);
        Assert.That(cpu.Read(0), Is.Null);
        Assert.That(cpu.Write(0, 1), Is.Null);
        Assert.That((*cpu.Physical(leaf) & PageTableEntry.Dirty) != 0);
    }

    [Test]
    public void A_refused_access_leaves_accessed_and_dirty_clear()
    {
        using var cpu = new PagedCpu();
        ulong leaf = cpu.Map(0, 0x8000, PageTableEntry.Present | PageTableEntry.Writable);
        cpu.SetPrivilege(3);
        Assert.That(cpu.Write(0, 1)?.ErrorCode, Is.EqualTo(7u));
        Assert.That(*cpu.Physical(leaf) & (PageTableEntry.Accessed | PageTableEntry.Dirty), Is.Zero);
    }

    [Test]
    public void Implicit_supervisor_accesses_ignore_the_suspension_of_smap()
    {
        using var cpu = new PagedCpu();
        cpu.Map(0, 0x8000, Everything);
        cpu.State->Cr4 |= Cr4Bits.Smap;
        cpu.State->RFlags |= RFlags.AlignmentCheck;
        Assert.That(LinearMemory.TryLoad(cpu.State, 0, AccessModes.Of(cpu.State), out byte _, out _));
        Assert.That(LinearMemory.TryLoad(cpu.State, 0, AccessMode.Supervisor, out byte _, out _), Is.False);
    }

    [Test]
    public void Without_paging_a_linear_address_is_a_physical_one()
    {
        using var cpu = new PagedCpu();
        cpu.State->Cr0 = Cr0Bits.ProtectionEnable;
        cpu.State->Efer = 0;
        *cpu.Physical(0x1230) = 0x77;
        Assert.That(cpu.TryRead(0x1230, out byte value), Is.Null);
        Assert.That(value, Is.EqualTo(0x77));
    }

    [TestCase(false, 0x00c0_1234u, 0x5234ul)]
    [TestCase(true, 0x0040_5678u, 0x40_5678ul)]
    public void Thirty_two_bit_paging_knows_4_KB_and_4_MB_pages(bool large, uint linear, ulong physical)
    {
        using var cpu = new PagedCpu();
        cpu.State->Efer = 0;
        cpu.State->Cr4 = Cr4Bits.PageSizeExtensions;
        cpu.State->Cr3 = 0x1000;
        uint* directory = (uint*)cpu.Physical(0x1000);
        directory[linear >> 22] = large ? 0x40_0000u | 0x87 : 0x2000u | 7;
        ((uint*)cpu.Physical(0x2000))[linear >> 12 & 1023] = 0x5000 | 7;
        Assert.That(PageWalk.TryTranslate(cpu.State, linear, AccessKind.Write, AccessMode.User, out Translation found, out _));
        Assert.That(found.Physical, Is.EqualTo(physical));
        Assert.That(directory[linear >> 22] & 0x60, Is.EqualTo(large ? 0x60u : 0x20u));
    }

    [Test]
    public void Pae_paging_uses_the_pointers_loaded_with_cr3_until_it_is_loaded_again()
    {
        using var cpu = new PagedCpu();
        cpu.State->Efer = EferBits.NoExecuteEnable;
        *cpu.Physical(0x1000 + 8) = 0x2000 | 1;
        *cpu.Physical(0x2000) = 0x3000 | 7;
        *cpu.Physical(0x3000) = 0x6000 | 7;
        Assert.That(ControlRegisters.Write(cpu.State, 3, 0x1000), Is.Zero);
        *cpu.Physical(0x6010) = 0x5a;
        Assert.That(cpu.TryRead(0x4000_0010, out byte value), Is.Null);
        Assert.That(value, Is.EqualTo(0x5a));

        *cpu.Physical(0x1000 + 8) = 0;
        Tlb.Flush(cpu.State);
        Assert.That(cpu.Read(0x4000_0010), Is.Null);
        Assert.That(ControlRegisters.Write(cpu.State, 3, 0x1000), Is.Zero);
        Assert.That(cpu.Read(0x4000_0010)?.ErrorCode, Is.Zero);
    }

    [Test]
    public void Pae_pointers_with_reserved_bits_refuse_the_load_of_cr3()
    {
        using var cpu = new PagedCpu();
        cpu.State->Efer = 0;
        *cpu.Physical(0x1000) = 0x2000 | 3;
        Assert.That(ControlRegisters.Write(cpu.State, 3, 0x1000), Is.EqualTo(13u));
    }

    [Test]
    public void Where_there_is_no_ram_reads_give_ones_and_writes_vanish()
    {
        using var cpu = new PagedCpu();
        cpu.Map(0, 0x8000_0000, Everything);
        Assert.That(cpu.Write(5, 1), Is.Null);
        Assert.That(cpu.TryRead(5, out byte value), Is.Null);
        Assert.That(value, Is.EqualTo(0xff));
    }
}
