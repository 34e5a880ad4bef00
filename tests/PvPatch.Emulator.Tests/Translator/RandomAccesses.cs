using Iced.Intel;
using PvPatch.Emulator.Tests.Interpreter;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>
/// A random endless program, which starts with a block that R15 names. Its blocks set a few registers to addresses near the ends of pages and
/// then access memory around them, by push and pop too, while they move by constants: what a region may serve together.
/// </summary>
internal sealed class RandomAccesses
{
    public const int Pages = 4;
    public const int Blocks = 10;

    private const ulong Data = ProgrammedCpu.Data;
    private const int MostSteps = 14;

    private static readonly AssemblerRegister64[] Bases = [rsi, rdi, rbp, rsp, r9];

    private readonly Random _random;

    public RandomAccesses(int seed)
    {
        _random = new Random(seed);
        Program = Write;
    }

    /// <summary>The program for <see cref="ProgrammedCpu"/>.</summary>
    public Action<Assembler> Program { get; }

    private void Write(Assembler a)
    {
        var blocks = new Label[Blocks];
        for (int i = 0; i < Blocks; i++)
            blocks[i] = a.CreateLabel();
        Label function = a.CreateLabel();
        for (int i = 0; i < Blocks; i++)
        {
            a.cmp(r15d, i);
            a.je(blocks[i]);
        }

        for (int i = 0; i < Blocks; i++)
        {
            a.Label(ref blocks[i]);
            Block(a, function);
            if (_random.Next(2) == 0)
                a.jne(blocks[_random.Next(Blocks)]);
            a.jmp(blocks[(i + 1) % Blocks]);
        }

        a.Label(ref function);
        a.push(rbp);
        a.mov(rbp, rsp);
        a.sub(rsp, 24);
        a.mov(__[rbp - 16], rax);
        a.adc(rbx, __[rsp + 8]);
        a.leave();
        a.ret();
    }

    private void Block(Assembler a, Label function)
    {
        // Most near the end of a page, some of them aligned.
        foreach (AssemblerRegister64 register in Bases)
        {
            ulong end = Data + ((ulong)_random.Next(1, Pages) << 12);
            a.mov(register, end + (ulong)(8 * _random.Next(-6, 6)) + (ulong)(_random.Next(3) == 0 ? _random.Next(8) : 0));
        }

        a.mov(ecx, _random.Next(8));
        int steps = _random.Next(3, MostSteps);
        int from = _random.Next(steps), to = _random.Next(from + 1, steps + 2);
        Label behind = a.CreateLabel();
        for (int i = 0; i < steps; i++)
        {
            if (i == from)
                Skip(a, behind);
            Step(a, function);
            if (i + 1 == to)
                Land();
        }

        if (to > steps)
            Land();

        void Land()
        {
            a.Label(ref behind);
            a.nop();
        }
    }

    private void Skip(Assembler a, Label behind)
    {
        switch (_random.Next(3))
        {
            case 0: a.jb(behind); break;
            case 1: a.jle(behind); break;
            default: a.jp(behind); break;
        }
    }

    private AssemblerRegister64 Base() => Bases[_random.Next(Bases.Length)];

    private AssemblerMemoryOperand Place()
    {
        int at = _random.Next(-40, 40);
        return _random.Next(4) switch
        {
            0 => __[Base() + (rcx * 4) + at],
            1 => __[Base() + (at & ~7)],
            _ => __[Base() + at],
        };
    }

    private void Step(Assembler a, Label function)
    {
        int small = _random.Next(-20, 20);
        AssemblerMemoryOperand place = Place();
        AssemblerMemoryOperand own = __qword_ptr[place];
        switch (_random.Next(34))
        {
            case 0: a.mov(rax, own); break;
            case 1: a.mov(own, rbx); break;
            case 2: a.add(rax, own); break;
            case 3: a.adc(__dword_ptr[place], eax); break;
            case 4: a.inc(__byte_ptr[place]); break;
            case 5: a.cmp(__word_ptr[place], ax); break;
            case 6: a.movzx(edx, __byte_ptr[place]); break;
            case 7: a.mov(__word_ptr[place], dx); break;
            case 8: a.sbb(__[rsi + small], rdx); break;
            case 9: a.movsx(r10, __word_ptr[place]); break;
            case 10: a.movdqu(xmm0, __xmmword_ptr[place]); break;
            case 11: a.movdqu(__xmmword_ptr[place], xmm1); break;
            case 12: a.paddb(xmm1, xmm0); break;
            case 13: a.and(rdi, -16); break;
            case 14:
                a.and(rdi, -16);
                a.movaps(xmm2, __xmmword_ptr[rdi + (small & ~15)]);
                a.movaps(__xmmword_ptr[rdi + 16], xmm2);
                break;
            case 15 or 16: a.push(rax); break;
            case 17 or 18: a.pop(rdx); break;
            case 19: a.push(own); break;
            case 20: a.add(rsp, small); break;
            case 21: a.sub(Base(), small); break;
            case 22: a.lea(rdi, __[rsi + small]); break;
            case 23: a.mov(rbp, rsp); break;
            case 24: a.mov(r9, rdi); break;
            case 25: a.inc(rsi); break;
            case 26: a.call(function); break;
            case 27: a.setb(__byte_ptr[place]); break;
            case 28: a.cmovl(rbx, own); break;
            case 29: a.shl(__dword_ptr[place], 3); break;
            case 30: a.test(__dword_ptr[place], edx); break;
            case 31: a.mov(__dword_ptr[Data + 0x1000 + (ulong)(small & ~1)], eax); break;
            case 32: a.imul(rbx, own, 77); break;
            default: a.not(__dword_ptr[place]); break;
        }
    }
}
