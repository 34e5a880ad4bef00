using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Interpreter;

[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed unsafe class InterpretedCpuTests(ExecutionTier tier)
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Data = ProgrammedCpu.Data;

    [Test]
    public void A_run_stops_after_exactly_the_instructions_asked_for()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.inc(rax);
            a.add(rbx, rax);
            a.jmp(again);
        });
        foreach (ulong count in new ulong[] { 1, 2, 3, 1000, 9999, 10_000 })
        {
            ulong before = cpu.Interpreter.Instructions;
            Assert.That(cpu.Interpreter.Run(count), Is.TypeOf<StopReason.InstructionLimit>());
            Assert.That(cpu.Interpreter.Instructions - before, Is.EqualTo(count));
            Assert.That(cpu.State->Rax, Is.EqualTo((cpu.Interpreter.Instructions + 2) / 3));
        }
    }

    [Test]
    public void An_instruction_that_changes_the_next_one_is_followed_by_the_changed_one()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            Label target = a.CreateLabel();
            a.mov(__byte_ptr[target], 0x90);
            a.Label(ref target);
            a.hlt();
            a.mov(eax, 7);
            a.hlt();
        });
        Assert.That(cpu.Interpreter.Run(100), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(7));
    }

    [Test]
    public void A_loop_that_patches_itself_runs_the_new_code_on_the_next_turn()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            Label again = a.CreateLabel();
            a.mov(ecx, 10);
            a.Label(ref again);
            a.add(ebx, 1);
            a.inc(__byte_ptr[rdi]);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
        });
        cpu.State->Rdi = Code + 7;
        Assert.That(cpu.Interpreter.Run(1000), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rbx, Is.EqualTo(55), "the immediate of ADD, behind 5 + 2 bytes, grows by 1 each turn");
    }

    [Test]
    public void An_instruction_in_two_pages_is_fetched_from_both_and_follows_changes_of_either()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.jmp(Code + 0xffd);
            a.nop(0xffd - 5);
            a.mov(eax, 0x1122_3344);
            a.hlt();
        });
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(0x1122_3344));

        *(cpu.State->Ram + 0x20_1001) = 0x99;
        CodePages.Written(cpu.State, 0x20_1001, 1);
        cpu.State->Rip = Code;
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(0x9922_3344));
    }

    [Test]
    public void A_fetch_that_runs_into_a_missing_page_faults_there_and_restarts()
    {
        using var cpu = new ProgrammedCpu(
            tier,
            a =>
            {
                a.jmp(Code + 0xffd);
                a.nop(0xffd - 5);
                a.mov(eax, 0x1122_3344);
                a.hlt();
            },
            deliversExceptions: false);
        cpu.SetPresent(Code + 0x1000, present: false);
        Assert.That(cpu.Interpreter.Run(10), Is.EqualTo(new StopReason.Exception(14, 0x10, Code + 0x1000)));
        Assert.That(cpu.State->Rip, Is.EqualTo(Code + 0xffd));
        cpu.SetPresent(Code + 0x1000, present: true);
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(0x1122_3344));
    }

    [Test]
    public void A_repeated_move_that_faults_midway_goes_on_where_it_was()
    {
        using var cpu = new ProgrammedCpu(
            tier,
            a =>
            {
                a.mov(rsi, Data);
                a.mov(rdi, Data + 0xff8);
                a.mov(ecx, 4);
                a.rep.movsd();
                a.hlt();
            },
            deliversExceptions: false);
        cpu.Write(Data, 0x2222_2222_1111_1111);
        cpu.Write(Data + 8, 0x4444_4444_3333_3333);
        cpu.SetPresent(Data + 0x1000, present: false);
        Assert.That(cpu.Interpreter.Run(10), Is.EqualTo(new StopReason.Exception(14, 2, Data + 0x1000)));
        Assert.That((cpu.State->Rcx, cpu.State->Rsi, cpu.State->Rdi), Is.EqualTo((2ul, Data + 8, Data + 0x1000)));
        Assert.That(cpu.Interpreter.Instructions, Is.EqualTo(3));
        cpu.SetPresent(Data + 0x1000, present: true);
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.Read(Data + 0x1000), Is.EqualTo(0x4444_4444_3333_3333));
        Assert.That(cpu.Interpreter.Instructions, Is.EqualTo(5), "the repeated move is one instruction");
    }

    [Test]
    public void Long_repeated_moves_are_the_same_as_one_by_one_whatever_overlaps([Values(-9, -8, -1, 1, 3, 8, 9, 5000)] int distance)
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.mov(rsi, Data + 0x1800);
            a.mov(rdi, Data + 0x1800 + (ulong)distance);
            a.mov(ecx, 6000);
            a.rep.movsb();
            a.hlt();
        });
        byte[] expected = new byte[0x10000];
        for (int i = 0; i < 0x9000; i++)
            expected[i] = cpu.State->Ram[0x40_0000 + i] = (byte)((i * 7) + (i >> 8));
        for (int i = 0; i < 6000; i++)
            expected[0x1800 + distance + i] = expected[0x1800 + i];
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(new ReadOnlySpan<byte>(cpu.State->Ram + 0x40_0000, 0x9000).SequenceEqual(expected.AsSpan(0, 0x9000)));
    }

    [Test]
    public void After_sti_one_more_instruction_comes_before_a_waiting_event()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.sti();
            a.inc(rax);
            a.inc(rax);
            a.hlt();
        });
        cpu.State->EventPending = 1;
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.EventPending>());
        Assert.That((cpu.Interpreter.Instructions, cpu.State->Rax), Is.EqualTo((2ul, 1ul)));
    }

    [Test]
    public void Single_step_traps_after_each_instruction()
    {
        using var cpu = new ProgrammedCpu(
            tier,
            a =>
            {
                a.nop();
                a.nop();
                a.hlt();
            },
            deliversExceptions: false);
        cpu.State->RFlags |= RFlags.Trap;
        Assert.That(cpu.Interpreter.Run(10), Is.EqualTo(new StopReason.Exception(1, 0, 0)));
        Assert.That(cpu.State->Rip, Is.EqualTo(Code + 1));
        Assert.That(cpu.State->Dr[6] & (1 << 14), Is.Not.Zero);
    }

    [Test]
    public void Changed_translations_lead_running_code_elsewhere()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            a.call(Code + 0x2000);
            a.invlpg(__byte_ptr[rbx]);
            a.call(Code + 0x2000);
            a.hlt();
        });
        // mov al, N; ret in two frames.
        new byte[] { 0xb0, 1, 0xc3 }.CopyTo(new Span<byte>(cpu.State->Ram + 0x20_2000, 3));
        new byte[] { 0x04, 5, 0xc3 }.CopyTo(new Span<byte>(cpu.State->Ram + 0x20_5000, 3));
        cpu.State->Rbx = Code + 0x2000;
        Assert.That(cpu.Interpreter.Run(3), Is.TypeOf<StopReason.InstructionLimit>());
        Assert.That(cpu.State->Rax, Is.EqualTo(1));
        cpu.MapElsewhere(Code + 0x2000, 0x20_5000);
        Assert.That(cpu.Interpreter.Run(10), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(6));
    }

    [Test]
    public void The_same_bytes_at_the_same_address_mean_something_else_in_32_bit_code()
    {
        using var cpu = new ProgrammedCpu(tier, a =>
        {
            // In 64-bit code REX.W and ADD RAX, RAX; in 32-bit code DEC EAX and ADD EAX, EAX.
            a.db(0x48, 0x01, 0xc0);
            a.hlt();
        });
        cpu.State->Rip = Code;
        cpu.State->Rax = 0x1_0000_0005;
        Assert.That(cpu.Interpreter.Run(2), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(0x2_0000_000a));

        cpu.MapElsewhere(0x7000_0000, 0x20_0000);
        cpu.State->Cs = new Segment { Selector = ProgrammedCpu.KernelCode, Attributes = 0xc09b, Limit = uint.MaxValue };
        cpu.State->Rip = 0x7000_0000;
        cpu.State->Rax = 5;
        Assert.That(cpu.Interpreter.Run(3), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(8));
        cpu.State->Cs = new Segment { Selector = ProgrammedCpu.KernelCode, Attributes = 0xa09b, Limit = uint.MaxValue };
        cpu.State->Rip = 0x7000_0000;
        cpu.State->Rax = 5;
        Assert.That(cpu.Interpreter.Run(2), Is.TypeOf<StopReason.Halted>());
        Assert.That(cpu.State->Rax, Is.EqualTo(10), "the same address in 64-bit code again");
    }
}
