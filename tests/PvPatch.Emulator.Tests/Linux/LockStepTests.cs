using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux;
using PvPatch.Emulator.Linux.Elf;
using PvPatch.Emulator.Linux.Programs;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Linux;

/// <summary>Both tiers side by side on a program.</summary>
public sealed class LockStepTests
{
    [TestCase(ExecutionTier.Translated)]
    [TestCase(ExecutionTier.Automatic)]
    public void A_program_with_system_calls_random_numbers_and_code_that_it_patches_does_not_differ(ExecutionTier tier)
    {
        using var program = new LinuxProgram(ElfImage.Read(Program()), Options(tier));
        Assert.That(program.Run(), Is.EqualTo(new ProgramEnd.Exited(0)));
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
