using Iced.Intel;
using PvPatch.Emulator.Tests.Interpreter;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>
/// A random endless program over a page's end that patches itself. It is made of cells, 8 bytes that hold one of two versions of code, and
/// of patches: instructions that copy a version into a cell before or behind, by a store of some kind, at the code's address or its other one.
/// Flags, XMM registers and the x87 stack are alive all the time. R15 counts the rounds.
/// </summary>
internal sealed class RandomPatches
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Other = ProgrammedCpu.CodeAlias - ProgrammedCpu.Code;
    private const ulong Versions = ProgrammedCpu.Data + 0x1000;
    private const int CellSize = 8;
    private const int CellsInGroup = 3;
    private const int Groups = 6;
    private const int Cells = Groups * CellsInGroup;
    private const int PatchRoom = 90;

    private readonly Random _random;
    private readonly int _rounds;
    private readonly byte[][] _versions = new byte[2 * Cells][];
    private readonly int[] _cells = new int[Cells];

    /// <summary>Makes a program.</summary>
    /// <param name="seed">Chooses it.</param>
    /// <param name="rounds">After how many rounds it patches, a power of two.</param>
    public RandomPatches(int seed, int rounds)
    {
        _random = new Random(seed);
        _rounds = rounds;
        int size = Groups * ((CellsInGroup * CellSize) + PatchRoom);
        int start = 0x1000 - _random.Next(1, size);
        for (int i = 0; i < 2 * Cells; i++)
            _versions[i] = Version();
        for (int i = 0; i < Cells; i++)
            _cells[i] = start + (i / CellsInGroup * ((CellsInGroup * CellSize) + PatchRoom)) + (i % CellsInGroup * CellSize);

        var pieces = new List<(int, Action<Assembler>)> { (0x100, a => Begin(a, start)) };
        for (int group = 0; group < Groups; group++)
        {
            int first = group * CellsInGroup;
            int patch = _cells[first] + (CellsInGroup * CellSize);
            for (int cell = first; cell < first + CellsInGroup; cell++)
            {
                byte[] version = _versions[2 * cell];
                pieces.Add((_cells[cell], a => a.db(version)));
            }

            pieces.Add((patch, a => Patch(a, Code + (ulong)(patch + PatchRoom))));
        }

        pieces.Add((start + size, a =>
        {
            a.lea(r15, __[r15 + 1]);
            a.jmp(Code + (ulong)start);
        }
        ));
        byte[] image = CodeMachine.Assemble(a => PagedPrograms.Assemble(a, 0x100, 3, [.. pieces]), Code);
        Program = a => a.db(image);
    }

    /// <summary>The program for <see cref="ProgrammedCpu"/>.</summary>
    public Action<Assembler> Program { get; }

    private void Begin(Assembler a, int start)
    {
        a.mov(rsi, Versions);
        for (int i = 0; i < _versions.Length; i++)
        {
            a.mov(rax, BitConverter.ToUInt64(_versions[i]));
            a.mov(__[rsi + (i * CellSize)], rax);
        }

        a.fninit();
        a.fldpi();
        a.fld1();
        a.jmp(Code + (ulong)start);
    }

    /// <summary>A random instruction that needs no memory and cannot fault, filled up with NOPs.</summary>
    private byte[] Version()
    {
        AssemblerRegisterXMM x = Vector();
        AssemblerRegisterXMM y = Vector();
        AssemblerRegister64 r = General();
        AssemblerRegister64 s = General();
        int kind = _random.Next(22);
        int value = _random.Next();
        byte[] code = CodeMachine.Assemble(
            a =>
            {
                switch (kind)
                {
                    case 0: a.paddd(x, y); break;
                    case 1: a.psubw(x, y); break;
                    case 2: a.pxor(x, y); break;
                    case 3: a.pshufd(x, y, (byte)value); break;
                    case 4: a.addsd(x, y); break;
                    case 5: a.mulps(x, y); break;
                    case 6: a.cvtsi2sd(x, r); break;
                    case 7: a.movq(r, x); break;
                    case 8: a.movq(x, r); break;
                    case 9: a.adc(r, s); break;
                    case 10: a.sbb(r, s); break;
                    case 11: a.add(r, value); break;
                    case 12: a.imul(r, s, value); break;
                    case 13: a.cmovle(r, s); break;
                    case 14: a.rcl(r, 1); break;
                    case 15: a.inc(r); break;
                    case 16: a.ucomisd(x, y); break;
                    case 17: a.fadd(st0, st1); break;
                    case 18: a.fxch(st0, st1); break;
                    case 19: a.setb(bl); break;
                    case 20: a.cmp(r, s); break;
                    default: a.packuswb(x, y); break;
                }
            },
            0);
        byte[] filled = [0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90];
        code.CopyTo(filled, 0);
        return filled;
    }

    private AssemblerRegisterXMM Vector() => new[] { xmm0, xmm1, xmm2, xmm9 }[_random.Next(4)];

    private AssemblerRegister64 General() => new[] { rbx, r8, r9, r12 }[_random.Next(4)];

    private void Patch(Assembler a, ulong end)
    {
        int kind = _random.Next(9);
        int cell = _random.Next(Cells);
        if (kind == 8 && cell % CellsInGroup == CellsInGroup - 1)
            cell--;
        ulong place = Code + (ulong)_cells[cell] + (_random.Next(3) == 0 ? Other : 0);
        if (_rounds > 1)
        {
            a.test(r15d, _rounds - 1);
            a.jne(end);
        }

        // Which version is in a bit of the number of the round.
        a.mov(esi, r15d);
        a.shr(esi, (byte)(int.Log2(_rounds) + _random.Next(2)));
        a.and(esi, 1);
        a.mov(rdi, Versions + (ulong)(cell * 2 * CellSize));
        a.lea(rsi, __[rdi + (rsi * CellSize)]);
        a.mov(rdi, place);
        a.add(r9d, r15d);
        Store(a, kind);
        a.jmp(end);
    }

    /// <summary>Copies 8 bytes, or two cells, from RSI to RDI.</summary>
    private static void Store(Assembler a, int kind)
    {
        switch (kind)
        {
            case 0:
                a.mov(rax, __[rsi]);
                a.mov(__[rdi], rax);
                break;
            case 1:
                a.movq(xmm7, __qword_ptr[rsi]);
                a.movq(__qword_ptr[rdi], xmm7);
                break;
            case 2:
                a.movsq();
                break;
            case 3:
                a.mov(ecx, CellSize);
                a.rep.movsb();
                break;
            case 4:
                a.mov(rax, __[rsi]);
                a.xchg(__[rdi], rax);
                break;
            case 5:
                a.mov(r13, rsp);
                a.lea(rsp, __[rdi + CellSize]);
                a.push(__qword_ptr[rsi]);
                a.mov(rsp, r13);
                break;
            case 6:
                a.fild(__qword_ptr[rsi]);
                a.fistp(__qword_ptr[rdi]);
                break;
            case 7:
                a.mov(rax, __[rdi]);
                a.mov(rdx, __[rsi]);
                a.@lock.cmpxchg(__[rdi], rdx);
                break;
            default:
                a.movq(xmm7, __qword_ptr[rsi]);
                a.movhps(xmm7, __qword_ptr[rsi + (2 * CellSize)]);
                a.movdqu(__xmmword_ptr[rdi], xmm7);
                break;
        }
    }
}
