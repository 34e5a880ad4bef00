using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Memory;

public sealed unsafe class TlbTests
{
    private const ulong Everything = PageTableEntry.Present | PageTableEntry.Writable | PageTableEntry.User;
    private const ulong Global = PageTableEntry.Global;
    private const ulong Linear = 0x1000_0000;

    /// <summary>What is done after the page table entry was cleared in memory, and whether the old translation then still serves.</summary>
    public static IEnumerable<TestCaseData> Invalidations()
    {
        yield return Case("nothing", Everything, false, _ => { }, stale: true);
        yield return Case("INVLPG of the page", Everything, false, cpu => cpu.FlushPage(Linear + 0x123), stale: false);
        yield return Case("INVLPG of another page", Everything, false, cpu => cpu.FlushPage(Linear + 0x1000), stale: true);
        yield return Case("CR3 load", Everything, true, cpu => cpu.ReloadCr3(), stale: false);
        yield return Case("CR3 load, global page", Everything | Global, true, cpu => cpu.ReloadCr3(), stale: true);
        yield return Case("CR3 load, global bit without CR4.PGE", Everything | Global, false, cpu => cpu.ReloadCr3(), stale: false);
        yield return Case("INVLPG, global page", Everything | Global, true, cpu => cpu.FlushPage(Linear), stale: false);
        yield return Case("CR4.PGE toggled, global page", Everything | Global, true, cpu => cpu.ChangeCr4(Cr4Bits.GlobalPages), stale: false);
        yield return Case("CR4 bit that does not translate", Everything, false, cpu => cpu.ChangeCr4(Cr4Bits.TimeStampDisable), stale: true);
    }

    [TestCaseSource(nameof(Invalidations))]
    public void A_cleared_entry_keeps_serving_until_it_is_invalidated(ulong leafBits, bool globalPages, Action<object> invalidate, bool stale)
    {
        using var cpu = new PagedCpu();
        if (globalPages)
            cpu.State->Cr4 |= Cr4Bits.GlobalPages;
        ulong leaf = cpu.Map(Linear, 0x9000, leafBits);
        Assert.That(cpu.Read(Linear), Is.Null);
        *cpu.Physical(leaf) = 0;
        invalidate(cpu);
        Assert.That(cpu.Read(Linear) is null, Is.EqualTo(stale));
    }

    [TestCase(21)]
    [TestCase(30)]
    public void Invlpg_of_any_address_in_a_large_page_forgets_all_its_pieces(int pageBits)
    {
        using var cpu = new PagedCpu();
        ulong leaf = cpu.Map(0x4000_0000, 0, Everything, pageBits);
        ulong[] pieces = [0x4000_0000, 0x4000_5000, 0x4010_0000];
        foreach (ulong piece in pieces)
            Assert.That(cpu.Read(piece), Is.Null);
        *cpu.Physical(leaf) = 0;
        cpu.FlushPage(0x4001_0000);
        foreach (ulong piece in pieces)
            Assert.That(cpu.Read(piece), Is.Not.Null);
    }

    [Test]
    public void Turning_write_protection_on_binds_the_supervisor_at_once()
    {
        using var cpu = new PagedCpu();
        cpu.Map(Linear, 0x9000, PageTableEntry.Present);
        Assert.That(cpu.Write(Linear, 1), Is.Null);
        Assert.That(ControlRegisters.Write(cpu.State, 0, cpu.State->Cr0 | Cr0Bits.WriteProtect), Is.Zero);
        Assert.That(cpu.Write(Linear, 1)?.ErrorCode, Is.EqualTo(3u));
    }

    [Test]
    public void What_the_supervisor_cached_does_not_serve_user_mode()
    {
        using var cpu = new PagedCpu();
        cpu.Map(Linear, 0x9000, PageTableEntry.Present | PageTableEntry.Writable);
        Assert.That(cpu.Write(Linear, 1), Is.Null);
        cpu.SetPrivilege(3);
        Assert.That(cpu.Read(Linear)?.ErrorCode, Is.EqualTo(5u));
    }

    [Test]
    public void Two_addresses_of_one_table_slot_replace_each_other()
    {
        using var cpu = new PagedCpu();
        ulong other = Linear + ((ulong)TlbTable.Entries << 12);
        cpu.Map(Linear, 0x9000, Everything);
        cpu.Map(other, 0xa000, Everything);
        *cpu.Physical(0x9000) = 1;
        *cpu.Physical(0xa000) = 2;
        for (int i = 0; i < 2; i++)
        {
            Assert.That((cpu.TryRead(Linear, out byte first), first), Is.EqualTo(((MemoryFault?)null, (byte)1)));
            Assert.That((cpu.TryRead(other, out byte second), second), Is.EqualTo(((MemoryFault?)null, (byte)2)));
        }
    }

    [Test]
    public void Each_invalidation_shows_in_the_generation()
    {
        using var cpu = new PagedCpu();
        ulong before = cpu.State->TlbGeneration;
        cpu.FlushPage(Linear);
        Tlb.FlushNonGlobal(cpu.State);
        Tlb.Flush(cpu.State);
        Assert.That(cpu.State->TlbGeneration, Is.EqualTo(before + 3));
    }

    private static TestCaseData Case(string name, ulong leafBits, bool globalPages, Action<PagedCpu> invalidate, bool stale) =>
        new TestCaseData(leafBits, globalPages, (Action<object>)(cpu => invalidate((PagedCpu)cpu)), stale).SetArgDisplayNames(name);
}
