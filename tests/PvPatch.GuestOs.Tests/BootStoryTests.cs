using System.Globalization;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Memory;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Log;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tests;

[TestFixture]
public sealed unsafe class BootStoryTests
{
    [TestCase("kvm", 1, "Hypervisor detected: KVM|kvm-clock: Using msrs 4b564d01 and 4b564d00|kvm-clock: using sched offset of *|Booting paravirtualized kernel on KVM|kvm-guest: stealtime: cpu 0, msr *|kvm-guest: PV spinlocks disabled, single CPU|rtc: system time 2026-02-03T04:05:06 UTC")]
    [TestCase("kvm", 2, "Hypervisor detected: KVM|Booting paravirtualized kernel on KVM|kvm-guest: KVM setup pv remote TLB flush|kvm-guest: setup PV IPIs|kvm-guest: PV spinlocks enabled|smp: Bringing up secondary CPUs ...|kvm-guest: stealtime: cpu 1, msr *|smpboot: CPU1 is up")]
    [TestCase("bare", 1, "Command line: test|tsc: Detected *MHz processor|Memory: *|Booting paravirtualized kernel on bare hardware|rtc: system time 2026-02-03T04:05:06 UTC")]
    [TestCase("bare", 2, "Booting paravirtualized kernel on bare hardware|smp: Bringing up secondary CPUs ...|smpboot: CPU1 is up")]
    public void The_log_tells_the_steps_in_Linux_words_and_order(string host, int cpus, string expected)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus);
        int line = 0;
        foreach (string wanted in expected.Split('|'))
        {
            while (line < guest.Messages.Count && !Matches(guest.Messages[line], wanted))
                line++;
            Assert.That(line, Is.LessThan(guest.Messages.Count), $"'{wanted}' does not follow in\n{string.Join('\n', guest.Console)}");
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    public void Bare_hardware_is_no_hypervisor(int cpus)
    {
        using GuestMachine guest = GuestMachine.Booted("bare", cpus);
        Assert.That(guest.Messages, Has.None.Contains("Hypervisor detected").And.None.StartsWith("kvm"));
    }

    [TestCase("bare")]
    [TestCase("kvm")]
    public void Time_stamps_never_go_back(string host)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus: 2);
        guest.Do(cpu => guest.Kernel.Run("mixed", 3, 20));
        guest.Run(_ => guest.Kernel.Shutdown());
        double[] times = [.. guest.Console.Select(line => double.Parse(line[1..line.IndexOf(']', StringComparison.Ordinal)], CultureInfo.InvariantCulture))];
        Assert.That(times, Is.Ordered);
        Assert.That(times[^1], Is.GreaterThan(times[0]));
    }

    [TestCase(KvmHost.AllFeatures, KvmHints.None, 2, "enabled")]
    [TestCase(KvmHost.AllFeatures, KvmHints.None, 1, "disabled, single CPU")]
    [TestCase(KvmHost.AllFeatures, KvmHints.Realtime, 2, "disabled with KVM_HINTS_REALTIME hints")]
    [TestCase(KvmHost.AllFeatures, KvmHints.Realtime, 1, "disabled with KVM_HINTS_REALTIME hints")]
    [TestCase(KvmHost.AllFeatures & ~KvmFeatures.PvUnhalt, KvmHints.None, 2, "disabled, no host support")]
    [TestCase(KvmHost.AllFeatures & ~KvmFeatures.PvUnhalt, KvmHints.Realtime, 1, "disabled, no host support")]
    public void The_log_says_why_spin_locks_are_paravirtual_or_not(KvmFeatures features, KvmHints hints, int cpus, string state)
    {
        using GuestMachine guest = new GuestMachine(new KvmHost(features, hints), cpus).Boot();
        Assert.That(guest.Messages.Where(line => line.StartsWith("kvm-guest: PV spinlocks", StringComparison.Ordinal)), Is.EqualTo([$"kvm-guest: PV spinlocks {state}"]));
    }

    [TestCase("bare", 1)]
    [TestCase("bare", 2)]
    [TestCase("kvm", 1)]
    [TestCase("kvm", 2)]
    public void Shutdown_powers_the_machine_off(string host, int cpus)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus);
        Assert.That(guest.Run(_ => guest.Kernel.Shutdown()), Is.TypeOf<MachineExit.PoweredOff>());
        Assert.That(guest.Messages[^1], Is.EqualTo("reboot: Power down"));
    }

    [TestCase("bare")]
    [TestCase("kvm")]
    public void More_CPUs_than_the_kernel_starts_are_left_alone(string host)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus: 4);
        ulong checksum = 0;
        guest.Do(_ => checksum = guest.Kernel.Run("mixed", 5, 10));
        using GuestMachine two = GuestMachine.Booted(host, cpus: 2);
        ulong expected = 1;
        two.Do(_ => expected = two.Kernel.Run("mixed", 5, 10));
        Assert.That(checksum, Is.EqualTo(expected));
    }

    [Test]
    public void A_store_outside_of_what_is_mapped_panics_with_address_and_error_code()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        string message = guest.Panic(cpu => LinearMemory.Store(cpu, 0x1234_5678, 1ul));
        Assert.That(message.Split('\n')[^1], Does.EndWith("Kernel panic - not syncing: Unable to handle page fault for address 0000000012345678, error code 0002"));
    }

    [Test]
    public void After_a_panic_the_machine_is_off()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm");
        MachineExit first = guest.Run(cpu => Panic.Stop(cpu, "test"));
        Assert.That(first, Is.TypeOf<MachineExit.Panicked>());
        Assert.That(guest.Run(_ => { }), Is.SameAs(first));
    }

    [TestCase(4u, 1ul << 63, "Fatal exception 13, error code 0000, interrupts on")]
    [TestCase(0u, 1ul << 63, "Fatal exception 13, error code 0000, interrupts on")]
    [TestCase(3u, 1ul << 62, "Fatal exception 13, error code 0000, interrupts on")]
    public void A_control_register_that_refuses_its_value_panics(uint register, ulong bit, string expected)
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        string message = guest.Panic(cpu =>
        {
            if (register == 0)
                PvCpu.WriteCr0(cpu, cpu->Cr0 | bit);
            else if (register == 3)
                PvMmu.WriteCr3(cpu, cpu->Cr3 | bit);
            else
                PvCpu.WriteCr4(cpu, cpu->Cr4 | bit);
        });
        Assert.That(message, Does.EndWith(expected));
    }

    [Test]
    public void The_log_in_memory_holds_what_the_console_showed()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm", cpus: 2);
        IReadOnlyList<string> log = [];
        guest.Do(cpu => log = KernelLog.Read(cpu));
        Assert.That(log, Is.EqualTo(guest.Console));
    }

    [Test]
    public void A_full_log_keeps_its_last_lines_whole()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm");
        IReadOnlyList<string> log = [];
        guest.Do(cpu =>
        {
            for (int i = 0; i < 2_500; i++)
                KernelLog.Print(cpu, $"line {i} of many");
            log = KernelLog.Read(cpu);
        });
        int bytes = log.Sum(line => line.Length + 1);
        Assert.That(bytes, Is.InRange((int)MemoryLayout.LogSize - 100, (int)MemoryLayout.LogSize));
        Assert.That(log, Is.EqualTo(guest.Console.TakeLast(log.Count)));
    }

    [Test]
    public void All_memory_but_the_kernel_own_is_free_after_boot()
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        uint managed = 0, free = 0;
        guest.Do(cpu => (managed, free) = (PageAllocator.ManagedPages(cpu), PageAllocator.FreePages(cpu)));
        Assert.That(managed - free, Is.InRange(1, 16), "pages of the kernel's page tables");
    }

    [Test]
    public void The_per_CPU_page_is_told_to_the_host_and_readable_at_its_fixed_address()
    {
        var host = new KvmHost();
        using GuestMachine guest = new GuestMachine(host).Boot();
        ulong atFixmap = 0, direct = 1;
        MemoryFault fault = default;
        bool written = true;
        guest.Do(cpu =>
        {
            atFixmap = LinearMemory.Load<ulong>(cpu, MemoryLayout.Fixmap(0) + PerCpu.HypervisorOffset);
            direct = *(ulong*)PerCpu.Of(cpu)->Hypervisor;
            written = LinearMemory.TryStore(cpu, MemoryLayout.Fixmap(0), AccessModes.Of(cpu), 0, out fault);
        });
        Assert.That(host.GpaRanges, Is.EqualTo([new KvmGpaRange(PerCpu.AddressOf(0), 1, 0)]));
        Assert.That((atFixmap, written, fault.ErrorCode), Is.EqualTo((direct, false, PageFaultBits.Protection | PageFaultBits.Write)));
    }

    private static bool Matches(string line, string pattern)
    {
        string[] parts = pattern.Split('*', 2);
        return parts.Length == 1
            ? string.Equals(line, pattern, StringComparison.Ordinal)
            : line.StartsWith(parts[0], StringComparison.Ordinal) && line.EndsWith(parts[1], StringComparison.Ordinal);
    }
}
