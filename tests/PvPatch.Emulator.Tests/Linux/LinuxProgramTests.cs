using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Linux.Programs;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Linux;

[TestFixture(ExecutionTier.Interpreted)]
[TestFixture(ExecutionTier.Translated)]
public sealed class LinuxProgramTests(ExecutionTier tier)
{
    private const int Enosys = 38;

    private static readonly Dictionary<string, (Action<Assembler> Program, int Status)> Statuses = new(StringComparer.Ordinal)
    {
        ["exit gives its low byte"] = (a => Exit(a, 0x1234), 0x34),
        ["argc is counted with the program's name"] = (a =>
        {
            a.mov(rdi, __qword_ptr[rsp]);
            a.mov(eax, 60);
            a.syscall();
        }, 3),
        ["the stack is aligned to 16 bytes"] = (a =>
        {
            a.mov(edi, esp);
            a.and(edi, 15);
            a.mov(eax, 60);
            a.syscall();
        }, 0),
        ["an unknown call answers ENOSYS"] = (a =>
        {
            a.mov(eax, 9999);
            a.syscall();
            ExitWithError(a);
        }, Enosys),
        ["a call with a bad address answers EFAULT"] = (a =>
        {
            Call(a, 1, 1, 0x1000, 5);
            ExitWithError(a);
        }, 14),
        ["a descriptor that is not open answers EBADF"] = (a =>
        {
            Call(a, 0, 77, 0, 0);
            ExitWithError(a);
        }, 9),
        ["a read into read-only memory answers EFAULT"] = (a =>
        {
            Call(a, 0, 0, ElfProgram.ImageBase, 4);
            ExitWithError(a);
        }, 14),
        ["brk grows, holds bytes and shrinks"] = (a =>
        {
            Call(a, 12, 0, 0, 0);
            a.mov(rbx, rax);
            a.lea(rdi, __[rbx + 0x3000]);
            a.mov(eax, 12);
            a.syscall();
            a.mov(__byte_ptr[rbx + 0x2fff], 42);
            a.movzx(r12d, __byte_ptr[rbx + 0x2fff]);
            a.mov(rdi, rbx);
            a.mov(eax, 12);
            a.syscall();
            a.mov(edi, r12d);
            a.mov(eax, 60);
            a.syscall();
        }, 42),
        ["mmap gives zeros, mremap moves bytes, munmap takes them"] = (a =>
        {
            Map(a, 0x2000, 3);
            a.mov(rbx, rax);
            a.mov(dl, __byte_ptr[rbx + 0x1fff]);
            a.add(dl, 7);
            a.mov(__byte_ptr[rbx], dl);
            Map(a, 0x1000, 3);
            a.mov(rdi, rbx);
            a.mov(esi, 0x2000);
            a.mov(edx, 0x9000);
            a.mov(r10d, 1);
            a.mov(eax, 25);
            a.syscall();
            a.mov(r12, rax);
            a.movzx(r13d, __byte_ptr[r12]);
            a.mov(rdi, r12);
            a.mov(esi, 0x9000);
            a.mov(eax, 11);
            a.syscall();
            a.add(r13d, eax);
            a.mov(edi, r13d);
            a.mov(eax, 60);
            a.syscall();
        }, 7),
        ["mremap lets a shared mapping grow, which a child shares too"] = (a =>
        {
            Label child = a.CreateLabel();
            Map(a, 0x1000, 3, shared: true);
            a.mov(rbx, rax);
            a.mov(rdi, rbx);
            a.mov(esi, 0x1000);
            a.mov(edx, 0x3000);
            a.mov(r10d, 1);
            a.mov(eax, 25);
            a.syscall();
            a.mov(rbx, rax);
            Call(a, 57, 0, 0, 0);
            a.test(eax, eax);
            a.je(child);
            a.mov(rdi, rax);
            a.xor(esi, esi);
            a.xor(edx, edx);
            a.xor(r10d, r10d);
            a.mov(eax, 61);
            a.syscall();
            a.movzx(edi, __byte_ptr[rbx + 0x2008]);
            a.mov(eax, 60);
            a.syscall();
            a.Label(ref child);
            a.mov(__byte_ptr[rbx + 0x2008], 9);
            Call(a, 60, 0, 0, 0);
        }, 9),
        ["mremap moves code to where it is told, over what was there"] = (a =>
        {
            const ulong Target = 0x7100_0000_0000;
            Map(a, 0x2000, 7);
            a.mov(rbx, rax);
            a.mov(__dword_ptr[rbx], unchecked((int)0xc301_478d));
            a.call(rbx);
            a.mov(rdi, rbx);
            a.mov(esi, 0x2000);
            a.mov(edx, 0x1000);
            a.mov(r10d, 3);
            a.mov(r8, Target);
            a.mov(eax, 25);
            a.syscall();
            a.mov(rdi, rax);
            a.call(rdi);
            a.mov(edi, eax);
            a.mov(eax, 60);
            a.syscall();
        }, 1),
        ["a gibibyte that is not touched costs no memory"] = (a =>
        {
            Map(a, 0x4000_0000, 3);
            a.mov(__byte_ptr[rax + 0x3000_0000], 5);
            a.movzx(edi, __byte_ptr[rax + 0x3000_0000]);
            a.mov(eax, 60);
            a.syscall();
        }, 5),
        ["arch_prctl sets the base of FS"] = (a =>
        {
            Call(a, 158, 0x1002, ElfProgram.ImageBase, 0);
            a.movzx(edi, __byte_ptr.fs[1]);
            a.mov(eax, 60);
            a.syscall();
        }, 'E'),
        ["CPUID has XSAVE, which is on, with room for the YMM registers"] = (a =>
        {
            a.mov(eax, 1);
            a.cpuid();
            a.shr(ecx, 26);
            a.and(ecx, 3);
            a.mov(r12d, ecx);
            a.mov(eax, 0xd);
            a.xor(ecx, ecx);
            a.cpuid();
            a.sub(ebx, 832);
            a.add(r12d, ebx);
            a.xor(ecx, ecx);
            a.xgetbv();
            a.shl(eax, 4);
            a.add(r12d, eax);
            a.mov(edi, r12d);
            a.mov(eax, 60);
            a.syscall();
        }, 0x73),
        ["CPUID has SSE2 and AVX"] = (a =>
        {
            a.mov(eax, 1);
            a.xor(ecx, ecx);
            a.cpuid();
            a.shr(edx, 26);
            a.and(edx, 1);
            a.shr(ecx, 27);
            a.and(ecx, 2);
            a.or(edx, ecx);
            a.mov(edi, edx);
            a.mov(eax, 60);
            a.syscall();
        }, 3),
    };

    private static readonly Dictionary<string, (Action<Assembler> Program, Signal Signal, string Sentence)> Faults = new(StringComparer.Ordinal)
    {
        ["read of nothing"] = (a => a.mov(rax, __qword_ptr[0x1234]), Signal.Segmentation, "a read of 0x1234, where nothing is mapped"),
        ["write to code"] = (a =>
        {
            a.mov(rbx, ElfProgram.ImageBase);
            a.mov(__qword_ptr[rbx], rax);
        }, Signal.Segmentation, "a write to 0x400000, where the page forbids it"),
        ["jump to nothing"] = (a =>
        {
            a.mov(rax, 0x9000_0000);
            a.jmp(rax);
        }, Signal.Segmentation, "a jump to 0x90000000, where nothing is mapped"),
        ["jump to the stack"] = (a => a.jmp(rsp), Signal.Segmentation, "where the page forbids it"),
        ["a misaligned read when the program asked for alignment checks"] = (a =>
        {
            a.pushfq();
            a.or(__dword_ptr[rsp], 1 << 18);
            a.popfq();
            a.mov(rax, __qword_ptr[rsp + 1]);
        }, Signal.Bus, "an access to a misaligned address"),
        ["running off the end"] = (a => a.nop(0x1000 - ElfProgram.HeaderSize), Signal.Segmentation, "a jump to 0x401000"),
        ["address that is none"] = (a =>
        {
            a.mov(rax, 0x8000_0000_0000_0000);
            a.mov(rbx, __qword_ptr[rax]);
        }, Signal.Segmentation, "an address that is none"),
        ["division by zero"] = (a =>
        {
            a.xor(ecx, ecx);
            a.div(ecx);
        }, Signal.Arithmetic, "a division by zero"),
        ["undefined instruction"] = (a => a.ud2(), Signal.IllegalInstruction, "an instruction that this CPU does not have"),
        ["breakpoint"] = (a => a.int3(), Signal.Trap, "a breakpoint"),
        ["halt"] = (a => a.hlt(), Signal.Segmentation, "may not execute"),
        ["port"] = (a => a.@in(al, dx), Signal.Segmentation, "may not execute"),
        ["old system call"] = (a => a.@int(0x80), Signal.Segmentation, "interrupt 128"),
        ["INT 14 is no page fault"] = (a => a.@int(14), Signal.Segmentation, "interrupt 14"),
        ["stack overflow"] = (a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.sub(rsp, 0x800);
            a.push(rax);
            a.jmp(again);
        }, Signal.Segmentation, "the program overflowed its stack"),
        ["all memory"] = (a =>
        {
            Map(a, 0x4000_0000, 3);
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.mov(__byte_ptr[rax], 1);
            a.add(rax, 0x1000);
            a.jmp(again);
        }, Signal.Kill, "memory of the program is used up"),
        ["use after munmap"] = (a =>
        {
            Map(a, 0x1000, 3);
            a.mov(rbx, rax);
            a.mov(__byte_ptr[rbx], 1);
            a.mov(rdi, rbx);
            a.mov(esi, 0x1000);
            a.mov(eax, 11);
            a.syscall();
            a.mov(al, __byte_ptr[rbx]);
        }, Signal.Segmentation, "where nothing is mapped"),
        ["write after mprotect"] = (a =>
        {
            Map(a, 0x1000, 3);
            a.mov(rbx, rax);
            a.mov(__byte_ptr[rbx], 1);
            a.mov(rdi, rbx);
            a.mov(esi, 0x1000);
            a.mov(edx, 1);
            a.mov(eax, 10);
            a.syscall();
            a.mov(__byte_ptr[rbx], 1);
        }, Signal.Segmentation, "where the page forbids it"),
    };

    private static IEnumerable<string> StatusNames => Statuses.Keys;

    private static IEnumerable<string> FaultNames => Faults.Keys;

    [TestCaseSource(nameof(StatusNames))]
    public void A_program_ends_with_its_status(string name)
    {
        (Action<Assembler> program, int status) = Statuses[name];
        Assert.That(ElfProgram.Run(tier, ElfProgram.Assemble(program), arguments: ["a", "b"]).End, Is.EqualTo(new ProgramEnd.Exited(status)));
    }

    [TestCaseSource(nameof(FaultNames))]
    public void A_fault_is_told_with_its_signal(string name)
    {
        (Action<Assembler> program, Signal signal, string sentence) = Faults[name];
        ProgramEnd end = ElfProgram.Run(tier, ElfProgram.Assemble(program)).End;
        Assert.That(end, Is.TypeOf<ProgramEnd.Faulted>());
        var fault = (ProgramEnd.Faulted)end;
        Assert.That((fault.Signal, fault.Instruction.Length > 0), Is.EqualTo((signal, true)));
        Assert.That(fault.Sentence, Does.Contain(sentence));
    }

    [Test]
    public void Output_is_what_the_program_wrote([Values] bool positionIndependent)
    {
        byte[] file = ElfProgram.Assemble(
            a =>
            {
                Label text = a.CreateLabel();
                a.mov(edi, 1);
                a.lea(rsi, __[text]);
                a.mov(edx, 6);
                a.mov(eax, 1);
                a.syscall();
                Exit(a, 0);
                a.Label(ref text);
                a.db("hello\n"u8.ToArray());
            },
            positionIndependent: positionIndependent);
        Assert.That(ElfProgram.Run(tier, file), Is.EqualTo(((ProgramEnd)new ProgramEnd.Exited(0), "hello\n")));
    }

    [Test]
    public void Arguments_come_as_they_were_given()
    {
        byte[] file = ElfProgram.Assemble(a =>
        {
            a.mov(rsi, __qword_ptr[rsp + 16]);
            a.mov(edi, 1);
            a.mov(edx, 9);
            a.mov(eax, 1);
            a.syscall();
            Exit(a, 0);
        });
        Assert.That(ElfProgram.Run(tier, file, arguments: ["--help \u00fc"]).Output, Is.EqualTo("--help \u00c3\u00bc"));
    }

    [Test]
    public void Bytes_pass_through_unchanged()
    {
        byte[] input = [.. Enumerable.Range(0, 6000).Select(i => (byte)((i * 7) ^ (i >> 5)))];
        byte[] file = ElfProgram.Assemble(a =>
        {
            a.sub(rsp, 8000);
            a.mov(rsi, rsp);
            a.xor(edi, edi);
            a.mov(edx, 7000);
            a.xor(eax, eax);
            a.syscall();
            a.mov(rdx, rax);
            a.mov(edi, 1);
            a.mov(eax, 1);
            a.syscall();
            Exit(a, 0);
        });
        Assert.That(ElfProgram.Run(tier, file, input: input).Output, Is.EqualTo(System.Text.Encoding.Latin1.GetString(input)));
    }

    [TestCase(1ul)]
    [TestCase(1000ul)]
    [TestCase(3_000_000ul)]
    public void An_endless_loop_stops_at_the_limit(ulong limit)
    {
        byte[] file = ElfProgram.Assemble(Spin);
        Assert.That(ElfProgram.Run(tier, file, limit).End, Is.TypeOf<ProgramEnd.LimitReached>());
    }

    [Test]
    public void A_signal_to_itself_ends_it()
    {
        byte[] file = ElfProgram.Assemble(a =>
        {
            Call(a, 39, 0, 0, 0);
            a.mov(edi, eax);
            a.mov(esi, 6);
            a.mov(eax, 62);
            a.syscall();
        });
        Assert.That(ElfProgram.Run(tier, file).End, Is.EqualTo(new ProgramEnd.Signalled(Signal.Abort)));
    }

    [Test]
    public void Code_that_a_call_writes_is_executed_as_written()
    {
        byte[] file = ElfProgram.Assemble(
            a =>
            {
                Label patched = a.CreateLabel();
                Label once = a.CreateLabel();
                a.mov(ebx, 2);
                a.Label(ref once);
                a.db(0xb9);                 // mov ecx, 1
                a.Label(ref patched);
                a.dd(1);
                a.add(r12d, ecx);
                a.xor(edi, edi);
                a.lea(rsi, __[patched]);
                a.mov(edx, 1);
                a.xor(eax, eax);
                a.syscall();
                a.dec(ebx);
                a.jne(once);
                a.mov(edi, r12d);
                a.mov(eax, 60);
                a.syscall();
            },
            writable: true);
        Assert.That(ElfProgram.Run(tier, file, input: [20]).End, Is.EqualTo(new ProgramEnd.Exited(21)));
    }

    private static void Spin(Assembler a)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.inc(rax);
        a.jmp(again);
    }

    private static void Exit(Assembler a, int status) => Call(a, 60, (ulong)status, 0, 0);

    private static void ExitWithError(Assembler a)
    {
        a.neg(eax);
        a.mov(edi, eax);
        a.mov(eax, 60);
        a.syscall();
    }

    private static void Call(Assembler a, uint number, ulong first, ulong second, ulong third)
    {
        a.mov(rdi, first);
        a.mov(rsi, second);
        a.mov(rdx, third);
        a.mov(eax, number);
        a.syscall();
    }

    private static void Map(Assembler a, ulong size, int protection, bool shared = false)
    {
        a.xor(edi, edi);
        a.mov(rsi, size);
        a.mov(edx, protection);
        a.mov(r10d, shared ? 0x21 : 0x22);
        a.mov(r8, -1);
        a.xor(r9d, r9d);
        a.mov(eax, 9);
        a.syscall();
    }
}
