using Iced.Intel;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Emulator.Tests.Machines;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>
/// A small kernel of its own: a loop of sensitive instructions drawn at random, under a periodic timer, with handlers that count what
/// comes and go on behind what faults.
/// </summary>
internal static class SensitiveProgram
{
    /// <summary>Where the handlers count.</summary>
    public const ulong Counts = CodeMachine.Data;

    private const byte TimerVector = 0x40;
    private const ulong Handlers = 0x12_0000;
    private const int Pieces = 24;

    /// <summary>Puts the handlers into a machine's tables.</summary>
    public static void AddHandlers(CodeMachine machine)
    {
        machine.Handler(TimerVector, Handlers, a =>
        {
            a.push(rax);
            a.push(rcx);
            a.push(rdx);
            Count(a, 0);
            CodeMachineTests.Wrmsr(a, Msr.X2ApicEoi, 0);
            a.pop(rdx);
            a.pop(rcx);
            a.pop(rax);
            a.iretq();
        });
        machine.Handler(1, Handlers + 0x100, a =>
        {
            Count(a, 1);
            a.and(__qword_ptr[rsp + 16], ~(int)RFlags.Trap);
            a.iretq();
        });
        machine.Handler(13, Handlers + 0x200, a =>
        {
            Count(a, 2);
            a.add(__qword_ptr[rsp + 8], 2); // RDMSR and WRMSR have two bytes
            a.add(rsp, 8);
            a.iretq();
        });
    }

    /// <summary>The program of a seed.</summary>
    public static Action<Assembler> Of(int seed) => a =>
    {
        var random = new Random(seed);
        CodeMachineTests.EnableTimer(a, (uint)random.Next(23, 700));
        a.xor(edi, edi);
        Label again = a.CreateLabel();
        a.Label(ref again);
        a.xor(eax, eax);
        a.mov(cr8, rax);
        a.sti();
        a.nop();
        for (int i = 0; i < Pieces; i++)
            Piece(a, random);
        a.inc(rdi);
        a.jmp(again);
    };

    private static void Piece(Assembler a, Random random)
    {
        switch (random.Next(26))
        {
            case 0:
                a.cli();
                break;
            case 1:
                a.sti();
                break;
            case 2:
                a.sti();
                a.add(rbx, __[rsp - 8]);
                break;
            case 3:
                a.sti();
                a.nop();
                a.cli();
                break;
            case 4:
                a.pushfq();
                a.pop(rax);
                a.add(r8, rax);
                break;
            case 5:
                a.push((int)(RFlags.Fixed | ((ulong)random.Next(1 << 12) & (RFlags.Carry | RFlags.Zero | RFlags.Overflow | RFlags.InterruptEnable))));
                a.popfq();
                break;
            case 6:
                a.pushfq();
                a.or(__qword_ptr[rsp], (int)(random.Next(4) == 0 ? RFlags.Trap : RFlags.AlignmentCheck));
                a.popfq();
                break;
            case 7:
                a.mov(rax, cr0);
                a.add(r9, rax);
                break;
            case 8:
                a.mov(rax, cr3);
                a.mov(cr3, rax);
                break;
            case 9:
                a.mov(eax, random.Next(8));
                a.mov(cr8, rax);
                break;
            case 10:
                a.mov(rax, cr8);
                a.mov(cr2, rdi);
                a.mov(rcx, cr2);
                a.add(r10, rcx);
                break;
            case 11:
                a.mov(rax, cr4);
                a.mov(cr4, rax);
                break;
            case 12:
                a.mov(ecx, random.Next(3) switch { 0 => Msr.TscAux, 1 => Msr.Efer, _ => 0x1234u });
                a.rdmsr();
                a.add(r11, rax);
                break;
            case 13:
                a.mov(ecx, Msr.TscAux);
                a.mov(eax, edi);
                a.xor(edx, edx);
                a.wrmsr();
                break;
            case 14:
                a.mov(eax, random.Next(8));
                a.xor(ecx, ecx);
                a.cpuid();
                a.add(r12, rbx);
                break;
            case 15:
                a.mov(al, (byte)random.Next(14));
                a.@out(0x70, al);
                a.@in(al, 0x71);
                break;
            case 16:
                a.mov(dx, 0x21);
                a.@in(al, dx);
                a.@out(dx, al);
                break;
            case 17:
                a.mov(dx, 0x1230);
                a.@in(eax, dx);
                a.add(r13, rax);
                break;
            case 18:
                a.rdtsc();
                a.add(r14, rax);
                break;
            case 19:
                a.pause();
                break;
            case 20:
                a.wbinvd();
                break;
            case 21:
                a.invlpg(__[rsp]);
                break;
            case 22:
                a.mov(ecx, Msr.X2ApicCurrentCount);
                a.rdmsr();
                a.add(r15, rax);
                break;
            case 23:
                CodeMachineTests.Wrmsr(a, Msr.X2ApicInitialCount, (uint)random.Next(13, 60));
                break;
            case 24:
                a.add(rbp, rdi);
                a.adc(rsi, rbp);
                a.mov(__[rsp - 64], rsi);
                break;
            default:
                a.sub(rbp, 3);
                a.sti();
                a.setb(bl);
                a.imul(rbp, rbp, 77);
                break;
        }
    }

    private static void Count(Assembler a, int counter) => a.inc(__qword_ptr[(long)Counts + (8 * counter)]);
}
