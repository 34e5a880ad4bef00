using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Processors;

public sealed unsafe class HaltTests
{
    private const byte Vector = 0x60;
    private const uint Deadline = 2u << 17;

    [TestCase(false)]
    [TestCase(true)]
    public void With_nothing_that_can_wake_it_the_machine_says_it_is_halted(bool interruptsEnabled)
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(cpu =>
        {
            if (interruptsEnabled) SafeHalt(cpu);
            else cpu->Sensitive->Hlt(cpu);
        });
        Assert.That(exit, Is.EqualTo(new MachineExit.Halted(interruptsEnabled)));
    }

    [Test]
    public void A_timer_does_not_count_while_interrupts_are_off()
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Deadline);
            Wrmsr(cpu, Msr.TscDeadline, 1_000_000);
            cpu->Sensitive->Hlt(cpu);
        });
        Assert.That(exit, Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: false)));
    }

    [TestCase(true, TestName = "Neither a periodic one")]
    [TestCase(false, TestName = "Nor a masked one while they are on")]
    public void Timers_that_cannot_interrupt_do_not_keep_the_machine_waiting(bool interruptsOff)
    {
        foreach (MachineClock clock in (MachineClock[])[new VirtualClock(), new HostClock()])
        {
            using var machine = new TestMachine(clock: clock);
            MachineExit exit = machine.Run(cpu =>
            {
                Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | 1u << 17 | (interruptsOff ? 0 : 1u << 16));
                Wrmsr(cpu, Msr.X2ApicInitialCount, 1_000_000);
                if (interruptsOff) cpu->Sensitive->Hlt(cpu);
                else SafeHalt(cpu);
            });
            Assert.That(exit, Is.EqualTo(new MachineExit.Halted(!interruptsOff)), clock.GetType().Name);
        }
    }

    [Test]
    public void Halting_for_a_timer_over_and_over_never_finds_the_machine_without_one()
    {
        using var machine = new TestMachine(clock: new HostClock());
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, Vector, &NoteAndEnd);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Deadline);
            for (int halt = 0; halt < 500; halt++)
            {
                Wrmsr(cpu, Msr.TscDeadline, cpu->Sensitive->Rdtsc(cpu) + (ulong)(halt % 10) * 100_000);
                SafeHalt(cpu);
                Cli(cpu);
            }
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Has.Length.EqualTo(500));
    }

    [Test]
    public void A_timer_of_the_hosts_clock_wakes_it()
    {
        using var machine = new TestMachine(clock: new HostClock());
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, Vector, &NoteAndEnd);
            Wrmsr(cpu, Msr.X2ApicLvtTimer, Vector | Deadline);
            Wrmsr(cpu, Msr.TscDeadline, cpu->Sensitive->Rdtsc(cpu) + 2_000_000);
            SafeHalt(cpu);
            Note(cpu, 1);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { Vector, 1 }));
    }

    [Test]
    public void An_interrupt_that_waits_already_ends_HLT_at_once()
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, Vector, &NoteAndEnd);
            SelfIpi(cpu, Vector);
            SafeHalt(cpu);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { Vector }));
    }

    [TestCase(false, TestName = "A kick ends HLT with interrupts off")]
    [TestCase(true, TestName = "A kick before HLT is not lost")]
    public void Kicks_wake_whatever_IF_says(bool before)
    {
        using var machine = new TestMachine();
        using InterruptLine line = machine.Machine.OpenLine();
        using var halting = new ManualResetEventSlim();
        if (before) line.Kick();
        var kicker = new Thread(() =>
        {
            halting.Wait();
            line.Kick();
        });
        if (!before) kicker.Start();
        MachineExit exit = machine.Run(cpu =>
        {
            halting.Set();
            cpu->Sensitive->Hlt(cpu);
            Note(cpu, 1);
        });
        if (!before) kicker.Join();
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1 }));
    }

    [Test]
    public void A_kick_is_used_up_by_one_HLT()
    {
        using var machine = new TestMachine();
        using (InterruptLine line = machine.Machine.OpenLine()) line.Kick();
        MachineExit exit = machine.Run(cpu =>
        {
            cpu->Sensitive->Hlt(cpu);
            Note(cpu, 1);
            cpu->Sensitive->Hlt(cpu);
        });
        Assert.That(exit, Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: false)));
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1 }));
    }

    [Test]
    public void An_NMI_from_outside_wakes_it_with_interrupts_off()
    {
        using var machine = new TestMachine();
        using InterruptLine line = machine.Machine.OpenLine();
        using var halting = new ManualResetEventSlim();
        var sender = new Thread(() =>
        {
            halting.Wait();
            line.RaiseNmi();
        });
        sender.Start();
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, 2, &NoteVector);
            halting.Set();
            cpu->Sensitive->Hlt(cpu);
        });
        sender.Join();
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 2 }));
    }

    [Test]
    public void Closing_the_last_line_lets_a_halted_machine_say_so()
    {
        using var machine = new TestMachine();
        InterruptLine line = machine.Machine.OpenLine();
        using var halting = new ManualResetEventSlim();
        var closer = new Thread(() =>
        {
            halting.Wait();
            line.Dispose();
        });
        closer.Start();
        MachineExit exit = machine.Run(cpu =>
        {
            halting.Set();
            SafeHalt(cpu);
        });
        closer.Join();
        Assert.That(exit, Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: true)));
        Assert.That(() => line.Raise(Vector), Throws.InstanceOf<ObjectDisposedException>());
    }
}
