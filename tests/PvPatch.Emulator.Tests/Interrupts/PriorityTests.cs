using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Interrupts;

/// <summary>Intel SDM vol. 3, 10.8.</summary>
public sealed unsafe class PriorityTests
{
    private const byte Low = 0x41;
    private const byte SameClassAsLow = 0x4f;
    private const byte High = 0x51;
    private const ulong End = 0x1000;

    [Test]
    public void Masked_interrupts_wait_for_IF_and_come_highest_first()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            foreach (byte vector in (ReadOnlySpan<byte>)[Low, High, SameClassAsLow])
            {
                SetGate(cpu, vector, &NoteAndEnd);
                SelfIpi(cpu, vector);
            }

            Note(cpu, 1);
            Sti(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, High, SameClassAsLow, Low }));
    }

    [Test]
    public void A_vector_requested_twice_before_delivery_comes_once()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, Low, &NoteAndEnd);
            SelfIpi(cpu, Low);
            SelfIpi(cpu, Low);
            Sti(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { Low }));
    }

    [TestCase(High, new ulong[] { Low, High, High | End, Low | End }, TestName = "A higher class interrupts a handler that lets it")]
    [TestCase(SameClassAsLow, new ulong[] { Low, Low | End, SameClassAsLow, SameClassAsLow | End }, TestName = "The same class waits for the end of interrupt")]
    [TestCase(0x31, new ulong[] { Low, Low | End, 0x31, 0x31 | End }, TestName = "A lower class waits for the end of interrupt")]
    [TestCase(Low, new ulong[] { Low, Low | End, Low, Low | End }, TestName = "The vector in service can be requested again and waits")]
    public void Nesting_goes_by_class(byte second, ulong[] expected)
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, second, &NoteBothEnds);
            SetGate(cpu, Low, &RequestAnotherOnce);
            cpu->Gpr[8] = second;
            Sti(cpu);
            SelfIpi(cpu, Low);
        });
        Assert.That(machine.Notes, Is.EqualTo(expected));
    }

    [TestCase(0x50u, new ulong[] { 1, High }, TestName = "A task priority of the interrupt's class holds it back")]
    [TestCase(0x4fu, new ulong[] { High, 1 }, TestName = "A task priority below the interrupt's class lets it through")]
    public void The_task_priority_register_holds_back_by_class(uint priority, ulong[] expected)
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, High, &NoteAndEnd);
            Wrmsr(cpu, 0x808, priority);
            Sti(cpu);
            SelfIpi(cpu, High);
            Note(cpu, 1);
            Wrmsr(cpu, 0x808, 0);
        });
        Assert.That(machine.Notes, Is.EqualTo(expected));
    }

    [Test]
    public void CR8_is_the_task_priority_class_both_ways()
    {
        using var machine = new TestMachine();
        var seen = new ulong[3];
        machine.Run(cpu =>
        {
            cpu->Sensitive->MovToCr(cpu, 8, 9);
            seen[0] = Rdmsr(cpu, 0x808);
            Wrmsr(cpu, 0x808, 0x35);
            seen[1] = cpu->Cr8;
            seen[2] = cpu->Sensitive->MovToCr(cpu, 8, 16);
        });
        Assert.That(seen, Is.EqualTo(new ulong[] { 0x90, 3, 13 }));
    }

    [Test]
    public void Lowering_CR8_delivers_what_it_held_back()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, High, &NoteAndEnd);
            cpu->Sensitive->MovToCr(cpu, 8, 15);
            Sti(cpu);
            SelfIpi(cpu, High);
            Note(cpu, 1);
            cpu->Sensitive->MovToCr(cpu, 8, 0);
            Note(cpu, 2);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, High, 2 }));
    }

    [Test]
    public void The_processor_priority_is_the_higher_of_task_and_service()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, Low, &NotePriority);
            Sti(cpu);
            Wrmsr(cpu, 0x808, 0x22);
            Note(cpu, Rdmsr(cpu, 0x80a));
            SelfIpi(cpu, Low);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 0x22, 0x40 }));
    }

    [Test]
    public void Raising_the_task_priority_over_an_asserted_request_gives_the_spurious_vector_without_service()
    {
        using var machine = new TestMachine();
        var inService = new ulong[1];
        machine.Run(cpu =>
        {
            SetGate(cpu, High, &NoteAndEnd);
            SetGate(cpu, 0xff, &NoteVector);
            SelfIpi(cpu, High);
            Wrmsr(cpu, 0x808, 0xf0);
            Sti(cpu);
            for (uint word = 0; word < 8; word++) inService[0] |= Rdmsr(cpu, 0x810 + word);
            Note(cpu, 1);
            Wrmsr(cpu, 0x808, 0);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 0xff, 1, High }));
        Assert.That(inService[0], Is.Zero);
    }

    [Test]
    public void Requests_and_service_show_in_their_registers()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, Low, &NoteRegisters);
            SelfIpi(cpu, Low);
            Note(cpu, Rdmsr(cpu, 0x822));
            Sti(cpu);
            Note(cpu, Rdmsr(cpu, 0x812));
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 2, 2, 0, 0 }));
    }

    [Test]
    public void An_APIC_switched_off_by_software_accepts_nothing()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, Low, &NoteAndEnd);
            Wrmsr(cpu, Msr.X2ApicSpurious, 0xff);
            SelfIpi(cpu, Low);
            Wrmsr(cpu, Msr.X2ApicSpurious, 0x1ff);
            Sti(cpu);
        });
        Assert.That(machine.Notes, Is.Empty);
    }

    private static void RequestAnotherOnce(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, frame->Vector);
        byte second = (byte)cpu->Gpr[8];
        cpu->Gpr[8] = 0;
        if (second != 0) SelfIpi(cpu, second);
        Sti(cpu);
        Note(cpu, frame->Vector | End);
        Cli(cpu);
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }

    private static void NoteBothEnds(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, frame->Vector);
        Note(cpu, frame->Vector | End);
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }

    private static void NotePriority(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, Rdmsr(cpu, 0x80a));
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }

    private static void NoteRegisters(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, Rdmsr(cpu, 0x812));
        Note(cpu, Rdmsr(cpu, 0x822));
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }
}
