using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Interpreter;

[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class ExceptionDeliveryTests(ExecutionTier tier)
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Handler = Code + 0x200;

    /// <summary>What is executed in user mode, the vector it raises, its error code if any, and how far RIP in the frame is from the start.</summary>
    public static IEnumerable<TestCaseData> UserFaults()
    {
        yield return Fault("divide error", a => a.div(rcx), 0, null, 0);
        yield return Fault("undefined opcode", a => a.ud2(), 6, null, 0);
        yield return Fault("HLT", a => a.hlt(), 13, 0, 0);
        yield return Fault("CLI", a => a.cli(), 13, 0, 0);
        yield return Fault("MOV to CR3", a => a.mov(cr3, rax), 13, 0, 0);
        yield return Fault("RDMSR", a => a.rdmsr(), 13, 0, 0);
        yield return Fault("LGDT", a => a.lgdt(__[rsp]), 13, 0, 0);
        yield return Fault("OUT", a => a.@out(dx, al), 13, 0, 0);
        yield return Fault("page fault of a read", a => a.mov(rax, __qword_ptr[rbx]), 14, 4, 0);
        yield return Fault("page fault of a write", a => a.mov(__qword_ptr[rbx], rax), 14, 6, 0);
        yield return Fault("address that is not canonical", a => a.mov(rax, __qword_ptr[rdx]), 13, 0, 0);
        yield return Fault("stack that is not canonical", a => a.mov(rax, __qword_ptr[rbp]), 12, 0, 0);
        yield return Fault("INT through a gate of ring 0", a => a.@int(0x30), 13, (0x30 * 8) + 2, 0);
        yield return Fault("INT3 through a gate of ring 3", a => a.int3(), 3, null, 1);
        yield return Fault("selector beyond the GDT", a => a.mov(ds, r8w), 13, 0xfff8, 0);
    }

    [TestCaseSource(nameof(UserFaults))]
    public void A_fault_in_user_mode_enters_its_handler_on_the_kernel_stack(Action<Assembler> program, byte vector, int? errorCode, int ripOffset)
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            program(a);
            Pad(a);
            a.hlt();
        });
        cpu.EnterUserMode();
        CpuState* state = cpu.State;
        state->Rbx = 0x7777_0000_0000;
        state->Rdx = 0x8000_0000_0000_0000;
        state->Gpr[5] = 0x8000_0000_0000_0000;
        state->Gpr[8] = 0xfffb;
        state->RFlags |= RFlags.InterruptEnable | RFlags.Carry;
        for (int i = 0; i < 32; i++)
            cpu.Gate((byte)i, Handler, privilege: i == 3 ? 3 : 0);
        cpu.Gate(0x30, Handler);
        Assert.That(cpu.Interpreter.Run(100), Is.TypeOf<StopReason.Halted>());
        ulong top = ProgrammedCpu.KernelStack - (errorCode is null ? 40u : 48u);
        Assert.That(state->Rsp, Is.EqualTo(top));
        if (errorCode is { } code)
        {
            Assert.That(cpu.Read(top), Is.EqualTo((ulong)code));
            top += 8;
        }

        Assert.That(cpu.Read(top), Is.EqualTo(Code + (ulong)ripOffset));
        Assert.That(cpu.Read(top + 8), Is.EqualTo(ProgrammedCpu.UserCode));
        Assert.That(cpu.Read(top + 16) & RFlags.InterruptEnable, Is.Not.Zero);
        Assert.That(cpu.Read(top + 24), Is.EqualTo(ProgrammedCpu.UserStack));
        Assert.That(cpu.Read(top + 32), Is.EqualTo(ProgrammedCpu.UserData));
        Assert.That((state->Cs.Selector, state->Ss.Selector, state->RFlags & RFlags.InterruptEnable), Is.EqualTo((ProgrammedCpu.KernelCode, (ushort)0, 0ul)));
        if (vector == 14)
            Assert.That(state->Cr2, Is.EqualTo(0x7777_0000_0000));
    }

    [Test]
    public void Iret_goes_back_to_user_mode_behind_the_instruction_that_the_handler_skipped()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.ud2();
            a.mov(eax, 5);
            a.hlt();
            Pad(a);
            a.add(__qword_ptr[rsp], 2);
            a.iretq();
        });
        cpu.EnterUserMode();
        cpu.State->RFlags |= RFlags.InterruptEnable;
        cpu.Gate(6, Handler);
        ulong before = cpu.State->Rsp;
        cpu.Interpreter.Run(3);
        Assert.That((cpu.State->Rax, cpu.State->Rsp, cpu.State->Cs.Selector), Is.EqualTo((5ul, before, ProgrammedCpu.UserCode)));
        Assert.That(cpu.State->RFlags & RFlags.InterruptEnable, Is.Not.Zero);
    }

    [Test]
    public void A_gate_with_an_ist_takes_that_stack_even_in_ring_0()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.ud2();
            Pad(a);
            a.hlt();
        });
        cpu.Gate(6, Handler, ist: 1);
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rsp, Is.EqualTo(ProgrammedCpu.IstStack - 40));
    }

    [Test]
    public void A_trap_gate_leaves_interrupts_enabled()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.ud2();
            Pad(a);
            a.hlt();
        });
        cpu.State->RFlags |= RFlags.InterruptEnable;
        cpu.Gate(6, Handler, trap: true);
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->RFlags & RFlags.InterruptEnable, Is.Not.Zero);
    }

    [Test]
    public void A_contributory_fault_without_a_gate_becomes_a_double_fault_with_error_code_0()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.xor(ecx, ecx);
            a.div(ecx);
            Pad(a);
            a.hlt();
        });
        cpu.Gate(8, Handler);
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That((cpu.Read(cpu.State->Rsp), cpu.Read(cpu.State->Rsp + 8)), Is.EqualTo((0ul, Code + 2)));
    }

    [Test]
    public void Without_any_gate_an_exception_shuts_the_cpu_down()
    {
        using var cpu = new ProgrammedCpu(tier, a => a.ud2());
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Shutdown>());
    }

    [Test]
    public void Syscall_enters_the_kernel_and_sysret_leaves_it()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.syscall();
            a.mov(ebx, 9);
            Pad(a, 0x100);
            a.mov(eax, 4);
            a.sysretq();
        });
        cpu.EnterUserMode();
        cpu.State->RFlags |= RFlags.InterruptEnable | RFlags.Carry;
        cpu.Interpreter.Run(2);
        Assert.That((cpu.State->Cs.Selector, cpu.State->Ss.Selector, cpu.State->Rcx), Is.EqualTo((ProgrammedCpu.KernelCode, ProgrammedCpu.KernelData, Code + 2)));
        Assert.That(cpu.State->RFlags & (RFlags.InterruptEnable | RFlags.Carry), Is.EqualTo(RFlags.Carry));
        cpu.Interpreter.Run(2);
        Assert.That((cpu.State->Cs.Selector, cpu.State->Ss.Selector, cpu.State->Rax, cpu.State->Rbx), Is.EqualTo((ProgrammedCpu.UserCode, ProgrammedCpu.UserData, 4ul, 9ul)));
        Assert.That(cpu.State->RFlags & RFlags.InterruptEnable, Is.Not.Zero);
    }

    [Test]
    public void An_interrupt_from_outside_waits_for_no_gate_privilege_and_pushes_no_error_code()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.nop();
            Pad(a);
            a.hlt();
        });
        cpu.EnterUserMode();
        cpu.Gate(0x40, Handler);
        Assert.That(cpu.Interpreter.Interrupt(0x40), Is.Null);
        Assert.That((cpu.State->Rip, cpu.State->Rsp), Is.EqualTo((Handler, ProgrammedCpu.KernelStack - 40)));
    }

    private static TestCaseData Fault(string name, Action<Assembler> program, int vector, int? errorCode, int ripOffset) =>
        new TestCaseData(program, (byte)vector, errorCode, ripOffset).SetArgDisplayNames(name);

    private static void Pad(Assembler a, int to = 0x200)
    {
        using var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), Code);
        for (int i = (int)stream.Length; i < to; i++)
            a.nop();
    }
}
