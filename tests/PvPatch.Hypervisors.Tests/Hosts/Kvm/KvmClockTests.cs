using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using static PvPatch.Emulator.Tests.Kit.TestGuest;
using static PvPatch.Hypervisors.Tests.Hosts.Kvm.KvmGuestSide;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

public sealed unsafe class KvmClockTests
{
    [TestCase(1_000_000ul)]
    [TestCase(499_999_999ul)]
    [TestCase(1_000_000_000ul)]
    [TestCase(1_000_000_001ul)]
    [TestCase(2_600_000_000ul)]
    [TestCase(3_999_999_999ul)]
    public void The_guests_formula_gives_the_machines_time_at_any_frequency(ulong frequency)
    {
        using var clock = new VirtualClock(frequency, cyclesPerRead: 0);
        using var machine = new TestMachine(platform: new KvmHost(), clock: clock);
        var errors = new List<long>();
        machine.Run(cpu =>
        {
            clock.Advance(12345);
            Wrmsr(cpu, KvmMsr.SystemTimeNew, Clock | KvmMsr.Enable);
            foreach (ulong seconds in (ReadOnlySpan<ulong>)[0, 1, 60, 3600, 86400])
            {
                clock.Advance(frequency * seconds);
                ulong guest = Nanoseconds(*At<PvClockVcpuTimeInfo>(cpu, Clock), cpu->Sensitive->Rdtsc(cpu));
                errors.Add((long)(clock.ToNanoseconds(clock.Now) - guest));
            }
        });

        // The multiplier has at least 31 exact bits: below half a part in 10^9, so 50 microseconds a day, and never ahead.
        Assert.That(errors, Is.All.InRange(0, 50_000));
        Assert.That(errors[0], Is.InRange(0, 1));
    }

    [Test]
    public void The_version_is_even_and_grows_by_two_at_each_write()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        var versions = new List<uint>();
        machine.Run(cpu =>
        {
            At<PvClockVcpuTimeInfo>(cpu, Clock)->Version = 7;
            for (int write = 0; write < 3; write++)
            {
                Wrmsr(cpu, KvmMsr.SystemTimeNew, Clock | KvmMsr.Enable);
                versions.Add(At<PvClockVcpuTimeInfo>(cpu, Clock)->Version);
            }
        });
        Assert.That(versions, Is.EqualTo(new uint[] { 8, 10, 12 }));
    }

    [Test]
    public void A_reader_on_another_thread_that_keeps_the_protocol_never_sees_a_torn_page()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        CpuState* state = machine.Machine.Cpu(0);
        bool done = false;
        long torn = 0, whole = 0;
        var reader = new Thread(() =>
        {
            var page = At<PvClockVcpuTimeInfo>(state, Clock);
            while (!Volatile.Read(ref done) || whole == 0)
            {
                uint version = Volatile.Read(ref page->Version);
                ulong tsc = Volatile.Read(ref page->TscTimestamp), time = Volatile.Read(ref page->SystemTime);
                if ((version & 1) != 0 || version != Volatile.Read(ref page->Version)) continue;
                whole++;
                if (tsc != time) torn++;
            }
        });
        reader.Start();
        machine.Run(cpu =>
        {
            // At 1 GHz a cycle is a nanosecond: in a whole page both fields are equal.
            for (int write = 0; write < 200_000; write++) Wrmsr(cpu, KvmMsr.SystemTimeNew, Clock | KvmMsr.Enable);
            Volatile.Write(ref done, true);
        });
        reader.Join();
        Assert.That(torn, Is.Zero);
    }

    [Test]
    public void All_vCPUs_read_the_same_time_whenever_they_registered_and_whatever_their_TSC()
    {
        using var clock = new VirtualClock(2_600_000_000, cyclesPerRead: 0);
        using var machine = new TestMachine(cpus: 2, platform: new KvmHost(), clock: clock);
        (ulong First, ulong Second) times = default;
        machine.Run(cpu =>
        {
            CpuState* other = machine.Machine.Cpu(1);
            Wrmsr(other, Msr.Tsc, 0x1234_5678_9abc);
            Wrmsr(cpu, KvmMsr.SystemTimeNew, Clock | KvmMsr.Enable);
            clock.Advance(987_654_321);
            Wrmsr(other, KvmMsr.SystemTimeNew, (Clock + 64) | KvmMsr.Enable);
            clock.Advance(123_456_789);
            times.First = Nanoseconds(*At<PvClockVcpuTimeInfo>(cpu, Clock), cpu->Sensitive->Rdtsc(cpu));
            times.Second = Nanoseconds(*At<PvClockVcpuTimeInfo>(cpu, Clock + 64), other->Sensitive->Rdtsc(other));
        });
        Assert.That(times.Second, Is.EqualTo(times.First).And.GreaterThan(0));
    }

    [TestCase(KvmHost.AllFeatures, PvClockVcpuTimeInfo.TscStable)]
    [TestCase(KvmFeatures.Clocksource2, (byte)0)]
    public void The_stable_flag_is_set_if_the_host_promises_it(KvmFeatures features, byte flags)
    {
        using var machine = new TestMachine(platform: new KvmHost(features));
        machine.Run(cpu => Wrmsr(cpu, KvmMsr.SystemTimeNew, Clock | KvmMsr.Enable));
        Assert.That(machine.Machine.Memory.Read<PvClockVcpuTimeInfo>(Clock).Flags, Is.EqualTo(flags));
    }

    [Test]
    public void The_wall_clock_plus_the_clock_is_the_time_of_day()
    {
        using var clock = new VirtualClock(1_000_000_000, cyclesPerRead: 0);
        var now = new DateTimeOffset(2031, 5, 6, 7, 8, 9, TimeSpan.Zero);
        using var machine = new TestMachine(platform: new KvmHost(), clock: clock, wallClock: new SetTime(now));
        MachineExit exit = machine.Run(cpu =>
        {
            clock.Advance(2_500_000_000);
            Wrmsr(cpu, KvmMsr.WallClockNew, WallClock);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        var page = machine.Machine.Memory.Read<PvClockWallClock>(WallClock);
        Assert.That((page.Version, page.Seconds, page.Nanoseconds), Is.EqualTo((2u, (uint)now.ToUnixTimeSeconds() - 3, 500_000_000u)));
    }

    [Test]
    public void A_page_that_was_switched_off_is_written_no_more()
    {
        using var machine = new TestMachine(cpus: 2, platform: new KvmHost());
        machine.Run(cpu =>
        {
            Wrmsr(cpu, KvmMsr.SystemTimeNew, Clock | KvmMsr.Enable);
            Wrmsr(cpu, KvmMsr.SystemTimeNew, 0);
            *At<PvClockVcpuTimeInfo>(cpu, Clock) = default;
            Wrmsr(machine.Machine.Cpu(1), KvmMsr.SystemTimeNew, (Clock + 64) | KvmMsr.Enable);
        });
        Assert.That(machine.Machine.Memory.Read<PvClockVcpuTimeInfo>(Clock).Version, Is.Zero);
        Assert.That(machine.Machine.Memory.Read<PvClockVcpuTimeInfo>(Clock + 64).Version, Is.EqualTo(2));
    }
}
