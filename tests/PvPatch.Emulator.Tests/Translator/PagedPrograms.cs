using Iced.Intel;
using PvPatch.Emulator.Tests.Interpreter;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>
/// Endless programs in many pages. Each first goes through its pages, so that they are known when the loop is translated: a region takes
/// only code from where execution was.
/// </summary>
internal static class PagedPrograms
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Data = ProgrammedCpu.Data;
    private const int Visited = 0x800;

    /// <summary>Functions that branch, recurse and end in other pages than they start in.</summary>
    public static void Calls(Assembler a) => Assemble(a, 0x1100, 6,
        (0x1100, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.mov(edi, 3);
            a.call(Code + 0x3010);
            a.adc(r8, rax);
            a.call(Code + 0x5040);
            a.setb(dl);
            a.inc(esi);
            a.jmp(again);
        }
    ),
        (0x1300, a =>
        {
            a.xor(r10, rcx);
            a.jmp(Code + 0x5080);
        }
    ),
        (0x3010, a =>
        {
            a.push(rbx);
            a.mov(rbx, rdi);
            a.cmp(edi, 1);
            a.jb(Code + 0x4020);
            a.dec(edi);
            a.call(Code + 0x3010);
            a.add(rax, rbx);
            a.pop(rbx);
            a.ret();
        }
    ),
        (0x4020, a =>
        {
            a.mov(rax, rsi);
            a.inc(r9d);
            a.pop(rbx);
            a.ret();
        }
    ),
        (0x5040, a =>
        {
            a.lea(rcx, __[rcx + (rcx * 2) + 7]);
            a.test(cl, 1);
            a.jne(Code + 0x1300);
            a.ret();
        }
    ),
        (0x5080, a =>
        {
            a.bt(rcx, 4);
            a.ret();
        }
    ));

    /// <summary>Instructions of all kinds in two pages: each piece starts with one, or with an instruction of four bytes before it.</summary>
    public static void Straddling(Assembler a) => Assemble(a, 0xa80, 13,
        (0xa80, a =>
        {
            a.mov(rsi, Data + 0xff0);
            a.mov(edi, 5);
            a.jmp(Code + 0x1000 - 3);
        }
    ),
        (0x1000 - 3, a =>
        {
            a.add(rax, 0x1234_5678);
            a.jmp(Code + 0x2000 - 6);
        }
    ),
        (0x2000 - 6, a =>
        {
            a.lea(ecx, __[rcx + 1]);
            a.nop();
            a.adc(rdx, __[rsi]);
            a.jmp(Code + 0x3000 - 5);
        }
    ),
        (0x3000 - 5, a =>
        {
            a.mov(__[rsi + 0xc], rax);
            a.jmp(Code + 0x4000 - 2);
        }
    ),
        (0x4000 - 2, a =>
        {
            a.call(Code + 0xa010);
            a.jmp(Code + 0x5000 - 6);
        }
    ),
        (0x5000 - 6, a =>
        {
            a.lea(r8, __[rax + 7]);
            a.jne(Code + 0xb400);
            a.jmp(Code + 0x6000 - 4);
        }
    ),
        (0x6000 - 4, a =>
        {
            a.@lock.xadd(__[rsi + 0x20], rax);
            a.jmp(Code + 0x7000 - 1);
        }
    ),
        (0x7000 - 1, a =>
        {
            a.rdtsc();
            a.jmp(Code + 0x8000 - 4);
        }
    ),
        (0x8000 - 4, a =>
        {
            a.push(0x1234_567);
            a.pop(r11);
            a.jmp(Code + 0x9000 - 1);
        }
    ),
        (0x9000 - 1, a =>
        {
            a.mov(r12d, ds);
            a.movdqu(xmm0, __xmmword_ptr[rsi + 4]);
            a.lea(rbx, __[rsi + 0x40]);
            a.mov(rbp, Code + 0xc100);
            a.push(rbp);
            a.jmp(Code + 0xa000 - 1);
        }
    ),
        (0xa000 - 1, a => a.ret(0)),
        (0xa010, a =>
        {
            a.sbb(r9, rax);
            a.jmp(Code + 0xb000 - 2);
        }
    ),
        (0xb000 - 2, a =>
        {
            a.test(eax, 0x10_0010);
            a.ret();
        }
    ),
        (0xb400, a =>
        {
            a.xor(r13, rdx);
            a.jmp(Code + 0x6000 - 4);
        }
    ),
        (0xc100, a =>
        {
            a.inc(rsi);
            a.and(si, 0xff8);
            a.dec(edi);
            a.jmp(Code + 0x1000 - 3);
        }
    ));

    /// <summary>Jumps and calls that data chooses, to the same place in four pages.</summary>
    public static void Indirect(Assembler a) => Assemble(a, 0x1100, 6,
        (0x1100, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.imul(rdi, rdi, 77);
            a.add(rdi, 12345);
            a.mov(eax, edi);
            a.shr(eax, 20);
            a.and(eax, 0x3000);
            a.mov(rcx, Code + 0x2400);
            a.add(rcx, rax);
            a.cmp(edi, 0x4000_0000);
            a.call(rcx);
            a.adc(r8, rdi);
            a.jmp(again);
        }
    ),
        (0x2400, a => { a.inc(r9); a.ret(); }
    ),
        (0x3400, a => { a.setle(dl); a.pop(r10); a.jmp(r10); }
    ),
        (0x4400, a => { a.lea(rax, __[rcx + 0x1100]); a.cmc(); a.jmp(rax); }
    ),
        (0x5400, a => { a.dec(r11d); a.ret(); }
    ),
        (0x5500, a => { a.sbb(rsi, 3); a.ret(); }
    ));

    /// <summary>Changes an instruction in another page, and the second half of one in two pages.</summary>
    public static void PatchesOtherPages(Assembler a) => Assemble(a, 0x1100, 7,
        (0x1100, a =>
        {
            Label again = a.CreateLabel();
            Label same = a.CreateLabel();
            a.mov(rdi, Code + 0x3101);
            a.mov(rsi, Code + 0x5000);
            a.Label(ref again);
            a.call(Code + 0x3100);
            a.call(Code + 0x5000 - 3);
            a.inc(ecx);
            a.test(cl, 3);
            a.jne(same);
            a.add(__byte_ptr[rdi], 1);
            a.test(cl, 4);
            a.jne(same);
            a.add(__byte_ptr[rsi], 1);
            a.Label(ref same);
            a.jmp(again);
        }
    ),
        (0x3100, a =>
        {
            a.mov(eax, 0x1111);
            a.add(rbx, rax);
            a.ret();
        }
    ),
        (0x5000 - 3, a =>
        {
            a.mov(edx, 0x2222);
            a.sub(rbp, rdx);
            a.ret();
        }
    ));

    /// <summary>Lets a page, and the second half of an instruction, lead to one frame or another, with INVLPG, CR3 or neither. The stack's
    /// page shares no entry of the TLB with these, so that a translation stays until it is invalidated.</summary>
    public static void Remaps(Assembler a) => Assemble(a, 0x1100, 12,
        (0x1100, a =>
        {
            Label again = a.CreateLabel();
            Label other = a.CreateLabel();
            Label flush = a.CreateLabel();
            Label call = a.CreateLabel();
            a.mov(rdi, ProgrammedCpu.CodeEntries);
            a.mov(r8, Code + 0x5000);
            a.mov(r9, Code + 0x7000);
            a.Label(ref again);
            a.mov(eax, (uint)ProgrammedCpu.CodeFrame + 0x5007);
            a.mov(edx, (uint)ProgrammedCpu.CodeFrame + 0x7007);
            a.test(cl, 1);
            a.je(other);
            a.mov(eax, (uint)ProgrammedCpu.CodeFrame + 0x8007);
            a.mov(edx, (uint)ProgrammedCpu.CodeFrame + 0x9007);
            a.Label(ref other);
            a.mov(__[rdi + (5 * 8)], rax);
            a.mov(__[rdi + (7 * 8)], rdx);
            a.test(cl, 4);
            a.jne(call);
            a.test(cl, 2);
            a.jne(flush);
            a.invlpg(__[r8]);
            a.invlpg(__[r9]);
            a.jmp(call);
            a.Label(ref flush);
            a.mov(rax, cr3);
            a.mov(cr3, rax);
            a.Label(ref call);
            a.call(Code + 0x5040);
            a.call(Code + 0x6100);
            a.inc(ecx);
            a.jmp(again);
        }
    ),
        (0x5040, a => { a.lea(rbx, __[rbx + (rbx * 2) + 1]); a.ret(); }
    ),
        (0x8040, a => { a.xor(rbx, 0x55); a.ret(); }
    ),
        (0x7000 - 3, a => { a.mov(edx, 0x2222); a.sub(rbp, rdx); a.ret(); }
    ),
        (0x9000 - 3, a => { a.mov(edx, 0x3333_0000); a.add(rbp, rdx); a.ret(); }
    ),
        (0x6100, a => a.jmp(Code + 0x7000 - 3)));

    /// <summary>Puts pieces of code at their offsets, goes through all pages, then to where the loop starts.</summary>
    public static void Assemble(Assembler a, int start, int pages, params (int Offset, Action<Assembler> Code)[] pieces)
    {
        byte[] image = new byte[pages << 12];
        Array.Fill(image, (byte)0xcc);
        Put(0, a =>
        {
            for (int page = 1; page < pages; page++)
                a.call(Code + (ulong)((page << 12) + Visited));
            a.jmp(Code + (ulong)start);
        });
        for (int page = 1; page < pages; page++)
            Put((page << 12) + Visited, a => a.ret());
        foreach ((int offset, Action<Assembler> code) in pieces)
            Put(offset, code);
        a.db(image);

        void Put(int offset, Action<Assembler> code) => CodeMachine.Assemble(code, Code + (ulong)offset).CopyTo(image, offset);
    }
}
