using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Guests;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Interrupts;

/// <summary>
/// A thread raises 100,000 interrupts of several classes while the guest opens and closes its interrupt flag, halts and
/// nests. One vector raised twice before its delivery comes once, so each raise first adds to a count of work in guest
/// memory, and the handler takes what it finds: all work is done in the end if and only if no last interrupt was lost.
/// </summary>
public sealed unsafe class InterruptStormTests
{
    private const int Raises = 100_000;
    private const int Vectors = 4;
    private const ulong Given = 0x7_0000;
    private const ulong Taken = 0x7_1000;
    private const ulong Handled = 0x7_2000;

    [TestCase(false, TestName = "No interrupt is lost while the guest toggles IF")]
    [TestCase(true, TestName = "No interrupt is lost while the guest halts for each")]
    [CancelAfter(120_000)]
    public void No_work_is_left(bool halting)
    {
        using var machine = new TestMachine();
        InterruptLine line = machine.Machine.OpenLine();
        CpuState* state = machine.Machine.Cpu(0);
        using var ready = new ManualResetEventSlim();
        var raiser = new Thread(() =>
        {
            ready.Wait();
            for (int raise = 0; raise < Raises; raise++)
            {
                int vector = raise % Vectors;
                Interlocked.Increment(ref Cell(state, Given, vector));
                line.Raise(VectorOf(vector));
                if (raise % 64 == 0) Thread.Yield();
            }

            // The last raise has been made: from now on a halted guest has nothing to hope for but what waits already.
            line.Dispose();
        });
        raiser.Start();
        MachineExit exit = machine.Run(cpu =>
        {
            for (int vector = 0; vector < Vectors; vector++) SetGate(cpu, VectorOf(vector), &TakeWork);
            ready.Set();
            while (!AllDone(cpu))
            {
                if (halting)
                {
                    Cli(cpu);
                    if (!AllDone(cpu)) SafeHalt(cpu);
                }
                else
                {
                    Sti(cpu);
                    Cli(cpu);
                    if (!raiser.IsAlive && cpu->EventPending == 0) break;
                }
            }
        });
        raiser.Join();
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        for (int vector = 0; vector < Vectors; vector++)
        {
            Assert.That(Cell(state, Taken, vector), Is.EqualTo(Raises / Vectors), $"vector 0x{VectorOf(vector):x}");
            Assert.That(Cell(state, Handled, vector), Is.GreaterThan(0).And.LessThanOrEqualTo(Raises / Vectors));
        }
    }

    private static bool AllDone(CpuState* cpu)
    {
        long taken = 0;
        for (int vector = 0; vector < Vectors; vector++) taken += Cell(cpu, Taken, vector);
        return taken == Raises;
    }

    private static byte VectorOf(int number) => (byte)(0x40 + number * 0x18);

    private static ref long Cell(CpuState* cpu, ulong table, int index) => ref *(long*)(cpu->Ram + table + (ulong)index * 8);

    /// <summary>Takes the work given so far, with interrupts open so that higher classes nest, and ends.</summary>
    private static void TakeWork(CpuState* cpu, InterruptFrame* frame)
    {
        int vector = ((int)frame->Vector - 0x40) / 0x18;
        Cell(cpu, Handled, vector)++;
        Cell(cpu, Taken, vector) += Interlocked.Exchange(ref Cell(cpu, Given, vector), 0);
        Sti(cpu);
        Cli(cpu);
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }
}
