using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using static PvPatch.Emulator.Tests.Kit.TestGuest;
using static PvPatch.Hypervisors.Tests.Hosts.Kvm.KvmGuestSide;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

public sealed unsafe class KvmHypercallsTests
{
    private const byte Vector = 0x60;

    [TestCase(0ul)]
    [TestCase(2ul)]
    [TestCase(13ul)]
    [TestCase(ulong.MaxValue)]
    public void A_number_nobody_has_is_no_such_call(ulong number)
        => Assert.That(Answer(new KvmHost(), number), Is.EqualTo(KvmError.NoSuchCall));

    [TestCase(KvmHypercall.KickCpu, KvmFeatures.PvUnhalt)]
    [TestCase(KvmHypercall.SendIpi, KvmFeatures.PvSendIpi)]
    [TestCase(KvmHypercall.SchedYield, KvmFeatures.PvSchedYield)]
    [TestCase(KvmHypercall.MapGpaRange, KvmFeatures.HcMapGpaRange)]
    public void A_call_whose_feature_is_not_offered_is_no_such_call(ulong number, KvmFeatures feature)
    {
        Assert.That(Answer(new KvmHost(KvmHost.AllFeatures & ~feature), number, rcx: 1), Is.EqualTo(KvmError.NoSuchCall));
        Assert.That(Answer(new KvmHost(feature), number, rcx: 1), Is.Not.EqualTo(KvmError.NoSuchCall));
    }

    [Test]
    public void From_ring_3_no_call_is_permitted()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        long answer = 0;
        machine.Run(cpu =>
        {
            cpu->Cs.Selector = 0x33;
            answer = Call(cpu, KvmHypercall.VapicPollIrq);
        });
        Assert.That(answer, Is.EqualTo(KvmError.NotPermitted));
    }

    [Test]
    public void A_kick_before_the_halt_is_not_lost()
    {
        using var machine = new TestMachine(cpus: 2, platform: new KvmHost());
        MachineExit exit = machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &KickBootThenHalt);
            cpu->Sensitive->Pause(cpu); // the kick comes here, before the boot vCPU halts
            Cli(cpu);
            cpu->Sensitive->Hlt(cpu);
            Note(cpu, 1);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1 }));
    }

    [Test]
    public void A_kicked_vCPU_gets_a_slice_though_its_interrupts_are_off()
    {
        using var machine = new TestMachine(cpus: 2, platform: new KvmHost());
        machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &NoteThenHalt);
            for (int pause = 0; pause < 3; pause++) cpu->Sensitive->Pause(cpu);
            Note(cpu, 100);
            Call(cpu, KvmHypercall.KickCpu, 0, 1);
            for (int pause = 0; pause < 3; pause++) cpu->Sensitive->Pause(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, 100, 1 }));
    }

    [Test]
    public void Kicking_a_vCPU_that_is_not_there_is_harmless()
        => Assert.That(Answer(new KvmHost(), KvmHypercall.KickCpu, rcx: 77), Is.Zero);

    [TestCase(0b11ul, 0ul, 0ul, (ulong)Vector, 2L, TestName = "Two vCPUs by a fixed interrupt")]
    [TestCase(0b01ul, 0ul, 1ul, (ulong)Vector, 1L, TestName = "The map starts at the lowest id")]
    [TestCase(0b11ul, 0ul, 1ul, (ulong)Vector, 1L, TestName = "An id nobody has is not counted")]
    [TestCase(0ul, 1ul, 0ul, (ulong)Vector, 0L, TestName = "Bit 64 is id 64")]
    [TestCase(1ul, 0ul, ulong.MaxValue, (ulong)Vector, 0L, TestName = "An id past the end is not counted")]
    [TestCase(0b11ul, 0ul, 0ul, 0x400ul, 2L, TestName = "NMI delivery")]
    [TestCase(0b11ul, 0ul, 0ul, 0x500ul, KvmError.Invalid, TestName = "INIT delivery is invalid")]
    [TestCase(0b11ul, 0ul, 0ul, 0x8000ul | Vector, KvmError.Invalid, TestName = "A level-triggered ICR is invalid")]
    public void Interrupts_go_to_the_vCPUs_of_the_map(ulong low, ulong high, ulong lowest, ulong icr, long expected)
    {
        using var machine = new TestMachine(cpus: 2, platform: new KvmHost());
        long answer = 0;
        machine.Run(cpu =>
        {
            Prepare(machine.Machine.Cpu(1));
            SetGate(cpu, 2, &NoteVector);
            SetGate(cpu, Vector, &NoteAndEnd);
            answer = Call(cpu, KvmHypercall.SendIpi, low, high, lowest, icr);
            Sti(cpu);
        });
        Assert.That(answer, Is.EqualTo(expected));
        bool toBoot = expected > 0 && lowest == 0 && (low & 1) != 0;
        Assert.That(machine.Notes, Is.EqualTo(toBoot ? new[] { icr == 0x400 ? 2ul : Vector } : []));
        bool toOther = expected > 0 && (low >> (int)(1 - lowest) & 1) != 0;
        Assert.That(machine.Machine.Cpu(1)->EventPending != 0, Is.EqualTo(toOther));
    }

    [Test]
    public void Clock_pairing_tells_host_time_and_TSC_of_one_moment()
    {
        using var clock = new VirtualClock(cyclesPerRead: 0);
        var now = new DateTimeOffset(2031, 5, 6, 7, 8, 9, 250, TimeSpan.Zero);
        using var machine = new TestMachine(platform: new KvmHost(), clock: clock, wallClock: new SetTime(now));
        (long Done, long Type, long Fault) answers = default;
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.Tsc, 4242);
            answers = (Call(cpu, KvmHypercall.ClockPairing, 0x6_0000), Call(cpu, KvmHypercall.ClockPairing, 0x6_0000, 1), Call(cpu, KvmHypercall.ClockPairing, 0x4000_0000));
        });
        Assert.That(answers, Is.EqualTo((0L, KvmError.NotSupported, KvmError.Fault)));
        var pairing = machine.Machine.Memory.Read<KvmClockPairing>(0x6_0000);
        Assert.That((pairing.Seconds, pairing.Nanoseconds, pairing.Tsc), Is.EqualTo((now.ToUnixTimeSeconds(), 250_000_000L, 4242ul)));
    }

    [TestCase(0x1000ul, 2ul, KvmHypercall.MapGpaEncrypted, 0L)]
    [TestCase(0x1001ul, 2ul, 0ul, KvmError.Invalid)]
    [TestCase(0x1000ul, 0ul, 0ul, KvmError.Invalid)]
    [TestCase(0x1000ul, ulong.MaxValue, 0ul, KvmError.Invalid)]
    [TestCase(0x1000ul, 2ul, 0x20ul, KvmError.Invalid)]
    public void Mapped_ranges_are_recorded_if_they_make_sense(ulong address, ulong pages, ulong attributes, long expected)
    {
        var host = new KvmHost();
        Assert.That(Answer(host, KvmHypercall.MapGpaRange, address, pages, attributes), Is.EqualTo(expected));
        Assert.That(host.GpaRanges, Is.EqualTo(expected == 0 ? new[] { new KvmGpaRange(address, pages, attributes) } : []));
    }

    [Test]
    public void A_host_serves_one_machine()
    {
        var host = new KvmHost();
        using var machine = new TestMachine(platform: host);
        Assert.That(() => new TestMachine(platform: host), Throws.InvalidOperationException);
    }

    private static long Answer(KvmHost host, ulong number, ulong rbx = 0, ulong rcx = 0, ulong rdx = 0)
    {
        using var machine = new TestMachine(platform: host);
        long answer = 1;
        machine.Run(cpu => answer = Call(cpu, number, rbx, rcx, rdx));
        return answer;
    }

    private static void KickBootThenHalt(CpuState* cpu)
    {
        Call(cpu, KvmHypercall.KickCpu, 0, 0);
        cpu->Sensitive->Hlt(cpu);
    }

    private static void NoteThenHalt(CpuState* cpu)
    {
        Note(cpu, 1);
        cpu->Sensitive->Hlt(cpu);
    }
}
