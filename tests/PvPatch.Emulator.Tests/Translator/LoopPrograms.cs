using Iced.Intel;
using PvPatch.Emulator.Tests.Interpreter;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Endless programs for <see cref="ProgrammedCpu"/>, each with something that regions must get right.</summary>
internal static class LoopPrograms
{
    private const ulong Data = ProgrammedCpu.Data;

    public static readonly IReadOnlyDictionary<string, Action<Assembler>> All = new Dictionary<string, Action<Assembler>>(StringComparer.Ordinal)
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
        ["exceptions of results that nobody reads, in all modes"] = UnreadFloats,
        ["floating-point numbers that are known before"] = KnownFloats,
        ["indirect branches to code that reads flags"] = IndirectWithFlags,
        ["conditional moves"] = Conditional,
        ["chains of loads through pages that lie apart"] = Chains,
        ["registers that are hardly used"] = HardlyUsed,
        ["flags of products, shifts and low bytes"] = NarrowFlags,
        ["calls of functions in other pages"] = PagedPrograms.Calls,
        ["instructions that lie in two pages"] = PagedPrograms.Straddling,
        ["indirect branches between pages"] = PagedPrograms.Indirect,
        ["loop that patches code in other pages"] = PagedPrograms.PatchesOtherPages,
        ["loop that lets pages of code lead elsewhere"] = PagedPrograms.Remaps,
    };

    /// <summary>Two lists, one of addresses and one of indices, whose pages have three ways from linear to physical addresses.</summary>
    private static void Chains(Assembler a)
    {
        Label again = a.CreateLabel();
        ulong[] nodes = [Data + 0x40, ProgrammedCpu.Code + 0x8100, Data + 0x1040, ProgrammedCpu.CodeAlias + 0x8200, ProgrammedCpu.CodeAlias + 0x9300];
        for (int i = 0; i < nodes.Length; i++)
        {
            a.mov(rbx, nodes[i]);
            a.mov(rcx, nodes[(i + 1) % nodes.Length]);
            a.mov(__[rbx + 8], rcx);
        }

        a.mov(rsi, Data + 0x800);
        for (int i = 0; i < 4; i++)
            a.mov(__dword_ptr[rsi + (i * 0x404)], (0x101 * (i + 1)) % 0x404);
        a.xor(edx, edx);
        a.mov(rax, nodes[0]);
        a.Label(ref again);
        a.mov(rax, __[rax + 8]);
        a.xor(rdi, rax);
        a.mov(edx, __[rsi + (rdx * 4)]);
        a.add(r8, __[rax]);
        a.mov(rax, __[rax + 8]);
        a.movsxd(rdx, __dword_ptr[rsi + (rdx * 4)]);
        a.add(r9, rdx);
        a.jmp(again);
    }

    /// <summary>More registers than are kept in locals, some used once, in parts.</summary>
    private static void HardlyUsed(Assembler a)
    {
        Label again = a.CreateLabel();
        Label inner = a.CreateLabel();
        a.mov(rsi, Data);
        a.Label(ref again);
        a.mov(ecx, 3);
        a.Label(ref inner);
        foreach (AssemblerRegister64 register in (ReadOnlySpan<AssemblerRegister64>)[rax, rbx, rdx, rdi, r8, r9, r10, r11])
        {
            a.add(register, rcx);
            a.xor(register, __qword_ptr[rsi + 16]);
            a.rol(register, 3);
        }

        a.dec(rcx);
        a.jne(inner);
        a.mov(bpl, al);
        a.xor(r12w, 0x1234);
        a.add(r13d, ebx);
        a.imul(r14, r14, 77);
        a.or(bp, dx);
        a.cmovs(r15, r14);
        a.setc(r12b);
        a.movdqu(__xmmword_ptr[rsi + 24], xmm9);
        a.paddb(xmm9, xmm10);
        a.movq(xmm10, r14);
        a.jmp(again);
    }

    private static void NarrowFlags(Assembler a)
    {
        Label again = a.CreateLabel();
        Label odd = a.CreateLabel();
        Label positive = a.CreateLabel();
        a.mov(rsi, Data);
        a.Label(ref again);
        a.imul(rbx, rdi, 0x1f3);
        a.setc(al);
        a.mul(bl);
        a.adc(r8, rax);
        a.imul(ax, bx);
        a.mov(__word_ptr[rsi + 3], ax);
        a.sets(r9b);
        a.mul(rbx);
        a.inc(edi);
        a.adc(r10, 5);
        a.dec(bl);
        a.setb(r11b);
        a.cmovs(r12w, bx);
        a.cmovns(r13d, ebx);
        a.test(dx, dx);
        a.cmovs(r14, rdx);
        a.cmovns(ecx, edx);
        a.xor(cx, 0x1021);
        a.and(cl, bl);
        a.setp(r15b);
        a.or(r12b, cl);
        a.and(r13w, __word_ptr[rsi + 1]);
        a.shr(r14d, 5);
        a.jne(odd);
        a.add(r14, rdi);
        a.Label(ref odd);
        a.sar(r12w, 3);
        a.js(positive);
        a.bsf(ecx, r12d);
        a.setg(cl);
        a.Label(ref positive);
        a.shl(bl, 2);
        a.cmove(r8, r9);
        a.tzcnt(r10, rdi);
        a.seta(r11b);
        a.jmp(again);
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

    private static void UnreadFloats(Assembler a)
    {
        Label again = a.CreateLabel();
        a.mov(rsi, Data);
        a.mov(ecx, 3);
        a.Label(ref again);
        a.mov(eax, ecx);
        a.and(eax, 0xe040);
        a.or(eax, 0x1f80);
        a.mov(__dword_ptr[rsi + 0x1000], eax);
        a.movsd(xmm0, __qword_ptr[rsi]);
        a.movsd(xmm6, __qword_ptr[rsi + 8]);
        a.ldmxcsr(__dword_ptr[rsi + 0x1000]);
        a.movapd(xmm1, xmm0);
        a.mulsd(xmm1, xmm6);
        a.pxor(xmm1, xmm1);
        a.cvttsd2si(edx, xmm0);
        a.mov(edx, 1);
        a.comisd(xmm0, xmm6);
        a.add(r8, rdx);
        a.movapd(xmm2, xmm0);
        a.divsd(xmm2, xmm6);
        a.movapd(xmm3, xmm2);
        a.pxor(xmm3, xmm3);
        a.pxor(xmm2, xmm2);
        a.movapd(xmm4, xmm6);
        a.cmpsd(xmm4, xmm0, 1);
        a.pxor(xmm4, xmm4);
        a.cvtsd2ss(xmm5, xmm0);
        a.pxor(xmm5, xmm5);
        a.stmxcsr(__dword_ptr[rsi + 0x1004]);
        a.add(r9d, __dword_ptr[rsi + 0x1004]);
        a.imul(ecx, ecx, 0x6f4f2a35);
        a.inc(ecx);
        a.lea(rsi, __[rsi + 8]);
        a.and(rsi, unchecked((int)0xffff_ffff_ffff_efffL));
        a.jmp(again);
    }

    /// <summary>What a compiler would compute while it compiles, and leave out as it changes nothing, raises exceptions all the same.</summary>
    private static void KnownFloats(Assembler a)
    {
        Label again = a.CreateLabel();
        a.mov(rsi, Data);
        a.mov(__dword_ptr[rsi + 0x1000], 0x1f80);
        a.mov(rax, 0x3ff0_0000_0000_0000); // 1
        a.mov(rbx, 0x7ff0_0000_0000_0001); // a NaN that signals
        a.mov(rdx, 5); // denormal
        a.Label(ref again);
        Clear();
        a.pxor(xmm0, xmm0);
        a.divsd(xmm0, xmm0);
        See(xmm0);
        Clear();
        a.movq(xmm1, rbx);
        a.xorps(xmm2, xmm2);
        a.subsd(xmm1, xmm2);
        See(xmm1);
        Clear();
        a.movq(xmm3, rdx);
        a.mov(rax, 0x3ff0_0000_0000_0000);
        a.movq(xmm4, rax);
        a.mulsd(xmm3, xmm4);
        See(xmm3);
        Clear();
        a.mov(rcx, 0x4008_0000_0000_0000); // 3
        a.movq(xmm5, rcx);
        a.divsd(xmm4, xmm5);
        See(xmm4);
        Clear();
        a.mov(ecx, 0x0123_4567);
        a.cvtsi2ss(xmm6, ecx);
        See(xmm6);
        Clear();
        a.xorpd(xmm7, xmm7);
        a.pcmpeqd(xmm8, xmm8);
        a.addpd(xmm7, xmm8);
        See(xmm7);
        Clear();
        a.xorps(xmm9, xmm9);
        a.divps(xmm9, xmm9);
        See(xmm9);
        Clear();
        a.mov(ecx, 0x7f80_0001);
        a.movd(xmm10, ecx);
        a.cvtss2sd(xmm11, xmm10);
        See(xmm11);
        Clear();
        a.comiss(xmm10, xmm2);
        See(xmm10);
        Clear();
        a.movq(xmm12, rax);
        a.cvtsd2si(ecx, xmm12);
        a.sqrtsd(xmm13, xmm5);
        See(xmm13);
        a.jmp(again);

        void Clear() => a.ldmxcsr(__dword_ptr[rsi + 0x1000]);

        void See(AssemblerRegisterXMM result)
        {
            a.stmxcsr(__dword_ptr[rsi + 0x1004]);
            a.rol(r8, 5);
            a.add(r8d, __dword_ptr[rsi + 0x1004]);
            a.movq(r9, result);
            a.add(r10, r9);
        }
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
}
