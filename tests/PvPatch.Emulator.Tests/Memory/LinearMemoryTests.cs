using System.Runtime.InteropServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Memory;

public sealed unsafe class LinearMemoryTests
{
    private const ulong Everything = PageTableEntry.Present | PageTableEntry.Writable | PageTableEntry.User;
    private const ulong Linear = 0x1000_0000;

    [Test]
    public void Values_of_all_sizes_come_back_from_every_offset_around_a_page_boundary()
    {
        using PagedCpu cpu = TwoPages(Everything);
        for (ulong offset = 0xff0; offset <= 0x1010; offset++)
        {
            RoundTrip<byte>(cpu, Linear + offset, 0xa5);
            RoundTrip<ushort>(cpu, Linear + offset, 0xa55a);
            RoundTrip(cpu, Linear + offset, 0xdead_beefu);
            RoundTrip(cpu, Linear + offset, 0x0123_4567_89ab_cdeful);
        }
    }

    [Test]
    public void A_value_across_two_pages_lands_in_both_frames()
    {
        using PagedCpu cpu = TwoPages(Everything);
        Assert.That(LinearMemory.TryStore(cpu.State, Linear + 0xffd, AccessMode.Supervisor, 0x0807_0605_0403_0201ul, out _));
        Assert.That(*(uint*)(cpu.State->Ram + 0x9ffc) >> 8, Is.EqualTo(0x030201u));
        Assert.That(*cpu.Physical(0x7000) & 0xff_ffff_ffff, Is.EqualTo(0x08_0706_0504ul));
    }

    [TestCase(0ul, 2u)]
    [TestCase(PageTableEntry.Present, 3u)]
    public void A_write_whose_second_page_refuses_changes_nothing_and_names_that_page(ulong secondBits, uint errorCode)
    {
        using PagedCpu cpu = TwoPages(secondBits);
        cpu.State->Cr0 |= Cr0Bits.WriteProtect;
        Assert.That(LinearMemory.TryStore(cpu.State, Linear + 0xffc, AccessMode.Supervisor, ulong.MaxValue, out MemoryFault fault), Is.False);
        Assert.That(fault, Is.EqualTo(new MemoryFault(14, errorCode, Linear + 0x1000)));
        Assert.That(*(uint*)(cpu.State->Ram + 0x9ffc), Is.Zero);
    }

    [Test]
    public void Without_long_mode_an_access_wraps_at_4_GB()
    {
        using var cpu = new PagedCpu();
        cpu.State->Cr0 = Cr0Bits.ProtectionEnable;
        cpu.State->Efer = 0;
        *cpu.Physical(0) = 0x1122;
        Assert.That(LinearMemory.TryLoad(cpu.State, 0xffff_fffe, AccessMode.Supervisor, out uint value, out _));
        Assert.That(value, Is.EqualTo(0x1122_ffffu));
    }

    [Test]
    public void The_raising_form_delivers_the_page_fault_and_tries_again()
    {
        using var cpu = new PagedCpu();
        cpu.Map(Linear, 0, 0);
        SensitiveOps ops = default;
        ops.RaiseException = &MapOnDemand;
        cpu.State->Sensitive = &ops;
        LinearMemory.Store(cpu.State, Linear + 8, 0x1234_5678u);
        Assert.That(cpu.State->Cr2, Is.EqualTo(Linear + 8));
        Assert.That(cpu.State->Rax, Is.EqualTo(0x0000_000e_0000_0002ul), "vector and error code");
        Assert.That(LinearMemory.Load<uint>(cpu.State, Linear + 8), Is.EqualTo(0x1234_5678u));
    }

    [Test]
    public void Only_a_write_to_decoded_bytes_makes_their_page_stale()
    {
        using PagedCpu cpu = TwoPages(Everything);
        CodePages.Join(cpu.State, CodePages.Allocate(PagedCpu.RamSize));
        Assert.That(cpu.Write(Linear, 0), Is.Null, "the page is in the TLB as writable");
        CodePages.Decoded(cpu.State, 0x9100, 3);
        Assert.That(cpu.Write(Linear + 0xff, 1), Is.Null);
        Assert.That(cpu.Write(Linear + 0x103, 1), Is.Null);
        Assert.That(CodePages.Version(cpu.State, 0x9000), Is.Zero);
        Assert.That(cpu.Write(Linear + 0x102, 1), Is.Null);
        Assert.That(CodePages.Version(cpu.State, 0x9000), Is.EqualTo(1u));
        Assert.That(cpu.State->CodePages->Changes, Is.EqualTo(1));
    }

    [UnmanagedCallersOnly]
    private static void MapOnDemand(CpuState* cpu, uint vector, uint errorCode)
    {
        ulong table = cpu->Cr3;
        for (int shift = 39; shift > 12; shift -= 9)
            table = *(ulong*)(cpu->Ram + table + ((Linear >> shift & 511) * 8)) & PageTableEntry.AddressMask;
        *(ulong*)(cpu->Ram + table + ((Linear >> 12 & 511) * 8)) = 0xb000 | Everything;
        cpu->Rax = ((ulong)vector << 32) | errorCode;
    }

    private static PagedCpu TwoPages(ulong secondBits)
    {
        var cpu = new PagedCpu();
        cpu.Map(Linear, 0x9000, Everything);
        cpu.Map(Linear + 0x1000, 0x7000, secondBits);
        return cpu;
    }

    private static void RoundTrip<T>(PagedCpu cpu, ulong linear, T value)
        where T : unmanaged
    {
        Assert.That(LinearMemory.TryStore(cpu.State, linear, AccessMode.Supervisor, value, out _));
        Assert.That(LinearMemory.TryLoad(cpu.State, linear, AccessMode.Supervisor, out T read, out _));
        Assert.That(read, Is.EqualTo(value));
    }
}
