using Iced.Intel;
using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Programs;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Linux;

/// <summary>Both tiers side by side on a program.</summary>
public sealed unsafe class LockStepTests
{
    [TestCase(ExecutionTier.Translated)]
    [TestCase(ExecutionTier.Automatic)]
    public void A_program_with_system_calls_random_numbers_and_code_that_it_patches_does_not_differ(ExecutionTier tier)
    {
        using var program = new LinuxProgram(ElfImage.Read(Program()), Options(tier));
        Assert.That(program.Run(), Is.EqualTo(new ProgramEnd.Exited(0)));
    }

    [TestCase(ExecutionTier.Translated)]
    [TestCase(ExecutionTier.Automatic)]
    public void A_program_that_saves_and_restores_YMM_registers_amid_AVX_instructions_does_not_differ(ExecutionTier tier)
    {
        byte[] file = ElfProgram.Assemble(a =>
        {
            Label again = a.CreateLabel();
            a.and(rsp, -64);
            a.sub(rsp, 0x400);
            a.mov(rdi, rsp);
            a.mov(ecx, 0x400);
            a.xor(eax, eax);
            a.rep.stosb();
            a.mov(r12d, 20_000);
            a.vpcmpeqd(ymm2, ymm2, ymm2);
            a.Label(ref again);
            a.vpsubd(ymm1, ymm1, ymm2);
            a.mov(eax, 7);
            a.xor(edx, edx);
            a.xsave(__[rsp]);
            a.vpaddd(ymm1, ymm1, ymm1);
            a.vpxor(ymm3, ymm3, ymm1);
            a.inc(__byte_ptr[rsp + 576 + 16]);
            a.xrstor(__[rsp]);
            a.vpaddd(ymm4, ymm4, ymm1);
            a.dec(r12d);
            a.jne(again);
            a.vextracti128(xmm5, ymm1, 1);
            a.vmovd(edi, xmm5);
            a.mov(eax, 60);
            a.syscall();
        });
        using var program = new LinuxProgram(ElfImage.Read(file), Options(tier));
        Assert.That(program.Run(), Is.EqualTo(new ProgramEnd.Exited(40_000 & 0xff)), "each turn adds 1 to the register and 1 to the saved byte");
    }

    [Test]
    public void All_registers_and_flags_and_the_first_words_of_memory_that_differ_are_told()
    {
        string difference = DifferenceOf(cpu =>
        {
            cpu->RFlags ^= RFlags.Carry | RFlags.Overflow;
            cpu->Gpr[3] = 0x1234;
            cpu->Gpr[12] = 0x5678;
            cpu->Xmm[11] = 0x77;
            cpu->YmmHigh[8] = 0x88;
            cpu->YmmHigh[31] = 0x99;
            cpu->Fpu.Mantissa[2] = 5;
            for (int i = 0; i < 11; i++)
                *(ulong*)(cpu->Ram + 0x5ff0 + (i * 8)) = 9;
        });
        string[] lines = difference.Split(Environment.NewLine);
        Assert.That(lines[0], Is.EqualTo("Both tiers differ within 1 instructions from RIP 0x4000 on; translated, then interpreted:"));
        Assert.That(lines[1..], Is.EqualTo(new[]
        {
            "  rflags       0000000000000a03 0000000000000202 CF OF",
            "  rbx          0000000000001234 0000000000000000",
            "  r12          0000000000005678 0000000000000000",
            "  xmm5 high    0000000000000077 0000000000000000",
            "  ymm4 high    0000000000000088 0000000000000000",
            "  ymm15 top    0000000000000099 0000000000000000",
            "  x87 R2       0000000000000005 0000000000000000",
            "  [5ff0]       0000000000000009 0000000000000000 (physical memory)",
            "  [5ff8]       0000000000000009 0000000000000000 (physical memory)",
            "  [6000]       0000000000000009 0000000000000000 (physical memory)",
            "  [6008]       0000000000000009 0000000000000000 (physical memory)",
            "  [6010]       0000000000000009 0000000000000000 (physical memory)",
            "  [6018]       0000000000000009 0000000000000000 (physical memory)",
            "  [6020]       0000000000000009 0000000000000000 (physical memory)",
            "  [6028]       0000000000000009 0000000000000000 (physical memory)",
            "  and 3 more words of physical memory",
        }));
    }

    [Test]
    public void What_ends_one_side_alone_is_told_with_the_instructions_that_each_executed() =>
        Assert.That(
            DifferenceOf(cpu => cpu->Rip = 0x7f_0000_0000).Split(Environment.NewLine)[1],
            Does.StartWith("  stopped      Exception { Vector = 14,").And.EndsWith("after 0, interpreted InstructionLimit { } after 1"));

    /// <summary>What is told when something changes the program's CPU, and not its copy, before an instruction.</summary>
    private static string DifferenceOf(InstructionHook change)
    {
        const ulong Code = 0x4000;
        using var memory = new PhysicalMemory(1 << 20);
        memory.Write(0x1000, 0x2007ul);
        memory.Write(0x2000, 0x3007ul);
        memory.Write(0x3000, 0x87ul);
        memory.Write(Code, CodeMachine.Assemble(a => { for (int i = 0; i < 100; i++) a.nop(); }, Code));
        using var cpu = new UserCpu(memory, repeatable: true);
        cpu.State->Cr3 = 0x1000;
        cpu.State->Rip = Code;
        using var executed = new InterpretedCpu(cpu.State, systemCallsLeave: true);
        executed.Hooks.Add(Code, Code, change);
        using var lockStep = new LockStep(cpu.State, executed, memory);
        lockStep.Run(100, [.. Enumerable.Range(0, (int)(memory.Size / PhysicalMemory.PageSize)).Select(frame => (ulong)frame * PhysicalMemory.PageSize)]);
        return lockStep.Difference ?? throw new InvalidOperationException("Nothing differs.");
    }

    private static ProgramOptions Options(ExecutionTier tier) => new()
    {
        Path = "/test",
        Arguments = ["test"],
        MemorySize = 4 << 20,
        Tier = tier,
        LockStep = true,
    };

    /// <summary>A loop of 30,000 turns that adds time stamps, patches an immediate at times.</summary>
    private static byte[] Program() => ElfProgram.Assemble(
        a =>
        {
            Label again = a.CreateLabel();
            Label patched = a.CreateLabel();
            Label plain = a.CreateLabel();
            a.mov(r12d, 30_000);
            a.Label(ref again);
            a.nop();
            a.Label(ref patched);
            a.mov(ebx, 0x1111);
            a.rdtsc();
            a.add(r13, rax);
            a.movq(xmm0, r13);
            a.paddd(xmm1, xmm0);
            a.imul(r13, rbx);
            a.test(r12d, 0xfff);
            a.jne(plain);
            a.lea(r14, __[patched]);
            a.inc(__byte_ptr[r14 + 1]);
            a.Label(ref plain);
            a.dec(r12d);
            a.jne(again);
            a.xor(edi, edi);
            a.mov(eax, 60);
            a.syscall();
        },
        writable: true);
}
