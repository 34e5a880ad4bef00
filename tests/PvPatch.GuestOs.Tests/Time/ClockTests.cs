using System.Runtime.InteropServices;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Cpus;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.GuestOs.Time;
using PvPatch.Hosts.Bare;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tests.Time;

[TestFixture]
public sealed unsafe class ClockTests
{
    private static int _reads;
    private static nint _page;

    [TestCase("bare")]
    [TestCase("kvm")]
    public void Every_tick_advances_jiffies_by_one(string host)
    {
        using GuestMachine guest = GuestMachine.Booted(host);
        var jiffies = new List<ulong>();
        guest.Do(cpu =>
        {
            for (int i = 0; i < 5; i++)
            {
                jiffies.Add(KernelClock.Jiffies(cpu));
                PvIrq.SafeHalt(cpu);
            }
        });
        Assert.That(jiffies.Zip(jiffies.Skip(1), (a, b) => b - a), Is.All.EqualTo(1ul));
    }

    [Test]
    public void Ticks_are_a_hundredth_of_a_second_apart_and_missed_ones_are_not_made_up_for()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm");
        (ulong Passed, ulong Ticks, ulong Late) seen = default;
        guest.Do(cpu =>
        {
            PvIrq.SafeHalt(cpu);
            ulong start = guest.Clock.Now;
            PvIrq.SafeHalt(cpu);
            seen.Passed = (guest.Clock.Now - start + 50_000) / 100_000;
            ulong before = KernelClock.Jiffies(cpu);
            PvIrq.Disable(cpu);
            guest.Clock.Advance(57_000_000);
            PvIrq.Enable(cpu);
            seen.Ticks = KernelClock.Jiffies(cpu) - before;
            ulong late = guest.Clock.Now;
            PvIrq.SafeHalt(cpu);
            seen.Late = (guest.Clock.Now - late + 500_000) / 1_000_000;
        });
        Assert.That(seen, Is.EqualTo((100ul, 1ul, 3ul)), "tenths of a millisecond between ticks; ticks for 57 ms; milliseconds to the next one");
    }

    [TestCase("bare")]
    [TestCase("kvm")]
    public void The_wall_clock_at_boot_is_the_machine_time_of_day(string host)
    {
        using GuestMachine guest = GuestMachine.Booted(host);
        ulong seconds = 0;
        guest.Do(cpu => seconds = KernelClock.BootSeconds(cpu));
        Assert.That(seconds, Is.EqualTo((ulong)GuestMachine.Today.ToUnixTimeSeconds()));
    }

    [TestCase(1_000_000_000ul)]
    [TestCase(999_999_999ul)]
    [TestCase(2_500_000_000ul)]
    [TestCase(4_000_000_000ul)]
    [TestCase(33_333_333ul)]
    public void Kvm_clock_shows_the_host_time_at_every_frequency(ulong frequency)
    {
        using GuestMachine guest = new GuestMachine(new KvmHost(), frequency: frequency).Boot();
        (ulong Guest, ulong Host, ulong Khz) time = default;
        guest.Do(cpu =>
        {
            PvIrq.Disable(cpu);                                 // a tick between the two readings would take its time
            guest.Clock.Advance(frequency / 3);
            ulong offset = KvmPerCpu.Of(cpu)->ClockOffset;
            time.Guest = PvTime.SchedClock(cpu) + offset;
            time.Host = guest.Clock.ToNanoseconds(guest.Clock.Now);
            time.Khz = PvTime.GetTscKhz(cpu);
        });
        Assert.That((long)(time.Host - time.Guest), Is.InRange(0, 2), "nanoseconds that the guest's clock lags");
        Assert.That((long)time.Khz - (long)(frequency / 1000), Is.InRange(-1, 1), "kHz");
    }

    [TestCase(1_000_000_000ul)]
    [TestCase(2_500_000_000ul)]
    [TestCase(100_000_000ul)]
    public void The_TSC_rate_is_measured_on_bare_hardware(ulong frequency)
    {
        using GuestMachine guest = new GuestMachine(new BareHardware(), frequency: frequency).Boot();
        ulong khz = 0;
        guest.Do(cpu => khz = PerCpu.Of(cpu)->TscKhz);
        Assert.That(khz * 1000.0 / frequency, Is.EqualTo(1).Within(0.001));
    }

    [TestCase(1)]
    [TestCase(2)]
    public void Both_CPUs_show_one_time_under_KVM(int reads)
    {
        using GuestMachine guest = GuestMachine.Booted("kvm", cpus: 2);
        var times = new List<ulong>();
        guest.Do(cpu =>
        {
            for (int i = 0; i < reads; i++)
            {
                times.Add(PvTime.SchedClock(cpu));
                times.Add(PvTime.SchedClock(guest.Machine.Cpu(1)));
            }
        });
        Assert.That(times.Zip(times.Skip(1), (a, b) => b - a), Is.All.EqualTo(100ul), "what one reading costs");
    }

    [Test]
    public void A_clock_page_that_changes_while_it_is_read_is_read_again()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm");
        ulong time = 0;
        guest.Do(cpu =>
        {
            PvClockVcpuTimeInfo* page = &KvmPerCpu.Of(cpu)->Clock;
            SensitiveOps ops = *cpu->Sensitive;
            SensitiveOps* before = cpu->Sensitive;
            ops.Rdtsc = &ReadWhileHostWrites;
            (_reads, _page) = (0, (nint)page);
            cpu->Sensitive = &ops;
            time = PvTime.SchedClock(cpu) + KvmPerCpu.Of(cpu)->ClockOffset;
            cpu->Sensitive = before;
        });
        Assert.That((_reads, time), Is.EqualTo((3, 2_000_000ul)), "readings: before the write, in it, after it");
    }

    [Test]
    public void Steal_time_is_what_the_host_gave_to_the_other_CPU()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm", cpus: 2);
        (ulong Before, ulong After, ulong Record, ulong Other) steal = default;
        guest.Do(cpu =>
        {
            QSpinLock* spinLock = MemoryLayout.At<QSpinLock>(cpu, PageAllocator.Allocate(cpu));
            steal.Before = PvTime.StealClock(cpu, 0);
            SecondCpu.TakeAndBePreempted(cpu, spinLock);        // one slice of the other CPU, in the boot CPU's place
            steal.After = PvTime.StealClock(cpu, 0);
            ulong address = PvCpu.ReadMsr(cpu, KvmMsr.StealTime) & ~KvmMsr.Enable;
            steal.Record = MemoryLayout.At<KvmStealTime>(cpu, address)->Steal;
            guest.Clock.Advance(5_000_000);                     // the other CPU holds the lock and would run
            KernelLock.Acquire(cpu, spinLock);
            steal.Other = PvTime.StealClock(cpu, 1);
        });
        Assert.That(steal.After - steal.Before, Is.InRange(100_000, 110_000), "a slice is 100 us");
        Assert.That(steal.Record, Is.EqualTo(steal.After));
        Assert.That(steal.Other, Is.GreaterThanOrEqualTo(5_000_000));
    }

    /// <summary>The first reading finds the host about to write; before the second the version is odd, after it the page is whole.</summary>
    [UnmanagedCallersOnly]
    private static ulong ReadWhileHostWrites(CpuState* cpu)
    {
        var page = (PvClockVcpuTimeInfo*)_page;
        switch (++_reads)
        {
            case 1:
                page->Version++;
                break;
            case 2:
                page->SystemTime = 2_000_000;
                page->Version++;
                break;
            default:
                break;
        }

        return page->TscTimestamp;
    }
}
