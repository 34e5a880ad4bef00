using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

public sealed unsafe class KvmMsrsTests
{
    private const ulong OutsideRam = 0x4000_0000;

    [TestCase(KvmMsr.WallClock, 0x6_0000ul)]
    [TestCase(KvmMsr.SystemTime, 0x6_0001ul)]
    [TestCase(KvmMsr.SystemTimeNew, 0x6_0005ul)]
    [TestCase(KvmMsr.StealTime, 0x6_0041ul)]
    [TestCase(KvmMsr.StealTime, 0x6_0040ul)]
    [TestCase(KvmMsr.PvEoiEn, 0x6_0005ul)]
    [TestCase(KvmMsr.PollControl, 0ul)]
    [TestCase(KvmMsr.PollControl, 1ul)]
    [TestCase(KvmMsr.AsyncPfInt, 0xf3ul)]
    [TestCase(KvmMsr.AsyncPfEn, 0x6_004bul)]
    [TestCase(KvmMsr.AsyncPfEn, 0ul)]
    [TestCase(KvmMsr.MigrationControl, 1ul)]
    public void What_the_ABI_allows_is_accepted_and_read_back(uint msr, ulong value)
        => Assert.That(WriteThenRead(KvmHost.AllFeatures, msr, value), Is.EqualTo((0u, value)));

    [TestCase(KvmMsr.SystemTimeNew, 0x6_0003ul, TestName = "A clock page that is not 4-aligned")]
    [TestCase(KvmMsr.SystemTimeNew, OutsideRam | 1, TestName = "A clock page outside RAM")]
    [TestCase(KvmMsr.StealTime, 0x6_0003ul, TestName = "Steal time: bit 1 is reserved")]
    [TestCase(KvmMsr.StealTime, 0x6_0021ul, TestName = "Steal time: bit 5 is reserved")]
    [TestCase(KvmMsr.StealTime, 0x6_0020ul, TestName = "Steal time: reserved bits count while switching off too")]
    [TestCase(KvmMsr.StealTime, OutsideRam | 1, TestName = "Steal time outside RAM")]
    [TestCase(KvmMsr.PvEoiEn, 0x6_0003ul, TestName = "An end-of-interrupt word that is not 4-aligned")]
    [TestCase(KvmMsr.PollControl, 2ul, TestName = "Poll control has one bit")]
    [TestCase(KvmMsr.AsyncPfEn, 0x6_0011ul, TestName = "Asynchronous page faults: bit 4 is reserved")]
    [TestCase(KvmMsr.AsyncPfEn, 0x6_0005ul, TestName = "Asynchronous page faults as exits are not offered")]
    [TestCase(KvmMsr.AsyncPfInt, 0x100ul, TestName = "An interrupt vector has 8 bits")]
    [TestCase(KvmMsr.MigrationControl, 2ul, TestName = "Migration control has one bit")]
    public void What_the_ABI_forbids_is_a_general_protection_fault_and_changes_nothing(uint msr, ulong value)
        => Assert.That(WriteThenRead(KvmHost.AllFeatures, msr, value), Is.EqualTo((13u, msr == KvmMsr.PollControl ? 1ul : 0)));

    [TestCase(KvmMsr.WallClock, KvmFeatures.Clocksource)]
    [TestCase(KvmMsr.SystemTime, KvmFeatures.Clocksource)]
    [TestCase(KvmMsr.WallClockNew, KvmFeatures.Clocksource2)]
    [TestCase(KvmMsr.SystemTimeNew, KvmFeatures.Clocksource2)]
    [TestCase(KvmMsr.AsyncPfEn, KvmFeatures.AsyncPf)]
    [TestCase(KvmMsr.StealTime, KvmFeatures.StealTime)]
    [TestCase(KvmMsr.PvEoiEn, KvmFeatures.PvEoi)]
    [TestCase(KvmMsr.PollControl, KvmFeatures.PollControl)]
    [TestCase(KvmMsr.AsyncPfInt, KvmFeatures.AsyncPfInt)]
    [TestCase(KvmMsr.AsyncPfAck, KvmFeatures.AsyncPfInt)]
    [TestCase(KvmMsr.MigrationControl, KvmFeatures.MigrationControl)]
    public void An_MSR_is_there_if_and_only_if_its_feature_is_offered(uint msr, KvmFeatures feature)
    {
        Assert.That(WriteThenRead(feature, msr, 0).Fault, Is.Zero);
        Assert.That(WriteThenRead(KvmHost.AllFeatures & ~feature, msr, 0), Is.EqualTo((13u, ulong.MaxValue)));
    }

    [Test]
    public void The_old_and_the_new_number_of_the_clock_are_one_register()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        ulong read = 0;
        machine.Run(cpu =>
        {
            Wrmsr(cpu, KvmMsr.SystemTime, 0x6_0001);
            read = Rdmsr(cpu, KvmMsr.SystemTimeNew);
        });
        Assert.That(read, Is.EqualTo(0x6_0001));
    }

    [Test]
    public void Polling_and_migration_reach_the_host()
    {
        var host = new KvmHost();
        using var machine = new TestMachine(cpus: 2, platform: host);
        Assert.That((host.MayPoll(0), host.IsMigrationReady), Is.EqualTo((true, false)));
        machine.Run(cpu =>
        {
            Wrmsr(cpu, KvmMsr.PollControl, 0);
            Wrmsr(cpu, KvmMsr.MigrationControl, 1);
        });
        Assert.That((host.MayPoll(0), host.MayPoll(1), host.IsMigrationReady), Is.EqualTo((false, true, true)));
    }

    [Test]
    public void Other_MSRs_are_the_processors()
        => Assert.That(WriteThenRead(KvmHost.AllFeatures, Msr.Star, 0x1234), Is.EqualTo((0u, 0x1234ul)));

    private static (uint Fault, ulong Value) WriteThenRead(KvmFeatures features, uint msr, ulong value)
    {
        using var machine = new TestMachine(platform: new KvmHost(features));
        (uint Fault, ulong Value) result = default;
        machine.Run(cpu => result = (Wrmsr(cpu, msr, value), Rdmsr(cpu, msr)));
        return result;
    }
}
