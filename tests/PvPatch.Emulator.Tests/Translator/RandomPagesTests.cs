using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Tests.Interpreter;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Random programs over several pages, whose pages change, vanish and lead elsewhere: both tiers are the same at every stop.</summary>
public sealed unsafe class RandomPagesTests
{
    private const int Rounds = 60;
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Frame = ProgrammedCpu.CodeFrame;

    [Test]
    public void Whatever_happens_to_its_pages_a_random_program_goes_on_the_same([Range(1, 24)] int seed)
    {
        var program = new RandomPages(seed);
        var random = new Random(seed);
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, program.Program, deliversExceptions: false);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, program.Program, deliversExceptions: false);
        ProgrammedCpu[] both = [reference, translated];
        // Bytes of both versions together may be any instruction; the supervisor's ones are refused.
        foreach (ProgrammedCpu cpu in both)
            cpu.EnterUserMode();
        bool[] isOther = new bool[RandomPages.FirstPage + RandomPages.Pages];
        for (int round = 0; round < Rounds; round++)
        {
            ulong count = (ulong)random.Next(1, 400);
            StopReason expected = reference.Interpreter.Run(count);
            StopReason stop = translated.Interpreter.Run(count);
            Assert.That((stop, Describe(translated)), Is.EqualTo((expected, Describe(reference))), $"seed {seed}, round {round}, {count} instructions");
            if (stop is StopReason.Exception)
                StartAgain();
            Happen();
        }

        void StartAgain()
        {
            foreach (ProgrammedCpu cpu in both)
            {
                for (int page = RandomPages.FirstPage; page < isOther.Length; page++)
                    Map(cpu, page, 7);
                cpu.EnterUserMode();
                cpu.State->Rip = program.Start;
            }
        }

        void Happen()
        {
            int page = random.Next(RandomPages.FirstPage, isOther.Length);
            int happens = random.Next(10);
            ulong constant = program.Constant;
            byte value = (byte)random.Next();
            isOther[page] ^= happens is 1 or 2;
            foreach (ProgrammedCpu cpu in both)
            {
                switch (happens)
                {
                    case 0:
                        cpu.WriteCode(constant, value);
                        break;
                    case 1 or 2:
                        Map(cpu, page, 7);
                        break;
                    case 3:
                        Map(cpu, page, 6);
                        break;
                    case 4:
                        Map(cpu, page, 7 | PageTableEntry.NoExecute);
                        break;
                    case 5:
                        ControlRegisters.Write(cpu.State, 3, cpu.State->Cr3);
                        break;
                }
            }
        }

        void Map(ProgrammedCpu cpu, int page, ulong bits)
        {
            ulong linear = Code + ((ulong)page << 12);
            cpu.MapElsewhere(linear, Frame + ((ulong)(page + (isOther[page] ? RandomPages.OtherVersion : 0)) << 12), bits);
            Tlb.FlushPage(cpu.State, linear);
        }
    }

    private static string Describe(ProgrammedCpu cpu)
    {
        string entries = string.Join(' ', Enumerable.Range(RandomPages.FirstPage, RandomPages.Pages).Select(page => $"{cpu.EntryOf(Code + ((ulong)page << 12)):x}"));
        return $"{cpu.Describe()} entries {entries}";
    }
}
