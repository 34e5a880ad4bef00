using Iced.Intel;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Devices;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Machines;

[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class CodeMachineTests(ExecutionTier tier)
{
    private const byte TimerVector = 0x40;
    private const ulong HandlerAddress = 0x12_0000;
    private const ulong Ticks = CodeMachine.Data;

    /// <summary>A program, and the exit it ends in.</summary>
    public static IEnumerable<TestCaseData> Exits()
    {
        yield return Row("HLT with interrupts off", a => a.hlt(), new MachineExit.Halted(InterruptsEnabled: false));
        yield return Row("HLT with interrupts on and no timer", a => { a.sti(); a.hlt(); }, new MachineExit.Halted(InterruptsEnabled: true));
        yield return Row("power off", a => { a.mov(dx, 0x604); a.mov(ax, 0x2000); a.@out(dx, ax); a.ud2(); }, new MachineExit.PoweredOff());
        yield return Row("IN without a device", a => { a.mov(dx, 0x1230); a.@in(eax, dx); a.ud2(); }, new MachineExit.UnclaimedPort(0, 0x1230, 4, null));
        yield return Row("OUT without a device", a => { a.mov(al, 7); a.@out(0x99, al); a.ud2(); }, new MachineExit.UnclaimedPort(0, 0x99, 1, 7));
        yield return Row("hypercall that nobody knows", a => { a.mov(eax, 42); a.vmcall(); a.ud2(); }, new MachineExit.Hypercall(0, 42));
        yield return Row("endless loop", a => { Label self = a.CreateLabel(); a.Label(ref self); a.jmp(self); }, new MachineExit.InstructionLimit());

        static TestCaseData Row(string name, Action<Assembler> program, MachineExit exit) => new TestCaseData(program, exit).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Exits))]
    public void A_run_ends_in_its_exit(Action<Assembler> program, MachineExit expected)
    {
        using var machine = new CodeMachine(tier, program, exitOn: ExitCauses.UnclaimedPort | ExitCauses.Hypercall);
        Assert.That(machine.Run(100_000), Is.EqualTo(expected));
    }

    [Test]
    public void An_exception_without_a_gate_ends_in_a_triple_fault_and_the_machine_is_off()
    {
        using var machine = new CodeMachine(tier, a => a.ud2());
        MachineExit exit = machine.Run();
        Assert.That(exit, Is.TypeOf<MachineExit.TripleFault>());
        Assert.That(machine.Run(), Is.SameAs(exit));
    }

    [Test]
    public void An_answered_IN_goes_on_with_the_owners_value()
    {
        using var machine = new CodeMachine(tier, a => { a.mov(dx, 0x1230); a.@in(eax, dx); a.mov(ebx, eax); a.hlt(); }, exitOn: ExitCauses.UnclaimedPort);
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.UnclaimedPort>());
        Assert.That(machine.Cpu->Rax, Is.EqualTo(uint.MaxValue));
        machine.Cpu->Rax = 0x1234;
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(machine.Cpu->Rbx, Is.EqualTo(0x1234ul));
    }

    [Test]
    public void Without_the_wish_to_know_a_port_reads_ones_and_a_hypercall_is_an_undefined_opcode()
    {
        using var machine = new CodeMachine(tier, a => { a.mov(dx, 0x1230); a.@in(eax, dx); a.vmcall(); });
        machine.Handler(6, HandlerAddress, a => { a.mov(ebx, eax); a.hlt(); });
        Assert.That(machine.Run(), Is.TypeOf<MachineExit.Halted>());
        Assert.That(machine.Cpu->Rbx, Is.EqualTo(uint.MaxValue));
    }

    [Test]
    public void What_code_writes_to_the_serial_port_is_the_console()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            a.mov(dx, SerialPort.Base);
            foreach (char c in "hi\n")
            {
                a.mov(al, (byte)c);
                a.@out(dx, al);
            }

            a.hlt();
        });
        machine.Run();
        Assert.That(machine.Console, Is.EqualTo(new[] { "hi" }));
    }

    [Test]
    public void An_exception_of_a_device_is_an_exit()
    {
        using var machine = new CodeMachine(tier, a => { a.mov(dx, 0x1230); a.@in(al, dx); a.hlt(); });
        machine.Machine.Ports.Add(new BrokenDevice());
        Assert.That(((MachineExit.Threw)machine.Run()).Cause, Is.TypeOf<NotSupportedException>());
    }

    [Test]
    public void A_machine_runs_code_or_a_C_sharp_guest_not_both()
    {
        using var code = new CodeMachine(tier, a => a.hlt());
        code.Run();
        Assert.That(() => code.Machine.Run(() => { }), Throws.InvalidOperationException);
        using var managed = new TestMachine();
        managed.Run(_ => { });
        Assert.That(() => managed.Machine.Run(1), Throws.InvalidOperationException);
    }

    [Test]
    public void The_instruction_limit_is_exact_whatever_the_instructions()
    {
        using var machine = new CodeMachine(tier, Busy);
        for (ulong n = 1; n < 300; n++)
        {
            Assert.That(machine.Run(1), Is.TypeOf<MachineExit.InstructionLimit>());
            Assert.That(machine.Machine.Instructions, Is.EqualTo(n));
        }
    }

    [Test]
    public void A_timer_interrupts_code_at_the_same_instruction_however_the_run_is_cut([Values(1ul, 7ul, 1000ul, 100_000ul)] ulong piece)
    {
        (ulong[] expected, ulong expectedRip) = Ticked(100_000);
        (ulong[] ticks, ulong rip) = Ticked(piece);
        Assert.That(ticks, Is.EqualTo(expected));
        Assert.That(rip, Is.EqualTo(expectedRip));
        Assert.That(ticks, Has.Length.GreaterThan(15));
    }

    [Test]
    public void HLT_waits_for_the_timer_of_the_host()
    {
        using var machine = new CodeMachine(
            tier,
            a =>
            {
                EnableTimer(a, 1_000_000, periodic: false);
                a.sti();
                a.hlt();
                a.cli();
                a.hlt();
            },
            clock: new HostClock());
        machine.Handler(TimerVector, HandlerAddress, a => { a.inc(r15); a.iretq(); });
        Assert.That(machine.Run(), Is.EqualTo(new MachineExit.Halted(InterruptsEnabled: false)));
        Assert.That(machine.Cpu->Gpr[15], Is.EqualTo(1ul));
    }

    [Test]
    public void An_interrupt_line_wakes_a_halted_machine_and_STI_shadows_one_instruction()
    {
        using var machine = new CodeMachine(tier, a =>
        {
            EnableApic(a);
            a.mov(r14d, 1);
            a.sti();
            a.mov(r14d, 2);
            a.mov(r14d, 3);
            a.hlt();
        });
        machine.Handler(0x55, HandlerAddress, a => { a.mov(r13, r14); a.hlt(); });
        using InterruptLine line = machine.Machine.OpenLine();
        while (machine.Cpu->Gpr[14] != 1) machine.Run(1);
        line.Raise(0x55);
        Task<MachineExit> run = Task.Run(() => machine.Run());
        Assert.That(() => machine.Cpu->Gpr[13], Is.EqualTo(2ul).After(10_000, 5));
        line.Dispose();
        Assert.That(run.Result, Is.TypeOf<MachineExit.Halted>());
    }

    [Test]
    public void Another_thread_stops_a_run_and_it_goes_on_later()
    {
        using var machine = new CodeMachine(tier, a => { Label self = a.CreateLabel(); a.Label(ref self); a.inc(rax); a.jmp(self); });
        Task<MachineExit> run = Task.Run(() => machine.Run(ulong.MaxValue));
        Assert.That(() => machine.Machine.Instructions, Is.Positive.After(10_000, 1));
        machine.Machine.Stop();
        Assert.That(run.Result, Is.TypeOf<MachineExit.Stopped>());
        ulong before = machine.Machine.Instructions;
        Assert.That(machine.Run(10), Is.TypeOf<MachineExit.InstructionLimit>());
        Assert.That(machine.Machine.Instructions, Is.EqualTo(before + 10));
    }

    [Test]
    public void The_TSC_counts_instructions()
    {
        using var machine = new CodeMachine(tier, a => { a.rdtsc(); a.mov(ebx, eax); a.nop(); a.nop(); a.rdtsc(); a.hlt(); }, clock: new VirtualClock(cyclesPerRead: 0, cyclesPerInstruction: 3));
        machine.Run();
        Assert.That((machine.Cpu->Rbx, machine.Cpu->Rax), Is.EqualTo((0ul, 12ul)));
    }

    [Test]
    public void Two_machines_on_two_threads_do_what_each_does_alone()
    {
        ulong[] Run()
        {
            using var machine = new CodeMachine(tier, Busy);
            machine.Run(3_000_000);
            return [machine.Cpu->Rax, machine.Cpu->Rbx, machine.Cpu->Rcx, machine.Cpu->Rip, machine.Machine.Memory.Read<ulong>(CodeMachine.Data)];
        }

        ulong[] alone = Run();
        ulong[][] together = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(Run))).Result;
        Assert.That(together, Is.All.EqualTo(alone));
    }

    /// <summary>Switches the APIC of the running vCPU on, in x2APIC mode.</summary>
    internal static void EnableApic(Assembler a)
    {
        Wrmsr(a, Msr.ApicBase, 0xfee0_0d00);
        Wrmsr(a, Msr.X2ApicSpurious, 0x1ff);
    }

    internal static void EnableTimer(Assembler a, uint cycles, bool periodic = true)
    {
        EnableApic(a);
        Wrmsr(a, Msr.X2ApicDivide, 0xb);
        Wrmsr(a, Msr.X2ApicLvtTimer, TimerVector | (periodic ? 1u << 17 : 0));
        Wrmsr(a, Msr.X2ApicInitialCount, cycles);
    }

    /// <summary>A timer tick handler that writes what RBX counts to a log and ends the interrupt.</summary>
    internal static void LogTick(Assembler a)
    {
        a.push(rax);
        a.push(rcx);
        a.push(rdx);
        a.mov(ecx, (int)Ticks);
        a.inc(__qword_ptr[rcx]);
        a.mov(rax, __qword_ptr[rcx]);
        a.mov(__qword_ptr[rcx + (rax * 8)], rbx);
        Wrmsr(a, Msr.X2ApicEoi, 0);
        a.pop(rdx);
        a.pop(rcx);
        a.pop(rax);
        a.iretq();
    }

    internal static void Wrmsr(Assembler a, uint msr, uint value)
    {
        a.mov(ecx, unchecked((int)msr));
        a.mov(eax, unchecked((int)value));
        a.xor(edx, edx);
        a.wrmsr();
    }

    /// <summary>Arithmetic, memory, calls, string instructions and readings of the TSC, for ever.</summary>
    internal static void Busy(Assembler a)
    {
        Label loop = a.CreateLabel();
        Label function = a.CreateLabel();
        a.mov(esp, (int)CodeMachine.Code);
        a.Label(ref loop);
        a.inc(rbx);
        a.add(rax, rbx);
        a.call(function);
        a.mov(esi, (int)CodeMachine.Data + 0x3000);
        a.mov(edi, (int)CodeMachine.Data + 0x3100);
        a.mov(ecx, 5);
        a.rep.movsq();
        a.jmp(loop);
        a.Label(ref function);
        a.rdtsc();
        a.xor(__qword_ptr[(int)CodeMachine.Data + 0x3000], rax);
        a.rol(__qword_ptr[(int)CodeMachine.Data + 0x3008], 3);
        a.ret();
    }

    private (ulong[] Ticks, ulong Rip) Ticked(ulong piece)
    {
        using var machine = new CodeMachine(tier, a =>
        {
            EnableTimer(a, 1237);
            a.sti();
            Busy(a);
        });
        machine.Handler(TimerVector, HandlerAddress, LogTick);
        while (machine.Machine.Instructions < 30_000) machine.Run(Math.Min(piece, 30_000 - machine.Machine.Instructions));
        ulong count = machine.Machine.Memory.Read<ulong>(Ticks);
        return ([.. Enumerable.Range(1, (int)count).Select(i => machine.Machine.Memory.Read<ulong>(Ticks + ((ulong)i * 8)))], machine.Cpu->Rip);
    }

    private sealed class BrokenDevice : IPortDevice
    {
        public IEnumerable<ushort> Ports => [0x1230];

        public byte Read(ushort port) => throw new NotSupportedException();

        public void Write(ushort port, byte value)
        {
        }
    }
}
