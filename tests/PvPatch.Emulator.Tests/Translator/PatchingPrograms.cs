using Iced.Intel;
using PvPatch.Emulator.Tests.Interpreter;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>
/// Endless programs for <see cref="ProgrammedCpu"/> that patch their own code while XMM registers, the x87 stack and flags are in use on both
/// sides of the store. RBP counts the rounds; each patches.
/// </summary>
internal static class PatchingPrograms
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Alias = ProgrammedCpu.CodeAlias;
    private const ulong Data = ProgrammedCpu.Data;
    private const int Start = 0x100;
    private const int Round = 0x180;

    public static readonly IReadOnlyDictionary<string, Action<Assembler>> All = new Dictionary<string, Action<Assembler>>(StringComparer.Ordinal)
    {
        ["the next instruction"] = a => PatchesConstant(a, store: 0x200, patched: 0x203),
        ["the next instruction through another address"] = a => PatchesConstant(a, store: 0x200, patched: 0x203, by: Alias),
        ["a later instruction of its block"] = a => PatchesConstant(a, store: 0x200, patched: 0x240),
        ["an earlier instruction of its loop"] = a => PatchesConstant(a, store: 0x2a0, patched: 0x240),
        ["the next page"] = a => PatchesConstant(a, store: 0x200, patched: 0x1040),
        ["the next page through another address"] = a => PatchesConstant(a, store: 0x200, patched: 0x1040, by: Alias),
        ["the next instruction, which begins a page"] = a => PatchesConstant(a, store: 0xffd, patched: 0x1000),
        ["the next instruction, which lies in two pages"] = a => PatchesConstant(a, store: 0xffa, patched: 0xffd),
        ["the constant in two pages, through another address"] = a => PatchesConstant(a, store: 0x200, patched: 0xffd, by: Alias),
        ["the page before"] = a => PatchesConstant(a, store: 0x1200, patched: 0xf00),
        ["itself"] = PatchesItself,
        ["its loop's condition"] = PatchesCondition,
        ["its loop's body, 16 bytes in two pages"] = PatchesBody,
        ["what a string instruction goes on to"] = PatchesByString,
        ["what a string instruction that is being executed is part of"] = OverwritesString,
        ["by a push, a return address and an FISTP"] = PatchesByStack,
        ["by locked instructions"] = PatchesByLocked,
    };

    /// <summary>A store of four bytes into the constant of <c>mov eax,imm32</c>: all other pieces of the loop are strung together by jumps.</summary>
    private static void PatchesConstant(Assembler a, int store, int patched, ulong by = Code)
    {
        (int Offset, Action<Assembler> Code) before = (Start, a =>
        {
            Begin(a);
            a.mov(rdi, by + (ulong)patched + 1);
            a.jmp(Code + Round);
        }
        );
        (int Offset, Action<Assembler> Code) round = (Round, a =>
        {
            a.lea(rbp, __[rbp + 1]);
            a.imul(edx, ebp, 0x1234_567);
            a.paddd(xmm0, xmm1);
            a.addsd(xmm2, xmm3);
            a.fadd(st0, st1);
            a.add(r8d, edx);
            a.jmp(Code + (ulong)(store < patched ? store : patched));
        }
        );
        Action<Assembler> end = a =>
        {
            a.pxor(xmm1, xmm4);
            a.setle(r10b);
            a.jmp(Code + Round);
        };
        // Three bytes, for which the assembler has a shorter form.
        static void Store(Assembler a) => a.db(0x89, 0x57, 0x00); // mov [rdi+0],edx

        static void Patched(Assembler a)
        {
            a.mov(eax, 0x1111_1111);
            a.adc(r9, rax);
            a.movd(xmm4, eax);
            a.sbb(r11, r9);
        }

        bool falls = patched == store + 3;
        (int, Action<Assembler>)[] pieces = store < patched
            ? [before, round,
                (store, a => { Store(a); if (falls) { Patched(a); end(a); } else { a.setb(bl); a.jmp(Code + (ulong)patched); } }),
                .. falls ? [] : new (int, Action<Assembler>)[] { (patched, a => { Patched(a); end(a); }) }]
            : [before, round, (patched, a => { Patched(a); a.jmp(Code + (ulong)store); }), (store, a => { Store(a); end(a); })];
        PagedPrograms.Assemble(a, Start, 3, pieces);
    }

    /// <summary>A store that changes its own displacement, and so where it stores the next time.</summary>
    private static void PatchesItself(Assembler a)
    {
        Label again = a.CreateLabel();
        Label store = a.CreateLabel();
        Begin(a);
        a.lea(rdi, __[store]);
        a.Label(ref again);
        a.lea(rbp, __[rbp + 1]);
        a.mov(edx, ebp);
        a.and(edx, 4);
        a.lea(edx, __[rdx + 2]);
        a.paddd(xmm0, xmm1);
        a.fadd(st0, st1);
        a.cmp(r8d, 77);
        a.Label(ref store);
        // mov [rdi+2],dl: the displacement becomes 2 or 6, where 6 is a byte of the constant below.
        a.db(0x88, 0x57, 0x02);
        a.lea(rcx, __[rcx + 0x1122_3344]);
        a.adc(r9, rcx);
        a.movq(xmm1, r9);
        a.imul(r8d, r8d, 77);
        a.inc(r8d);
        a.mov(__byte_ptr[rdi + 2], 2);
        a.jmp(again);
    }

    /// <summary>JE becomes JNE and the other way round, just before it is executed.</summary>
    private static void PatchesCondition(Assembler a)
    {
        Label again = a.CreateLabel();
        Label jump = a.CreateLabel();
        Label other = a.CreateLabel();
        Begin(a);
        a.lea(rdi, __[jump]);
        a.Label(ref again);
        a.lea(rbp, __[rbp + 1]);
        a.imul(r8d, ebp, 0x1234_567);
        a.shr(r8d, 13);
        a.setb(dl);
        a.lea(edx, __[rdx + 0x74]);
        a.mulpd(xmm2, xmm3);
        a.test(ebp, 6);
        a.mov(__[rdi], dl);
        a.Label(ref jump);
        a.je(other);
        a.paddq(xmm0, xmm1);
        a.adc(r9, r8);
        a.jmp(again);
        a.Label(ref other);
        a.psubq(xmm1, xmm0);
        a.sbb(r10, r8);
        a.fmul(st0, st1);
        a.jmp(again);
    }

    /// <summary>Two versions of 16 bytes, copied by one MOVDQU that is the instruction before them.</summary>
    private static void PatchesBody(Assembler a)
    {
        const int Body = 0x1000 - 7;
        const ulong Versions = Data + 0x1000;
        byte[] first = CodeMachine.Assemble(a => { a.paddd(xmm0, xmm1); a.adc(r9, rdx); a.mulsd(xmm2, xmm3); a.nop(5); }, 0);
        byte[] second = CodeMachine.Assemble(a => { a.sbb(r10, rdx); a.sbb(r9, r10); a.pshufb(xmm0, xmm1); a.nop(); a.subsd(xmm2, xmm3); }, 0);
        PagedPrograms.Assemble(a, Start, 3,
            (Start, a =>
            {
                Begin(a);
                a.mov(rsi, Versions);
                for (int i = 0; i < 2; i++)
                {
                    a.mov(rax, BitConverter.ToUInt64(first, 8 * i));
                    a.mov(__[rsi + (8 * i)], rax);
                    a.mov(rax, BitConverter.ToUInt64(second, 8 * i));
                    a.mov(__[rsi + 16 + (8 * i)], rax);
                }

                a.mov(rdi, Code + Body);
                a.jmp(Code + 0x820);
            }
        ),
            (0x820, a =>
            {
                a.lea(rbp, __[rbp + 1]);
                a.mov(eax, ebp);
                a.and(eax, 0x10);
                a.imul(edx, ebp, 0x1234_567);
                a.movdqu(xmm7, __xmmword_ptr[rsi + rax]);
                a.paddw(xmm1, xmm7);
                a.add(r8d, edx);
                a.jmp(Code + Body - 4);
            }
        ),
            (Body - 4, a =>
            {
                a.movdqu(__xmmword_ptr[rdi], xmm7);
                a.db(first);
                a.setg(bl);
                a.pxor(xmm1, xmm2);
                // The next three rounds of sixteen take the other version.
                a.lea(rbp, __[rbp + 4]);
                a.jmp(Code + 0x820);
            }
        ));
    }

    /// <summary>REP MOVSB writes over the instructions behind itself.</summary>
    private static void PatchesByString(Assembler a)
    {
        Label again = a.CreateLabel();
        Label patched = a.CreateLabel();
        Begin(a);
        a.Label(ref again);
        a.lea(rbp, __[rbp + 1]);
        a.mov(eax, ebp);
        a.and(eax, 0x38);
        a.lea(rsi, __[rax]);
        a.mov(rax, Data);
        a.add(rsi, rax);
        a.lea(rdi, __[patched]);
        a.lea(rdi, __[rdi + 1]);
        a.mov(ecx, 4);
        a.paddd(xmm0, xmm1);
        a.addsd(xmm2, xmm3);
        a.add(r8d, ebp);
        a.rep.movsb();
        a.Label(ref patched);
        a.mov(edx, 0x1111_1111);
        a.adc(r9, rdx);
        a.movd(xmm1, edx);
        a.setp(bl);
        a.jmp(again);
    }

    /// <summary>REP STOSB writes over itself: its REP becomes a NOP while it is being executed, in every second round.</summary>
    private static void OverwritesString(Assembler a)
    {
        Label again = a.CreateLabel();
        Label itself = a.CreateLabel();
        Begin(a);
        a.Label(ref again);
        a.lea(rbp, __[rbp + 1]);
        a.lea(rdi, __[itself]);
        a.mov(__word_ptr[rdi], 0xaaf3);
        a.lea(rdi, __[rdi - 3]);
        a.mov(eax, 0x90);
        a.mov(ecx, ebp);
        a.and(ecx, 1);
        a.lea(ecx, __[rcx + 3]);
        a.paddd(xmm0, xmm1);
        a.fadd(st0, st1);
        a.add(r8d, 0x7654_3210);
        a.db(0x90, 0x90, 0x90);
        a.Label(ref itself);
        a.db(0xf3, 0xaa);
        a.adc(r9, rcx);
        a.movq(xmm1, rdi);
        a.seto(bl);
        a.jmp(again);
    }

    /// <summary>The stack pointer is moved into the code.</summary>
    private static void PatchesByStack(Assembler a)
    {
        Label again = a.CreateLabel();
        Label first = a.CreateLabel();
        Label second = a.CreateLabel();
        Label third = a.CreateLabel();
        Label function = a.CreateLabel();
        Begin(a);
        a.mov(rsi, Data);
        a.Label(ref again);
        a.lea(rbp, __[rbp + 1]);
        a.mov(r12, rsp);
        a.lea(rsp, __[first]);
        a.lea(rsp, __[rsp + 2 + 8]);
        a.paddd(xmm0, xmm1);
        a.add(r8d, 0x7654_3210);
        a.push(rbp);
        a.Label(ref first);
        a.mov(rdx, 0x1111_1111_1111_1111);
        a.adc(r9, rdx);
        a.movq(xmm1, r9);
        a.lea(rsp, __[second]);
        a.lea(rsp, __[rsp + 2 + 8]);
        a.add(r10, r9);
        a.call(function);
        a.Label(ref second);
        a.mov(rdx, 0x2222_2222_2222_2222);
        a.sbb(r9, rdx);
        a.lea(rdi, __[third]);
        a.mov(__[rsi], rbp);
        a.fild(__qword_ptr[rsi]);
        a.cmp(r8d, r9d);
        a.fistp(__qword_ptr[rdi + 2]);
        a.Label(ref third);
        a.mov(rdx, 0x3333_3333_3333_3333);
        a.adc(r10, rdx);
        a.setl(bl);
        a.mov(rsp, r12);
        a.jmp(again);
        a.Label(ref function);
        a.paddq(xmm1, xmm0);
        a.ret();
    }

    private static void PatchesByLocked(Assembler a)
    {
        Label again = a.CreateLabel();
        Label first = a.CreateLabel();
        Label second = a.CreateLabel();
        Begin(a);
        a.lea(rsi, __[first]);
        a.lea(rdi, __[second]);
        a.Label(ref again);
        a.lea(rbp, __[rbp + 1]);
        a.imul(edx, ebp, 0x1234_567);
        a.paddd(xmm0, xmm1);
        a.mulsd(xmm2, xmm3);
        a.@lock.xadd(__[rsi + 1], edx);
        a.Label(ref first);
        a.mov(eax, 0x1111_1111);
        a.adc(r9, rdx);
        a.adc(r9, rax);
        a.mov(ecx, ebp);
        a.add(r8d, ecx);
        a.xchg(__[rdi + 1], ecx);
        a.Label(ref second);
        a.mov(eax, 0x2222_2222);
        a.adc(r10, rax);
        a.movd(xmm1, ecx);
        a.setbe(bl);
        a.jmp(again);
    }

    /// <summary>Values in registers, of which all rounds make use.</summary>
    private static void Begin(Assembler a)
    {
        a.mov(rsi, Data);
        a.movdqu(xmm0, __xmmword_ptr[rsi + 8]);
        a.movdqu(xmm1, __xmmword_ptr[rsi + 24]);
        a.mov(eax, 3);
        a.cvtsi2sd(xmm2, eax);
        a.mov(eax, 7);
        a.cvtsi2sd(xmm3, eax);
        a.divsd(xmm3, xmm2);
        a.fninit();
        a.fldpi();
        a.fld1();
    }
}
