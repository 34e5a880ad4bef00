using Iced.Intel;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Devices;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Machines;

/// <summary>Interrupts of devices reach code: through the interrupt controllers as a PC's do, and through the local APIC's page in memory.</summary>
[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class DeviceInterruptTests(ExecutionTier tier)
{
    private const ulong HandlerAddress = 0x12_0000;
    private const uint Apic = 0xfee0_0000;

    [Test]
    public void The_interval_timer_ticks_through_the_interrupt_controller([Values] bool hostTime)
    {
        using var machine = new CodeMachine(
            tier,
            a =>
            {
                InitializeControllers(a, masked: 0xfe);
                Out(a, 0x43, 0x34);
                Out(a, 0x40, 0x00);
                Out(a, 0x40, 0x04);
                Label wait = a.CreateLabel();
                a.sti();
                a.Label(ref wait);
                a.hlt();
                a.cmp(r15d, 5);
                a.jb(wait);
                a.cli();
                a.hlt();
            },
            clock: hostTime ? new HostClock() : new VirtualClock(cyclesPerRead: 0));
        machine.Handler(0x30, HandlerAddress, a => { a.inc(r15d); EndOfInterrupt(a); a.iretq(); });
        Assert.That(machine.Run(), Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: false)));
        Assert.That(machine.Cpu->Gpr[15], hostTime ? Is.AtLeast(5ul) : Is.EqualTo(5ul), "by the host's time one may come before CLI");
        if (!hostTime) Assert.That(machine.Machine.Clock.ToNanoseconds(machine.Machine.Clock.Now), Is.InRange(4_290_000, 4_300_000), "five times 1024 ticks at 1.193182 MHz");
    }

    [Test]
    public void A_masked_timer_wakes_nobody_and_the_machine_knows_it()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            InitializeControllers(a, masked: 0xff);
            Out(a, 0x43, 0x34);
            Out(a, 0x40, 0x00);
            Out(a, 0x40, 0x04);
            a.sti();
            a.hlt();
        });
        Assert.That(machine.Run(), Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: true)));
    }

    [Test]
    public void Console_input_interrupts_and_is_echoed_by_interrupts()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            InitializeControllers(a, masked: 0xef);
            Out(a, SerialPort.Base + 4, 0x08);
            Out(a, SerialPort.Base + 1, 0x01);
            Label wait = a.CreateLabel();
            a.sti();
            a.Label(ref wait);
            a.hlt();
            a.jmp(wait);
        });
        machine.Handler(0x34, HandlerAddress, a =>
        {
            a.mov(dx, SerialPort.Base + 2);
            a.@in(al, dx);
            a.mov(r14b, al);
            a.mov(dx, SerialPort.Base);
            a.@in(al, dx);
            a.@out(dx, al);
            EndOfInterrupt(a);
            a.iretq();
        });
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        foreach (char c in "ok\n")
        {
            machine.Machine.Console.Receive([(byte)c]);
            Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
            Assert.That(machine.Cpu->Gpr[14] & 15, Is.EqualTo(4ul));
        }

        Assert.That(machine.Console, Is.EqualTo(new[] { "ok" }));
    }

    [Test]
    public void The_local_APICs_page_has_its_timer_and_takes_the_end_of_interrupt()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            ApicWrite(a, 0xf0, 0x1ff);
            ApicWrite(a, 0x3e0, 0xb);
            ApicWrite(a, 0x320, 0x41 | (1 << 17));
            ApicWrite(a, 0x380, 1000);
            Label wait = a.CreateLabel();
            a.sti();
            a.Label(ref wait);
            a.cmp(r15d, 3);
            a.jb(wait);
            a.mov(edi, unchecked((int)Apic));
            a.mov(ebx, __dword_ptr[rdi + 0x30]);
            a.mov(esi, __dword_ptr[rdi + 0xf0]);
            a.cli();
            a.hlt();
        });
        machine.Handler(0x41, HandlerAddress, a => { a.inc(r15d); ApicWrite(a, 0xb0, 0); a.iretq(); });
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That((machine.Cpu->Gpr[15], machine.Cpu->Rbx & 0xff, machine.Cpu->Rsi), Is.EqualTo((3ul, 0x14ul, 0x1fful)));
        Assert.That(machine.Machine.Instructions, Is.InRange(3000ul, 3100ul));
    }

    [Test]
    public void A_vCPU_is_started_by_the_page_and_has_a_page_of_its_own()
    {
        using var machine = new CodeMachine(
            tier,
            a =>
            {
                ApicWrite(a, 0xf0, 0x1ff);
                ApicWrite(a, 0x310, 1u << 24);
                ApicWrite(a, 0x300, 0x4500);
                ApicWrite(a, 0x300, 0x4600 | (uint)(RealModeToLongMode.Page >> 12));
                Label wait = a.CreateLabel();
                a.Label(ref wait);
                a.pause();
                a.cmp(__dword_ptr[(int)CodeMachine.Data], 0);
                a.je(wait);
                a.hlt();
            },
            cpus: 2);
        machine.Machine.Memory.Write(RealModeToLongMode.Page, RealModeToLongMode.Code(HandlerAddress));
        machine.Machine.Memory.Write(HandlerAddress, CodeMachine.Assemble(
            a =>
            {
                a.mov(ebx, unchecked((int)Apic));
                a.mov(eax, __dword_ptr[rbx + 0x20]);
                a.mov(__dword_ptr[(int)CodeMachine.Data], eax);
                a.hlt();
            },
            HandlerAddress));
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(machine.Machine.Memory.Read<uint>(CodeMachine.Data), Is.EqualTo(1u << 24));
    }

    [Test]
    public void Code_that_another_vCPU_changes_is_executed_as_changed()
    {
        const ulong Function = 0x14_0000;
        using var machine = new CodeMachine(
            tier,
            a =>
            {
                ApicWrite(a, 0xf0, 0x1ff);
                ApicWrite(a, 0x310, 1u << 24);
                ApicWrite(a, 0x300, 0x4500);
                ApicWrite(a, 0x300, 0x4600 | (uint)(RealModeToLongMode.Page >> 12));
                Label loop = a.CreateLabel();
                a.mov(edi, (int)Function);
                a.Label(ref loop);
                a.call(rdi);
                a.pause();
                a.cmp(eax, 2);
                a.jb(loop);
                a.hlt();
            },
            cpus: 2);
        machine.Machine.Memory.Write(Function, CodeMachine.Assemble(a => { a.mov(eax, 1); a.inc(rbx); a.ret(); }, Function));
        machine.Machine.Memory.Write(RealModeToLongMode.Page, RealModeToLongMode.Code(HandlerAddress));
        machine.Machine.Memory.Write(HandlerAddress, CodeMachine.Assemble(
            a =>
            {
                // It writes to the page before anybody executes there, so that its TLB may know the page as writable.
                Label wait = a.CreateLabel();
                a.mov(__byte_ptr[(int)Function + 0x800], 1);
                a.xor(ecx, ecx);
                a.Label(ref wait);
                a.pause();
                a.inc(ecx);
                a.cmp(ecx, 50);
                a.jb(wait);
                a.mov(__byte_ptr[(int)Function + 1], 2);
                a.hlt();
            },
            HandlerAddress));
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That((machine.Cpu->Rax, machine.Cpu->Rbx > 10), Is.EqualTo((2ul, true)));
    }

    [Test]
    public void An_NMI_comes_with_interrupts_off_and_no_second_one_before_IRET()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            Label wait = a.CreateLabel();
            a.Label(ref wait);
            a.cmp(r15d, 2);
            a.jb(wait);
            a.hlt();
        });
        machine.Handler(2, HandlerAddress, a =>
        {
            a.inc(r14d);
            for (int i = 0; i < 20; i++) a.nop();
            a.inc(r15d);
            a.iretq();
        });
        using (InterruptLine line = machine.Machine.OpenLine())
        {
            machine.Run(10);
            line.RaiseNmi();
            machine.Run(5);
            line.RaiseNmi();
            machine.Run(10);
            Assert.That((machine.Cpu->Gpr[14], machine.Cpu->Gpr[15]), Is.EqualTo((1ul, 0ul)), "the second one waits for the end of the first");
        }

        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That((machine.Cpu->Gpr[14], machine.Cpu->Gpr[15]), Is.EqualTo((2ul, 2ul)));
    }

    private static void InitializeControllers(Assembler a, byte masked)
    {
        foreach ((ushort port, byte value) in new (ushort, byte)[]
        {
            (0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, 1), (0xa0, 0x11), (0xa1, 0x38), (0xa1, 2), (0xa1, 1), (0x21, masked), (0xa1, 0xff),
        })
        {
            Out(a, port, value);
        }
    }

    private static void Out(Assembler a, int port, byte value)
    {
        a.mov(dx, (ushort)port);
        a.mov(al, value);
        a.@out(dx, al);
    }

    private static void EndOfInterrupt(Assembler a) => Out(a, 0x20, 0x20);

    private static void ApicWrite(Assembler a, uint offset, uint value)
    {
        a.mov(r11d, unchecked((int)(Apic + offset)));
        a.mov(__dword_ptr[r11], unchecked((int)value));
    }
}
