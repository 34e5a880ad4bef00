using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Interpreter;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Translated loops and calls stop at every instruction with the state that the interpreter has there.</summary>
public sealed unsafe class TranslatedLoopTests
{
    private const ulong Data = ProgrammedCpu.Data;
    private const int Most = 90;

    private static readonly Dictionary<string, Action<Assembler>> Programs = new(StringComparer.Ordinal)
    {
        ["calls of a function in the region"] = Calls,
        ["flags that wait over the ends of blocks"] = WaitingFlags,
        ["loop that patches itself"] = PatchesItself,
        ["accesses that cross pages and miss"] = CrossesPages,
        ["multiplication and division"] = Divides,
        ["indirect calls and jumps"] = Indirect,
        ["packed integers"] = PackedIntegers,
        ["vectors that cross pages, miss and are misaligned"] = VectorsInMemory,
        ["floating-point numbers of all kinds"] = Floats,
        ["floating-point numbers while rounding changes"] = Rounding,
        ["indirect branches to code that reads flags"] = IndirectWithFlags,
        ["conditional moves"] = Conditional,
    };

    [TestCaseSource(nameof(Names))]
    public void Cut_at_each_instruction_the_state_is_the_interpreters(string name)
    {
        Action<Assembler> program = Programs[name];
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, program);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, program);
        Seed(reference);
        Seed(translated);
        for (int count = 1; count <= Most; count++)
        {
            // The interpreter goes on by one; the other starts anew and goes there at once.
            reference.Interpreter.Run(1);
            using var atOnce = new ProgrammedCpu(ExecutionTier.Translated, program);
            Seed(atOnce);
            atOnce.Interpreter.Run((ulong)count);
            translated.Interpreter.Run(1);
            string expected = Describe(reference);
            Assert.That(Describe(atOnce), Is.EqualTo(expected), $"{count} instructions at once");
            Assert.That(Describe(translated), Is.EqualTo(expected), $"instruction {count} alone");
        }
    }

    [TestCaseSource(nameof(Names))]
    public void Cut_into_pieces_of_any_length_it_ends_the_same(string name)
    {
        Action<Assembler> program = Programs[name];
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, program);
        Seed(reference);
        reference.Interpreter.Run(20_000);
        for (ulong piece = 1; piece < 64; piece += 9)
        {
            using var translated = new ProgrammedCpu(ExecutionTier.Translated, program);
            Seed(translated);
            for (ulong left = 20_000; left > 0; left -= Math.Min(piece, left))
                translated.Interpreter.Run(Math.Min(piece, left));
            Assert.That(Describe(translated), Is.EqualTo(Describe(reference)), $"pieces of {piece}");
        }
    }

    [TestCase("calls of a function in the region")]
    [TestCase("indirect calls and jumps")]
    [TestCase("indirect branches to code that reads flags")]
    [TestCase("conditional moves")]
    public void Code_that_is_translated_while_it_runs_goes_on_the_same(string name)
    {
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, Programs[name]);
        using var automatic = new ProgrammedCpu(ExecutionTier.Automatic, Programs[name]);
        Seed(reference);
        Seed(automatic);
        int roundsTranslated = 0;
        for (int round = 0; round < 5000 && roundsTranslated < 5; round++)
        {
            // By now the targets of indirect branches are known, so they are part of the region.
            reference.Interpreter.Run(70_001);
            automatic.Interpreter.Run(70_001);
            Assert.That(Describe(automatic), Is.EqualTo(Describe(reference)), $"round {round}");
            if (automatic.Interpreter.Translation.Regions > 0)
                roundsTranslated++;
            else
                Thread.Sleep(1);
        }

        Assert.That(roundsTranslated, Is.EqualTo(5), $"rounds with translated code: {automatic.Interpreter.Translation}");
        if (name.Contains("indirect", StringComparison.Ordinal))
            Assert.That(automatic.Interpreter.Translation.Regions, Is.LessThan(3), "regions: each function would be one");
    }

    [Test]
    public void A_loop_that_begins_where_a_region_ends_in_code_that_was_not_executed_is_translated_too()
    {
        using var automatic = new ProgrammedCpu(ExecutionTier.Automatic, LoopAcrossTheEndOfDecodedCode);
        for (int round = 0; round < 5000 && automatic.Interpreter.Translation.Regions < 2; round++)
        {
            automatic.Interpreter.Run(70_001);
            if (round == 0)
                Assert.That(automatic.State->Rbx, Is.Zero, "only the first loop was executed so far");
            Thread.Sleep(1);
            if (automatic.Interpreter.Translation.Regions == 1)
                automatic.State->Rcx = 1;
        }

        Assert.That(automatic.Interpreter.Translation.Regions, Is.EqualTo(2));
    }

    [Test]
    public void Of_too_much_translated_code_all_is_forgotten_and_it_goes_on_the_same()
    {
        const int Limit = 500;
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, ManyPages);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, ManyPages);
        translated.Interpreter.TranslationLimit = Limit;
        Seed(reference);
        Seed(translated);
        long most = 0;
        for (int round = 0; round < 40; round++)
        {
            reference.Interpreter.Run(97);
            translated.Interpreter.Run(97);
            most = Math.Max(most, translated.Interpreter.Translation.Kept);
            Assert.That(Describe(translated), Is.EqualTo(Describe(reference)), $"round {round}");
        }

        Assert.That(translated.Interpreter.Translation.Instructions, Is.GreaterThan(3 * Limit), "translated in all");
        Assert.That(most, Is.InRange(1L, 2L * Limit), "kept at once");
    }

    private static Dictionary<string, Action<Assembler>>.KeyCollection Names() => Programs.Keys;

    private static void Seed(ProgrammedCpu cpu)
    {
        for (ulong place = 0; place < 0x2000; place += 8)
            cpu.Write(Data + place, place * 0x9e37_79b9_7f4a_7c15);
    }

    private static string Describe(ProgrammedCpu cpu)
    {
        CpuState* state = cpu.State;
        ulong sum = 0;
        for (ulong place = 0; place < 0x4000; place += 8)
            sum = (sum * 31) + cpu.Read(Data + place);
        string registers = string.Join(' ', Enumerable.Range(0, 16).Select(i => $"{state->Gpr[i]:x}"));
        string vectors = string.Join(' ', Enumerable.Range(0, 32).Select(i => $"{state->Xmm[i]:x}"));
        return $"rip {state->Rip:x} flags {state->RFlags:x} {registers} {vectors} mxcsr {state->Mxcsr:x} memory {sum:x} count {cpu.Interpreter.Instructions}";
    }

    private static void PackedIntegers(Assembler a)
    {
        Label again = a.CreateLabel();
        a.mov(rsi, Data);
        a.Label(ref again);
        a.movdqa(xmm0, __xmmword_ptr[rsi]);
        a.movdqu(xmm1, __xmmword_ptr[rsi + 24]);
        a.paddw(xmm2, xmm0);
        a.psubusb(xmm2, xmm1);
        a.pmaddwd(xmm0, xmm1);
        a.pshufd(xmm3, xmm0, 0x1b);
        a.pshufb(xmm3, xmm1);
        a.palignr(xmm3, xmm2, 5);
        a.psrldq(xmm1, 3);
        a.psllw(xmm4, 3);
        a.psraw(xmm4, xmm1);
        a.pcmpgtb(xmm1, xmm0);
        a.pmovmskb(eax, xmm1);
        a.bsf(ecx, eax);
        a.movd(xmm5, eax);
        a.pinsrw(xmm4, eax, 5);
        a.pextrd(edx, xmm4, 2);
        a.punpcklbw(xmm5, xmm4);
        a.movq(r8, xmm5);
        a.ptest(xmm4, xmm1);
        a.adc(r9, rdx);
        a.movhps(xmm6, __qword_ptr[rsi + 40]);
        a.pblendvb(xmm6, xmm5);
        a.movups(__xmmword_ptr[rsi + 0x2001], xmm3);
        a.movhps(__qword_ptr[rsi + 0x2011], xmm6);
        a.movd(__dword_ptr[rsi + 0x2020], xmm5);
        a.lea(rsi, __[rsi + 16]);
        a.and(rsi, unchecked((int)0xffff_ffff_ffff_efffL));
        a.jmp(again);
    }

    private static void VectorsInMemory(Assembler a)
    {
        Label again = a.CreateLabel();
        Label aligned = a.CreateLabel();
        a.mov(rsi, Data + 0xfe8);
        a.Label(ref again);
        a.movdqu(xmm0, __xmmword_ptr[rsi]);
        a.paddb(xmm1, xmm0);
        a.movdqu(__xmmword_ptr[rsi + 7], xmm1);
        a.movq(xmm2, __qword_ptr[rsi + 3]);
        a.movlps(__qword_ptr[rsi + 1], xmm2);
        a.test(sil, 15);
        a.jne(aligned);
        a.pxor(xmm1, __xmmword_ptr[rsi]);
        a.movaps(__xmmword_ptr[rsi + 16], xmm1);
        a.Label(ref aligned);
        a.add(rsi, 1);
        a.cmp(si, 0x1010);
        a.jb(again);
        a.mov(rsi, Data + 0xfe8);
        a.jmp(again);
    }

    private static void Floats(Assembler a)
    {
        Label again = a.CreateLabel();
        Label above = a.CreateLabel();
        a.mov(rsi, Data);
        a.xor(ecx, ecx);
        a.Label(ref again);
        a.movsd(xmm0, __qword_ptr[rsi]);
        a.movss(xmm1, __dword_ptr[rsi + 12]);
        a.cvtsi2sd(xmm2, ecx);
        a.addsd(xmm2, xmm2);
        a.cvtss2sd(xmm3, xmm1);
        a.mulsd(xmm3, xmm2);
        a.addsd(xmm4, xmm2);
        a.divsd(xmm2, xmm4);
        a.sqrtsd(xmm5, xmm2);
        a.subsd(xmm5, __qword_ptr[rsi + 8]);
        a.cvttsd2si(edx, xmm4);
        a.cvtsd2si(r8, xmm5);
        a.ucomisd(xmm2, xmm4);
        a.jae(above);
        a.minsd(xmm6, xmm0);
        a.cmppd(xmm7, xmm3, 2);
        a.Label(ref above);
        a.maxss(xmm1, xmm6);
        a.mulps(xmm8, xmm1);
        a.addpd(xmm9, xmm3);
        a.cvtsd2ss(xmm8, xmm4);
        a.comiss(xmm8, xmm1);
        a.setb(bl);
        a.inc(ecx);
        a.lea(rsi, __[rsi + 8]);
        a.and(rsi, unchecked((int)0xffff_ffff_ffff_efffL));
        a.jmp(again);
    }

    private static void Rounding(Assembler a)
    {
        Label again = a.CreateLabel();
        a.mov(rsi, Data);
        a.mov(ecx, 3);
        a.Label(ref again);
        a.mov(eax, ecx);
        a.shl(eax, 11);
        a.and(eax, 0xe000);
        a.or(eax, 0x1f80);
        a.mov(__dword_ptr[rsi], eax);
        a.ldmxcsr(__dword_ptr[rsi]);
        a.cvtsi2sd(xmm0, ecx);
        a.cvtsi2ss(xmm1, rcx);
        a.divsd(xmm0, xmm2);
        a.addsd(xmm2, xmm0);
        a.addss(xmm3, xmm1);
        a.divss(xmm1, xmm3);
        a.stmxcsr(__dword_ptr[rsi + 8]);
        a.imul(ecx, ecx, 77);
        a.inc(ecx);
        a.jmp(again);
    }

    /// <summary>The first loop ends when RCX is 1; the instructions behind it are decoded with it up to the middle of the second loop, which has no end.</summary>
    private static void LoopAcrossTheEndOfDecodedCode(Assembler a)
    {
        Label first = a.CreateLabel();
        Label second = a.CreateLabel();
        a.Label(ref first);
        a.sub(rcx, 1);
        a.jne(first);
        for (int i = 0; i < 55; i++)
            a.add(rax, i);
        a.Label(ref second);
        for (int i = 0; i < 20; i++)
            a.add(rbx, i);
        a.jmp(second);
    }

    private static void Calls(Assembler a)
    {
        Label again = a.CreateLabel();
        Label function = a.CreateLabel();
        Label small = a.CreateLabel();
        a.Label(ref again);
        a.mov(edi, 6);
        a.call(function);
        a.add(r8, rax);
        a.jmp(again);
        a.Label(ref function);
        a.push(rbx);
        a.mov(rax, rdi);
        a.cmp(rdi, 2);
        a.jb(small);
        a.mov(rbx, rdi);
        a.lea(rdi, __[rbx - 1]);
        a.call(function);
        a.lea(rdi, __[rbx - 2]);
        a.mov(rbx, rax);
        a.call(function);
        a.add(rax, rbx);
        a.Label(ref small);
        a.pop(rbx);
        a.ret();
    }

    private static void WaitingFlags(Assembler a)
    {
        Label again = a.CreateLabel();
        Label other = a.CreateLabel();
        Label join = a.CreateLabel();
        a.mov(rsi, Data);
        a.Label(ref again);
        a.mov(rax, __[rsi]);
        a.add(al, __[rsi + 8]);
        a.inc(ecx);
        a.jp(other);
        a.sub(ax, __[rsi + 16]);
        a.jle(join);
        a.seto(dl);
        a.shl(r9w, 3);
        a.jmp(join);
        a.Label(ref other);
        a.shr(eax, 5);
        a.rol(r10, 7);
        a.sar(al, 1);
        a.Label(ref join);
        a.mov(__[rsi + 0x2000], rax);
        a.adc(r11, rax);
        a.setbe(bl);
        a.cmovns(rdx, rax);
        a.sbb(bh, al);
        a.dec(r12w);
        a.neg(r13d);
        a.rcl(r14, 1);
        a.lea(rsi, __[rsi + 8]);
        a.and(rsi, unchecked((int)0xffff_ffff_ffff_efffL));
        a.jne(again);
        a.jmp(again);
    }

    private static void PatchesItself(Assembler a)
    {
        Label again = a.CreateLabel();
        Label patched = a.CreateLabel();
        Label behind = a.CreateLabel();
        a.mov(ecx, 20);
        a.Label(ref again);
        a.nop();
        a.Label(ref patched);
        a.mov(eax, 0x1111);
        a.add(rbx, rax);
        a.lea(rdi, __[patched]);
        a.test(cl, 3);
        a.jne(behind);
        a.add(__byte_ptr[rdi + 1], 1);
        a.Label(ref behind);
        a.dec(ecx);
        a.jne(again);
        a.mov(ecx, 9);
        a.jmp(again);
    }

    private static void CrossesPages(Assembler a)
    {
        Label again = a.CreateLabel();
        a.mov(rsi, Data + 0xff0);
        a.Label(ref again);
        a.mov(rax, __[rsi]);
        a.add(__dword_ptr[rsi + 3], eax);
        a.xor(__[rsi + 5], rax);
        a.not(__word_ptr[rsi + 7]);
        a.push(rax);
        a.inc(rsi);
        a.pop(rdx);
        a.cmp(si, 0x1008);
        a.jb(again);
        a.mov(rsi, Data + 0xff0);
        a.jmp(again);
    }

    private static void Divides(Assembler a)
    {
        Label again = a.CreateLabel();
        a.mov(rsi, Data + 8);
        a.mov(edi, 3);
        a.Label(ref again);
        a.mov(rax, __[rsi]);
        a.mul(rdi);
        a.mov(r8, rdx);
        a.xor(edx, edx);
        a.div(rdi);
        a.imul(rax, rax, -77);
        a.cqo();
        a.idiv(rdi);
        a.imul(ecx, eax);
        a.cdq();
        a.idiv(edi);
        a.seto(bl);
        a.imul(edi);
        a.neg(rdi);
        a.bsf(r9, rax);
        a.popcnt(r10d, eax);
        a.bt(rax, 5);
        a.adc(r11, 0);
        a.bswap(r11);
        a.xchg(r9, r10);
        a.jmp(again);
    }

    private static void Indirect(Assembler a)
    {
        Label again = a.CreateLabel();
        Label one = a.CreateLabel();
        Label two = a.CreateLabel();
        a.lea(rbx, __[one]);
        a.lea(rbp, __[two]);
        a.Label(ref again);
        a.call(rbx);
        a.xchg(rbx, rbp);
        a.add(eax, 3);
        a.jmp(again);
        a.Label(ref one);
        a.inc(rcx);
        a.ret();
        a.Label(ref two);
        a.push(rbx);
        a.sub(rdx, 9);
        a.pop(r9);
        a.pop(r8);
        a.jmp(r8);
    }

    private static void IndirectWithFlags(Assembler a)
    {
        Label again = a.CreateLabel();
        Label one = a.CreateLabel();
        Label two = a.CreateLabel();
        a.lea(rbx, __[one]);
        a.lea(rbp, __[two]);
        a.Label(ref again);
        a.imul(rdi, rdi, 77);
        a.add(rdi, 12345);
        a.cmp(edi, 0x4000_0000);
        a.call(rbx);
        a.adc(rsi, 3);
        a.xchg(rbx, rbp);
        a.jmp(again);
        a.Label(ref one);
        a.adc(rcx, 0);
        a.ret();
        a.Label(ref two);
        a.setle(dl);
        a.pop(r8);
        a.jmp(r8);
    }

    private static void Conditional(Assembler a)
    {
        Label again = a.CreateLabel();
        a.mov(rsi, Data);
        a.Label(ref again);
        a.imul(rdi, rdi, 77);
        a.add(rdi, 12345);
        a.cmp(edi, esi);
        a.cmovle(rax, rdi);
        a.cmova(ebx, edi);
        a.cmovne(cx, di);
        a.test(edi, edi);
        a.cmovs(r8, __[rsi]);
        a.cmovns(r9d, edi);
        a.cmovg(r10w, di);
        a.add(r11d, edi);
        a.cmovb(r12, rdi);
        a.cmovae(r13, rdi);
        a.cmovo(r14d, edi);
        a.dec(r15);
        a.cmovp(rdx, rdi);
        a.jmp(again);
    }

    private static void ManyPages(Assembler a)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        for (int page = 0; page < 12; page++)
        {
            for (int i = 0; i < 60; i++)
                a.lea(rax, __[rax + rax * 4 + i]);
            Label next = a.CreateLabel();
            a.jmp(next);
            for (int i = 0; i < 3840; i++)
                a.db(0xcc);
            a.Label(ref next);
            a.add(rbx, rax);
        }

        a.jmp(again);
    }
}
