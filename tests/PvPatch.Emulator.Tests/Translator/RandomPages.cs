using Iced.Intel;
using PvPatch.Emulator.Tests.Interpreter;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>
/// A random endless program of short blocks that are strewn over some pages and their borders, in two versions: the same addresses, other
/// instructions. It changes constants in its own code now and then.
/// </summary>
internal sealed class RandomPages
{
    public const int Pages = 5;
    public const int FirstPage = 1;
    public const int OtherVersion = 8;

    private const ulong Code = ProgrammedCpu.Code;
    private const int Blocks = 14;
    private const int FirstFunction = 8;
    private const int Room = 75;
    private const int ConstantAt = 2;
    private const int Visited = 0x800;

    private readonly Random _random;
    private readonly ulong[] _blocks = new ulong[Blocks];

    public RandomPages(int seed)
    {
        _random = new Random(seed);
        // Every third lies over a border.
        for (int i = 0; i < Blocks; i++)
        {
            int page = (FirstPage + (i / 3 % (Pages - 1))) << 12;
            int offset = i % 3 == 1 ? 0x1000 - _random.Next(1, 40) : 0x100 + (i * Room);
            _blocks[i] = Code + (ulong)(page + offset);
        }

        byte[] image = new byte[(OtherVersion + FirstPage + Pages) << 12];
        Array.Fill(image, (byte)0xcc);
        Write(image, 0);
        Write(image, OtherVersion << 12);
        Put(image, 0, a =>
        {
            for (int page = FirstPage; page < FirstPage + Pages; page++)
                a.call(Code + (ulong)((page << 12) + Visited));
            a.mov(r12, ProgrammedCpu.Data);
            a.jmp(_blocks[0]);
        });
        Program = a => a.db(image);
    }

    /// <summary>The program for <see cref="ProgrammedCpu"/>.</summary>
    public Action<Assembler> Program { get; }

    /// <summary>Where the program starts again.</summary>
    public ulong Start => _blocks[0];

    /// <summary>A byte of a constant in the code.</summary>
    public ulong Constant => _blocks[_random.Next(Blocks)] + ConstantAt + (ulong)_random.Next(4);

    private void Write(byte[] image, int version)
    {
        for (int page = FirstPage; page < FirstPage + Pages; page++)
            image[version + (page << 12) + Visited] = 0xc3;
        for (int i = 0; i < Blocks; i++)
        {
            int block = i;
            Put(image, version + (int)(_blocks[i] - Code), a => Block(a, block), _blocks[i]);
        }
    }

    private void Block(Assembler a, int number)
    {
        a.mov(r8d, _random.Next());
        for (int i = _random.Next(4); i > 0; i--)
            Step(a);
        if (number >= FirstFunction)
            EndFunction(a, number);
        else
            EndMain(a);
    }

    private void Step(Assembler a)
    {
        int at = _random.Next(0x1ff8);
        switch (_random.Next(9))
        {
            case 0: a.add(rbx, r8); break;
            case 1: a.adc(ecx, ebx); break;
            case 2: a.mov(rdx, __[r12 + at]); break;
            case 3: a.mov(__[r12 + at], rcx); break;
            case 4: a.imul(rcx, rbx, 77); break;
            case 5: a.sub(bl, cl); break;
            case 6: a.sar(edx, 3); break;
            case 7: a.setle(cl); break;
            default:
                a.mov(rax, Constant);
                a.inc(__byte_ptr[rax]);
                break;
        }
    }

    private void EndMain(Assembler a)
    {
        switch (_random.Next(5))
        {
            case 0:
                a.test(r8d, 1 << _random.Next(31));
                a.jne(Main());
                break;
            case 1:
                a.jle(Main());
                break;
            case 2:
                a.call(Function(FirstFunction));
                break;
            case 3:
                a.mov(rax, Function(FirstFunction));
                a.call(rax);
                break;
            default:
                a.mov(rax, Main());
                a.jmp(rax);
                return;
        }

        a.jmp(Main());
    }

    /// <summary>Functions call and jump to later ones alone, so that each returns.</summary>
    private void EndFunction(Assembler a, int number)
    {
        if (number + 1 < Blocks)
        {
            if (_random.Next(2) == 0)
                a.call(Function(number + 1));
            if (_random.Next(2) == 0)
                a.jb(Function(number + 1));
        }

        a.ret();
    }

    private ulong Main() => _blocks[_random.Next(FirstFunction)];

    private ulong Function(int first) => _blocks[_random.Next(first, Blocks)];

    private static void Put(byte[] image, int offset, Action<Assembler> code, ulong address) => CodeMachine.Assemble(code, address).CopyTo(image, offset);

    private static void Put(byte[] image, int offset, Action<Assembler> code) => Put(image, offset, code, Code + (ulong)offset);
}
