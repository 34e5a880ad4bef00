using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Interrupts;

/// <summary>Intel SDM vol. 3, 10.5.4. The clock stands still but for HLT, which goes to the next alarm: the times are exact.</summary>
public sealed unsafe class ApicTimerTests
{
    private const uint Vector = 0x60;
    private const uint Periodic = 1u << 17;
    private const uint Deadline = 2u << 17;
    private const uint Masked = 1u << 16;

    [Test]
    public void One_shot_comes_once_at_its_count()
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Wrmsr(cpu, Msr.X2ApicDivide, 0b1011);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector);
            Wrmsr(cpu, Msr.X2ApicInitialCount, 5000);
            SafeHalt(cpu);
            Note(cpu, Rdmsr(cpu, Msr.X2ApicCurrentCount));
            SafeHalt(cpu); // nothing can come any more: the machine says so
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 5000, 0 }));
    }

    [Test]
    public void Periodic_comes_at_every_multiple()
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Wrmsr(cpu, Msr.X2ApicDivide, 0b1011);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Periodic);
            Wrmsr(cpu, Msr.X2ApicInitialCount, 700);
            for (int tick = 0; tick < 4; tick++) SafeHalt(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 700, 1400, 2100, 2800 }));
    }

    [TestCase(0b0000u, 2ul)]
    [TestCase(0b0001u, 4ul)]
    [TestCase(0b0010u, 8ul)]
    [TestCase(0b0011u, 16ul)]
    [TestCase(0b1000u, 32ul)]
    [TestCase(0b1001u, 64ul)]
    [TestCase(0b1010u, 128ul)]
    [TestCase(0b1011u, 1ul)]
    public void The_divide_register_slows_the_count(uint divide, ulong divisor)
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Wrmsr(cpu, Msr.X2ApicDivide, divide);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector);
            Wrmsr(cpu, Msr.X2ApicInitialCount, 1000);
            SafeHalt(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { 1000 * divisor }));
    }

    [Test]
    public void The_current_count_counts_down()
    {
        var clock = new VirtualClock(cyclesPerRead: 0);
        using var machine = new TestMachine(clock: clock);
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.X2ApicDivide, 0b0000);
            Wrmsr(cpu, Msr.X2ApicInitialCount, 1000);
            clock.Advance(600);
            Note(cpu, Rdmsr(cpu, Msr.X2ApicCurrentCount));
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 700 }));
    }

    [Test]
    public void TSC_deadline_comes_when_the_guests_TSC_reaches_it()
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Wrmsr(cpu, Msr.Tsc, 1_000_000);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Deadline);
            Wrmsr(cpu, Msr.TscDeadline, 1_000_400);
            Note(cpu, Rdmsr(cpu, Msr.TscDeadline));
            SafeHalt(cpu);
            Note(cpu, Rdmsr(cpu, Msr.TscDeadline));
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1_000_400, 1_000_400, 0 }));
    }

    [Test]
    public void A_deadline_that_has_passed_comes_at_once_and_0_disarms()
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Sti(cpu);
            Wrmsr(cpu, Msr.Tsc, 5000);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Deadline);
            Wrmsr(cpu, Msr.TscDeadline, 9000);
            Wrmsr(cpu, Msr.TscDeadline, 0);
            Note(cpu, Rdmsr(cpu, Msr.TscDeadline));
            Wrmsr(cpu, Msr.TscDeadline, 1);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 0, 5000 }));
    }

    [TestCase(Deadline, Msr.X2ApicInitialCount, TestName = "An initial count is ignored in TSC deadline mode")]
    [TestCase(0u, Msr.TscDeadline, TestName = "A deadline is ignored in one-shot mode")]
    public void The_other_modes_register_arms_nothing(uint mode, uint msr)
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | mode);
            Wrmsr(cpu, msr, 100);
            Note(cpu, Rdmsr(cpu, msr));
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 0 }));
        Assert.That(machine.Machine.Clock.HasAlarm, Is.False);
    }

    [Test]
    public void Leaving_TSC_deadline_mode_disarms()
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Deadline);
            Wrmsr(cpu, Msr.TscDeadline, 1000);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector);
        });
        Assert.That(machine.Machine.Clock.HasAlarm, Is.False);
    }

    [Test]
    public void A_masked_timer_runs_but_stays_silent()
    {
        var clock = new VirtualClock(cyclesPerRead: 0);
        using var machine = new TestMachine(clock: clock);
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Sti(cpu);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Masked);
            Wrmsr(cpu, Msr.X2ApicInitialCount, 100);
            clock.Advance(1000);
            Note(cpu, 1);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1 }));
    }

    [TestCase(0u, 0ul, new ulong[0], TestName = "A masked one-shot that ran out stays silent when it is unmasked")]
    [TestCase(Periodic, 950ul, new ulong[] { 2000 }, TestName = "A masked periodic one goes on counting and comes at its next multiple")]
    public void Unmasking_goes_on_with_the_count(uint mode, ulong count, ulong[] expected)
    {
        var clock = new VirtualClock(cyclesPerRead: 0);
        using var machine = new TestMachine(clock: clock);
        ulong current = 1;
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Wrmsr(cpu, Msr.X2ApicDivide, 0b1011);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | mode | Masked);
            Wrmsr(cpu, Msr.X2ApicInitialCount, 1000);
            clock.Advance(1050);
            current = Rdmsr(cpu, Msr.X2ApicCurrentCount);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | mode);
            SafeHalt(cpu);
        });
        Assert.That(current, Is.EqualTo(count));
        Assert.That(machine.Notes, Is.EqualTo(expected));
    }

    [Test]
    public void Switching_the_APIC_off_masks_the_timer_until_software_unmasks_it()
    {
        using TestMachine machine = Still();
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector);
            Wrmsr(cpu, Msr.X2ApicSpurious, 0xff);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector);
            Wrmsr(cpu, Msr.X2ApicSpurious, 0x1ff);
            Note(cpu, Rdmsr(cpu, Msr.X2ApicLvtTimer));
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { Vector | Masked }));
    }

    [Test]
    public void Periods_missed_while_interrupts_were_off_become_one()
    {
        var clock = new VirtualClock(cyclesPerRead: 0);
        using var machine = new TestMachine(clock: clock);
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteTime);
            Wrmsr(cpu, Msr.X2ApicDivide, 0b1011);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Periodic);
            Wrmsr(cpu, Msr.X2ApicInitialCount, 100);
            clock.Advance(1050);
            Sti(cpu);
            SafeHalt(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1050, 1100 }));
    }

    /// <summary>A machine whose clock moves in HLT alone.</summary>
    private static TestMachine Still() => new(clock: new VirtualClock(cyclesPerRead: 0));

    private static void NoteTime(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, cpu->Sensitive->Rdtsc(cpu));
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }
}
