using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Tests.Interpreter;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Random programs that access memory near the ends of pages that lead anywhere: both tiers are the same at every stop.</summary>
public sealed unsafe class RandomAccessesTests
{
    private const int Rounds = 120;
    private const ulong Data = ProgrammedCpu.Data;

    [Test]
    public void Wherever_its_pages_lie_and_what_may_be_done_with_them_a_random_program_goes_on_the_same([Range(1, 40)] int seed)
    {
        var random = new Random(seed);
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, new RandomAccesses(seed).Program, deliversExceptions: false);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, new RandomAccesses(seed).Program, deliversExceptions: false);
        ProgrammedCpu[] both = [reference, translated];
        foreach (ProgrammedCpu cpu in both)
        {
            cpu.SeedData();
            cpu.EnterUserMode();
        }

        int faults = 0;
        for (int round = 0; round < Rounds; round++)
        {
            ulong count = (ulong)random.Next(1, 600);
            StopReason expected = reference.Interpreter.Run(count);
            StopReason stop = translated.Interpreter.Run(count);
            Assert.That((stop, translated.Describe()), Is.EqualTo((expected, reference.Describe())), $"seed {seed}, round {round}, {count} instructions");
            if (stop is StopReason.Exception)
            {
                faults++;
                ulong block = (ulong)random.Next(RandomAccesses.Blocks);
                foreach (ProgrammedCpu cpu in both)
                {
                    cpu.EnterUserMode();
                    cpu.State->Rip = ProgrammedCpu.Code;
                    cpu.State->Gpr[15] = block;
                }
            }

            // Most of the time all pages may be read and written, side by side or not.
            ulong page = (ulong)random.Next(RandomAccesses.Pages);
            ulong frame = random.Next(2) == 0 ? page : (ulong)random.Next(RandomAccesses.Pages);
            ulong bits = random.Next(20) switch { 0 => 5, 1 => 6, 2 => 3, _ => 7 };
            foreach (ProgrammedCpu cpu in both)
            {
                for (ulong other = 0; other < RandomAccesses.Pages && round % 4 == 0; other++)
                    Map(cpu, other, round % 8 == 0 ? other : (other * 3) % RandomAccesses.Pages, 7);
                Map(cpu, page, frame, bits);
            }
        }

        Assert.That(faults, Is.LessThan(Rounds * 3 / 4), "rounds with a fault");
        Assert.That(translated.Interpreter.Translation.Instructions, Is.GreaterThan(100), "instructions translated");
    }

    private static void Map(ProgrammedCpu cpu, ulong page, ulong frame, ulong bits)
    {
        cpu.MapElsewhere(Data + (page << 12), ProgrammedCpu.DataFrame + (frame << 12), bits);
        Tlb.FlushPage(cpu.State, Data + (page << 12));
    }
}
