using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Guests;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Interrupts;

/// <summary>Intel SDM vol. 3, 6.14 and 6.15.</summary>
public sealed unsafe class DeliveryTests
{
    private const uint Vector = 0x30;
    private const byte TrapGate = 0x8f;

    [Test]
    public void The_frame_lies_on_the_guests_stack_and_holds_what_was_interrupted()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteFrame);
            cpu->Rip = 0x1234;
            cpu->RFlags |= RFlags.InterruptEnable | RFlags.Carry;
            cpu->Sensitive->RaiseException(cpu, Vector, 0x77);
        });
        ulong flags = RFlags.Fixed | RFlags.InterruptEnable | RFlags.Carry;
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { Vector, 0x77, 0x1234, KernelCode, flags, StackTop, 0x18 }));
        Assert.That(machine.Machine.Memory.Read<ulong>(StackTop - 56), Is.EqualTo(Vector));
        Assert.That(machine.Machine.Memory.Read<ulong>(StackTop - 8), Is.EqualTo(0x18));
    }

    [TestCase((byte)0x8e, false, TestName = "An interrupt gate clears IF")]
    [TestCase(TrapGate, true, TestName = "A trap gate keeps IF")]
    public void Gates_differ_in_IF(byte attributes, bool staysOpen)
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteFlags, attributes);
            cpu->RFlags |= RFlags.InterruptEnable | RFlags.Trap | RFlags.NestedTask;
            cpu->Sensitive->RaiseException(cpu, Vector, 0);
        });
        Assert.That(machine.Notes[0], Is.EqualTo(RFlags.Fixed | (staysOpen ? RFlags.InterruptEnable : 0)));
    }

    [Test]
    public void Returning_restores_the_state_and_what_the_handler_changed_in_the_frame()
    {
        using var machine = new TestMachine();
        ulong flags = 0, stack = 0, rip = 0;
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &ChangeFrame);
            cpu->RFlags |= RFlags.Carry;
            cpu->Sensitive->RaiseException(cpu, Vector, 0);
            (flags, stack, rip) = (cpu->RFlags, cpu->Rsp, cpu->Rip);
        });
        Assert.That((flags, stack, rip), Is.EqualTo((RFlags.Fixed | RFlags.Zero, StackTop, 0x5678ul)));
    }

    [Test]
    public void The_stack_is_aligned_to_16_for_the_frame_and_restored_exactly()
    {
        using var machine = new TestMachine();
        ulong after = 0;
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteStack);
            cpu->Rsp = StackTop - 3;
            cpu->Sensitive->RaiseException(cpu, Vector, 0);
            after = cpu->Rsp;
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { StackTop - 16 - 56 }));
        Assert.That(after, Is.EqualTo(StackTop - 3));
    }

    [Test]
    public void A_gate_with_an_IST_number_uses_that_stack()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteStack, ist: 1);
            cpu->Rsp = 0xdead_0000_0000_0000;
            cpu->Sensitive->RaiseException(cpu, Vector, 0);
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { InterruptStackTop - 56 }));
    }

    [Test]
    public void Coming_from_ring_3_the_frame_goes_on_RSP0_and_the_ring_is_restored()
    {
        using var machine = new TestMachine();
        const ulong ringStack = 0x5_0000;
        ulong codeAfter = 0, stackAfter = 0;
        machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteRing);
            *(ulong*)(cpu->Ram + cpu->Tr.Base + 4) = ringStack;
            cpu->Cs.Selector = 0x33;
            cpu->Ss.Selector = 0x2b;
            cpu->Sensitive->RaiseException(cpu, Vector, 0);
            (codeAfter, stackAfter) = (cpu->Cs.Selector, cpu->Ss.Selector);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { ringStack - 56, 0x10, 0, 0x33, 0x2b }));
        Assert.That((codeAfter, stackAfter), Is.EqualTo((0x33ul, 0x2bul)));
    }

    [Test]
    public void An_NMI_comes_with_interrupts_off_and_no_second_one_before_its_return()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, 2, &SendNmiOnce);
            SendNmi(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 2, 100, 2, 100 }));
    }

    [Test]
    public void An_NMI_comes_before_a_waiting_interrupt()
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            SetGate(cpu, 2, &NoteVector);
            SetGate(cpu, 0xf0, &NoteAndEnd);
            SelfIpi(cpu, 0xf0);
            SendNmi(cpu);
            Note(cpu, 1);
            Sti(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 2, 1, 0xf0 }));
    }

    [TestCase(0x30, "an empty gate", new ulong[] { 13, 0x183 })]
    [TestCase(0x31, "a gate that is not present", new ulong[] { 11, 0x18b })]
    [TestCase(0x32, "a null code selector", new ulong[] { 13, 1 })]
    [TestCase(0x33, "a code selector that is data", new ulong[] { 13, 0x19 })]
    [TestCase(0x34, "a code selector beyond the GDT", new ulong[] { 13, 0xff9 })]
    [TestCase(0x35, "an address of 0", new ulong[] { 14, 0x10 })]
    [TestCase(0x36, "a call gate", new ulong[] { 13, 0x1b3 })]
    public void A_fault_while_an_interrupt_is_delivered_is_delivered_in_turn(int vector, string what, ulong[] expected)
    {
        using var machine = new TestMachine();
        machine.Run(cpu =>
        {
            BadGates(cpu);
            SetGate(cpu, 11, &NoteVectorAndCode);
            SetGate(cpu, 13, &NoteVectorAndCode);
            SetGate(cpu, 14, &NoteVectorAndCode);
            Sti(cpu);
            Wrmsr(cpu, Msr.X2ApicSelfIpi, (ulong)vector);
        });
        Assert.That(machine.Notes, Is.EqualTo(expected), what);
    }

    // First exception, exception that its delivery raises (by the gate it gets), what the guest sees: SDM table 6-5.
    [TestCase(6, 13, 13, TestName = "Benign, then #GP: #GP")]
    [TestCase(13, 13, 8, TestName = "#GP, then #GP: double fault")]
    [TestCase(0, 11, 8, TestName = "#DE, then #NP: double fault")]
    [TestCase(13, 14, 14, TestName = "#GP, then #PF: #PF")]
    [TestCase(14, 13, 8, TestName = "#PF, then #GP: double fault")]
    [TestCase(14, 14, 8, TestName = "#PF, then #PF: double fault")]
    public void Two_faults_become_a_double_fault_by_their_classes(int first, int second, int seen)
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, second, &NoteVector);
            SetGate(cpu, 8, &NoteVector, ist: 1);
            switch (second)
            {
                case 11: SetGate(cpu, first, &NoteVector, attributes: 0x0e); break;
                case 14: SetRawGate(cpu, first, 0); break;
                default: SetRawGate(cpu, first, 1, attributes: 0); break;
            }

            cpu->Sensitive->RaiseException(cpu, (uint)first, 0);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(machine.Notes, Is.EqualTo(new[] { (ulong)seen }));
    }

    [Test]
    public void A_page_fault_of_delivery_sets_CR2()
    {
        using var machine = new TestMachine();
        ulong address = 1;
        machine.Run(cpu =>
        {
            SetRawGate(cpu, (int)Vector, 0);
            SetGate(cpu, 14, &NoteVector);
            cpu->Cr2 = 0x9999;
            Sti(cpu);
            SelfIpi(cpu, (byte)Vector);
            address = cpu->Cr2;
        });
        Assert.That(address, Is.Zero);
    }

    [Test]
    public void A_raised_page_fault_keeps_the_CR2_of_who_raised_it()
    {
        using var machine = new TestMachine();
        ulong address = 0;
        machine.Run(cpu =>
        {
            SetGate(cpu, 14, &NoteVector);
            cpu->Cr2 = 0x9999;
            cpu->Sensitive->RaiseException(cpu, 14, 2);
            address = cpu->Cr2;
        });
        Assert.That(address, Is.EqualTo(0x9999));
    }

    [TestCase(0, "vector 48", "beyond the IDT's limit", TestName = "No IDT: the whole story is told")]
    [TestCase(1, "not RAM", "vector 48", TestName = "A stack outside RAM and no double fault stack")]
    [TestCase(2, "8 (error code 0x43", "is neither interrupt nor trap gate", TestName = "No gate for the double fault")]
    public void What_cannot_be_delivered_is_a_triple_fault(int kind, string first, string second)
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, (int)Vector, &NoteVector);
            SetGate(cpu, 8, &NoteVector);
            if (kind == 0) cpu->Idtr.Limit = 0;
            if (kind == 1) cpu->Rsp = 0x7000_0000;
            if (kind == 2) SetRawGate(cpu, (int)Vector, 1, 0);
            if (kind == 2) SetRawGate(cpu, 8, 1, 0);
            cpu->Sensitive->RaiseException(cpu, Vector, 0);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.TripleFault>());
        string detail = ((MachineExit.TripleFault)exit).Detail;
        Assert.That(detail, Does.Contain(second));
        Assert.That(detail, Does.Contain(kind == 2 ? "13 (error code 0x43" : first));
    }

    [Test]
    public void A_handler_that_faults_for_ever_is_stopped_before_the_hosts_stack_ends()
    {
        using var machine = new TestMachine();
        MachineExit exit = machine.Run(cpu =>
        {
            SetGate(cpu, 6, &RaiseAgain);
            cpu->Sensitive->RaiseException(cpu, 6, 0);
        });
        Assert.That(exit, Is.TypeOf<MachineExit.TripleFault>());
    }

    [Test]
    public void A_frame_that_crosses_into_a_page_elsewhere_in_RAM_is_whole_for_its_handler()
    {
        using var cpu = new PagedMachine();
        // The page below the stack's top lies at another place than its neighbour.
        cpu.Map(0x4000_0000, 0x6_0000);
        cpu.Map(0x4000_1000, 0x9_0000);
        ulong[] notes = cpu.RaiseWithStack(Vector, stack: 0x4000_1020, &NoteFrameThenChangeFlags);
        Assert.That(notes[..2], Is.EqualTo(new ulong[] { Vector, 0x55 }));
        Assert.That(notes[5], Is.EqualTo(0x4000_1020));
        Assert.That(cpu.State->RFlags & RFlags.Zero, Is.Not.Zero);
        PhysicalMemory memory = cpu.Memory;
        Assert.That(memory.Read<ulong>(0x6_0fe8), Is.EqualTo(Vector), "the frame's start is in the lower page");
        Assert.That(memory.Read<ulong>(0x9_0010), Is.EqualTo(0x4000_1020), "the frame's end is in the upper page");
    }

    [Test]
    public void A_stack_that_is_not_mapped_is_a_page_fault_on_the_double_faults_stack()
    {
        using var cpu = new PagedMachine();
        ulong[] notes = cpu.RaiseWithStack(14, stack: 0x5000_0000, &NoteFrame);
        Assert.That(notes[0], Is.EqualTo(8));
        Assert.That(cpu.State->Cr2, Is.EqualTo(0x4fff_ffc8), "the stack's address, by which a kernel knows its overflow");
    }

    private static void BadGates(CpuState* cpu)
    {
        ulong handler = (ulong)(delegate*<CpuState*, InterruptFrame*, void>)&NoteAndEnd;
        SetRawGate(cpu, 0x30, 0, attributes: 0);
        SetRawGate(cpu, 0x31, handler, attributes: 0x0e);
        SetRawGate(cpu, 0x32, handler, selector: 0);
        ((ulong*)(cpu->Ram + cpu->Gdtr.Base))[3] = 0x00cf_9300_0000_ffff;
        SetRawGate(cpu, 0x33, handler, selector: 0x18);
        SetRawGate(cpu, 0x34, handler, selector: 0xff8);
        SetRawGate(cpu, 0x35, 0);
        SetRawGate(cpu, 0x36, handler, attributes: 0x8c);
    }

    private static void NoteFrame(CpuState* cpu, InterruptFrame* frame)
    {
        foreach (ulong field in (ReadOnlySpan<ulong>)[frame->Vector, frame->ErrorCode, frame->Rip, frame->Cs, frame->RFlags, frame->Rsp, frame->Ss]) Note(cpu, field);
    }

    private static void NoteFrameThenChangeFlags(CpuState* cpu, InterruptFrame* frame)
    {
        NoteFrame(cpu, frame);
        frame->RFlags |= RFlags.Zero;
    }

    private static void NoteFlags(CpuState* cpu, InterruptFrame* frame) => Note(cpu, cpu->RFlags);

    private static void NoteStack(CpuState* cpu, InterruptFrame* frame) => Note(cpu, cpu->Rsp);

    private static void NoteRing(CpuState* cpu, InterruptFrame* frame)
    {
        foreach (ulong value in (ReadOnlySpan<ulong>)[cpu->Rsp, cpu->Cs.Selector, cpu->Ss.Selector, frame->Cs, frame->Ss]) Note(cpu, value);
    }

    private static void NoteVectorAndCode(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, frame->Vector);
        Note(cpu, frame->ErrorCode);
    }

    private static void ChangeFrame(CpuState* cpu, InterruptFrame* frame)
    {
        frame->RFlags = RFlags.Fixed | RFlags.Zero;
        frame->Rip = 0x5678;
    }

    private static void RaiseAgain(CpuState* cpu, InterruptFrame* frame) => cpu->Sensitive->RaiseException(cpu, 6, 0);

    private static void SendNmiOnce(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, frame->Vector);
        if (NoteCount(cpu) == 1) SendNmi(cpu);
        Note(cpu, 100);
    }

    private static void SendNmi(CpuState* cpu) => Wrmsr(cpu, Msr.X2ApicIcr, 1 << 18 | 4 << 8);
}
