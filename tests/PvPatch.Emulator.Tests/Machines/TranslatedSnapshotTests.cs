using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Machines;

/// <summary>A machine that is saved in the middle of hot translated code goes on bit by bit, in whatever tier it is restored.</summary>
public sealed unsafe class TranslatedSnapshotTests
{
    private const ulong Handler = 0x12_0000;
    private const int HotAfter = 15;
    private const ulong Hot = HotAfter * 100_000ul;
    private const ulong End = Hot + 60_000;

    [Test]
    public void Saved_anywhere_in_a_hot_loop_it_goes_on_bit_by_bit_in_any_tier(
        [Values(ExecutionTier.Translated, ExecutionTier.Automatic)] ExecutionTier savedIn,
        [Values(ExecutionTier.Interpreted, ExecutionTier.Translated)] ExecutionTier restoredIn)
    {
        using CodeMachine whole = Build(ExecutionTier.Interpreted);
        whole.Run(End);
        byte[] expected = Saved(whole);
        using CodeMachine first = Build(savedIn);
        for (int i = 0; i < HotAfter; i++)
        {
            first.Run(Hot / HotAfter);
            if (savedIn == ExecutionTier.Automatic)
                Thread.Sleep(5);
        }

        Assert.That(first.Machine.SensitiveSites.Sites, Is.Not.Empty, "the loop, which has an RDTSC, is translated");
        using CodeMachine used = Build(restoredIn);
        used.Run(4321);
        var random = new Random(5);
        ulong done = Hot;
        for (int cut = 0; cut < 40; cut++)
        {
            // Neighbours first, so that each place of the loop is cut; then far apart.
            ulong more = cut < 25 ? (cut == 0 ? 2000 : 1ul) : (ulong)random.Next(1, 3000);
            first.Run(more);
            done += more;
            byte[] saved = Saved(first);
            used.Machine.Restore(new MemoryStream(saved));
            Assert.That(Saved(used), Is.EqualTo(saved), $"restored after {done}");
            used.Run(End - done);
            Assert.That(Saved(used), Is.EqualTo(expected), $"cut after {done}, restored into a machine that had run");
            if (cut % 8 != 0)
                continue;
            using CodeMachine anew = Build(restoredIn);
            anew.Machine.Restore(new MemoryStream(saved));
            anew.Run(End - done);
            Assert.That(Saved(anew), Is.EqualTo(expected), $"cut after {done}, restored into a new machine");
        }

        first.Run(End - done);
        Assert.That(Saved(first), Is.EqualTo(expected), "the machine that was saved");
        Assert.That(whole.Machine.Memory.Read<ulong>(CodeMachine.Data), Is.GreaterThan(20ul), "timer ticks");
    }

    /// <summary>A loop of integers, vectors, floating-point and x87 numbers whose flags are alive from block to block, under a timer.</summary>
    private static CodeMachine Build(ExecutionTier tier)
    {
        var machine = new CodeMachine(tier, a =>
        {
            CodeMachineTests.EnableTimer(a, 977);
            a.sti();
            Loop(a);
        });
        machine.Handler(0x40, Handler, a =>
        {
            a.push(rax);
            a.push(rcx);
            a.push(rdx);
            a.inc(__qword_ptr[(int)CodeMachine.Data]);
            CodeMachineTests.Wrmsr(a, Msr.X2ApicEoi, 0);
            a.pop(rdx);
            a.pop(rcx);
            a.pop(rax);
            a.iretq();
        });
        return machine;
    }

    private static void Loop(Assembler a)
    {
        Label again = a.CreateLabel();
        Label other = a.CreateLabel();
        Label join = a.CreateLabel();
        a.fninit();
        a.fldpi();
        a.fld1();
        a.mov(eax, 3);
        a.cvtsi2sd(xmm2, eax);
        a.mov(eax, 7);
        a.cvtsi2sd(xmm3, eax);
        a.divsd(xmm3, xmm2);
        a.mov(esi, (int)CodeMachine.Data + 0x1000);
        a.Label(ref again);
        a.imul(r8, r8, 77);
        a.add(r8, 12345);
        a.movq(xmm0, r8);
        a.paddd(xmm1, xmm0);
        a.mulsd(xmm2, xmm3);
        a.divsd(xmm2, xmm3);
        a.addsd(xmm4, xmm3);
        a.fadd(st0, st1);
        a.fild(__dword_ptr[rsi]);
        a.fmulp(st2, st0);
        a.test(r8d, 0x400);
        a.jne(other);
        a.adc(r9, r8);
        a.cmp(r8b, 77);
        a.jmp(join);
        a.Label(ref other);
        a.sub(r10d, r8d);
        a.pshufb(xmm5, xmm1);
        a.Label(ref join);
        a.sbb(r11, r9);
        a.setle(bl);
        a.ucomisd(xmm4, xmm2);
        a.movups(__xmmword_ptr[rsi + 8], xmm1);
        a.adc(__dword_ptr[rsi], 3);
        a.rdtsc();
        a.xchg(rax, r14);
        a.cmovp(r12, r8);
        a.rcl(r13, 1);
        a.jmp(again);
    }

    private static byte[] Saved(CodeMachine machine)
    {
        using var stream = new MemoryStream();
        machine.Machine.Save(stream);
        return stream.ToArray();
    }
}
