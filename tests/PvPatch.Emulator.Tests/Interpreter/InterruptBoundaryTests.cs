using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Interpreter;

/// <summary>A program that is interrupted, wherever that is, ends as one that is not.</summary>
[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class InterruptBoundaryTests(ExecutionTier tier)
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Data = ProgrammedCpu.Data;
    private const ulong Handler = Code + 0x800;
    private const byte Vector = 0x40;
    private const int Most = 2000;

    [Test]
    public void An_interrupt_at_any_boundary_changes_nothing_that_the_program_sees()
    {
        (State expected, ulong instructions) = Run(interruptAfter: null, step: false);
        Assert.That(instructions, Is.GreaterThan(100).And.LessThan(Most));
        for (ulong after = 0; after < instructions; after++)
            Assert.That(Run(after, step: false).State, Is.EqualTo(expected), $"after {after} instructions");
    }

    [Test]
    public void Single_steps_through_all_of_it_with_repeated_strings_split_change_nothing_either() =>
        Assert.That(Run(null, step: true).State, Is.EqualTo(Run(null, step: false).State));

    private (State State, ulong Instructions) Run(ulong? interruptAfter, bool step)
    {
        using var cpu = new ProgrammedCpu(tier, Program);
        CpuState* state = cpu.State;
        cpu.EnterUserMode();
        state->RFlags |= RFlags.InterruptEnable | (step ? RFlags.Trap : 0);
        cpu.Gate(Vector, Handler);
        cpu.Gate(1, Handler);
        cpu.Gate(13, Handler + 0x100);
        for (ulong place = 0; place < 0x800; place += 8)
            cpu.Write(Data + place, place * 0x1234_5678_9abc);
        if (interruptAfter is { } after)
        {
            Assert.That(cpu.Interpreter.Run(after), Is.TypeOf<StopReason.InstructionLimit>());
            Assert.That(cpu.Interpreter.Interrupt(Vector), Is.Null);
        }

        // HLT at CPL 3 ends it: the handler of #GP halts for good.
        Assert.That(cpu.Interpreter.Run(10 * Most), Is.TypeOf<StopReason.Halted>());
        ulong sum = 0;
        for (ulong place = 0; place < 0x1000; place += 8)
            sum = (sum * 31) + cpu.Read(Data + place);
        const ulong Seen = ~(RFlags.Trap | RFlags.Resume);
        ulong flags = cpu.Read(ProgrammedCpu.KernelStack - 24) & Seen;
        var end = new State(state->Rax, state->Rcx, state->Rdx, state->Rbx, cpu.Read(ProgrammedCpu.KernelStack - 16), state->Rsi, state->Rdi, flags, sum);
        return (end, cpu.Interpreter.Instructions);
    }

    /// <summary>Arithmetic with carries, calls, pushes, repeated strings, a write that patches the next turn.</summary>
    private static void Program(Assembler a)
    {
        Label turn = a.CreateLabel();
        Label function = a.CreateLabel();
        Label patched = a.CreateLabel();
        Label end = a.CreateLabel();
        a.mov(ebp, 6);
        a.xor(eax, eax);
        a.Label(ref turn);
        a.mov(rsi, Data);
        a.mov(rdi, Data + 0x803);
        a.mov(ecx, 40);
        a.rep.movsb();
        a.mov(rdi, Data);
        a.mov(ecx, 9);
        a.lea(rsi, __[rdi + 8]);
        a.repe.cmpsb();
        a.push(rcx);
        a.Label(ref patched);
        a.mov(ebx, 1);
        a.adc(rax, rbx);
        a.call(function);
        a.pop(rcx);
        a.sbb(rdx, rcx);
        a.lea(rdi, __[patched]);
        a.inc(__byte_ptr[rdi + 1]);
        a.dec(ebp);
        a.jne(turn);
        a.Label(ref end);
        a.hlt();
        a.Label(ref function);
        a.pushfq();
        a.imul(rax, rax, 0x1003);
        a.@lock.xadd(__qword_ptr[rsp + 24], rax);
        a.popfq();
        a.ret();
        Fill(a, 0x800);
        a.iretq();
        Fill(a, 0x900);
        a.hlt();
    }

    private static void Fill(Assembler a, int to)
    {
        using var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), Code);
        for (int i = (int)stream.Length; i < to; i++)
            a.nop();
    }

    private sealed record State(ulong Rax, ulong Rcx, ulong Rdx, ulong Rbx, ulong Rsp, ulong Rsi, ulong Rdi, ulong Flags, ulong Memory);
}
