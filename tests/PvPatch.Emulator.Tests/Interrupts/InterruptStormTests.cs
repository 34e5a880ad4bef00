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
/// memory, and the handler takes what it finds. After each burst the thread waits until its work was taken, so that every
/// burst has a last interrupt, and goes on at once, while the guest is still ending the one before: where a lost wake-up
/// would be. Work that was raised before interrupts were opened and is left after is an interrupt lost.
/// </summary>
public sealed unsafe class InterruptStormTests
{
    private const int Vectors = 4;
    private const ulong Given = 0x7_0000;
    private const ulong Taken = 0x7_1000;
    private const ulong Raised = 0x7_2000;

    // Only a lost interrupt lets this wait run out.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [TestCase(false, 100_000, TestName = "No interrupt is lost while the guest toggles IF")]
    [TestCase(true, 20_000, TestName = "No interrupt is lost while the guest halts for each")]
    public void No_work_is_left(bool halting, int raises)
    {
        using var machine = new TestMachine();
        InterruptLine line = machine.Machine.OpenLine();
        CpuState* state = machine.Machine.Cpu(0);
        using var ready = new ManualResetEventSlim();
        var raiser = new Thread(() =>
        {
            ready.Wait();
            RaiseAll(state, line, raises);
            line.Dispose();
        });
        raiser.Start();
        long lost = 0;
        MachineExit exit = machine.Run(cpu =>
        {
            for (int vector = 0; vector < Vectors; vector++) SetGate(cpu, VectorOf(vector), &TakeWork);
            ready.Set();
            while (lost == 0 && TakenSoFar(cpu) < raises)
            {
                long raised = Volatile.Read(ref Cell(cpu, Raised, 0));
                if (halting && TakenSoFar(cpu) >= raised) SafeHalt(cpu);
                else Sti(cpu);
                Cli(cpu);
                lost = Math.Max(0, raised - TakenSoFar(cpu));
            }
        });
        raiser.Join();
        Assert.That(lost, Is.Zero);
        Assert.That(exit, Is.TypeOf<MachineExit.Returned>());
        Assert.That(TakenSoFar(state), Is.EqualTo(raises));
    }

    private static void RaiseAll(CpuState* cpu, InterruptLine line, int raises)
    {
        for (long raise = 0; raise < raises;)
        {
            for (long burst = 1 + raise % 3; burst > 0 && raise < raises; burst--, raise++)
            {
                int vector = (int)(raise * 7 % Vectors);
                Interlocked.Increment(ref Cell(cpu, Given, vector));
                line.Raise(VectorOf(vector));
                Interlocked.Increment(ref Cell(cpu, Raised, 0));
            }

            long start = Environment.TickCount64;
            var spin = default(SpinWait);
            while (TakenSoFar(cpu) < raise)
            {
                spin.SpinOnce(sleep1Threshold: -1);
                if (Environment.TickCount64 - start > Patience.TotalMilliseconds) return;
            }
        }
    }

    private static long TakenSoFar(CpuState* cpu)
    {
        long taken = 0;
        for (int vector = 0; vector < Vectors; vector++) taken += Volatile.Read(ref Cell(cpu, Taken, vector));
        return taken;
    }

    private static byte VectorOf(int number) => (byte)(0x40 + number * 0x18);

    private static ref long Cell(CpuState* cpu, ulong table, int index) => ref *(long*)(cpu->Ram + table + (ulong)index * 8);

    /// <summary>Takes the work given so far, with interrupts open so that higher classes nest, and ends.</summary>
    private static void TakeWork(CpuState* cpu, InterruptFrame* frame)
    {
        int vector = ((int)frame->Vector - 0x40) / 0x18;
        Cell(cpu, Taken, vector) += Interlocked.Exchange(ref Cell(cpu, Given, vector), 0);
        Sti(cpu);
        Cli(cpu);
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }
}
