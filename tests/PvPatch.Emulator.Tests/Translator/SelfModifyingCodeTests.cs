using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Tests.Interpreter;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Translated code that patches itself executes what it wrote from the next instruction on, and loses no register or flag.</summary>
public sealed unsafe class SelfModifyingCodeTests
{
    /// <summary>The first round of each program has begun.</summary>
    private const int Begun = 20;

    /// <summary>Two or three rounds were executed.</summary>
    private const int Most = 60;

    [TestCaseSource(nameof(Names))]
    public void Cut_at_each_instruction_a_program_that_patches_itself_is_as_interpreted(string name)
    {
        Action<Assembler> program = PatchingPrograms.All[name];
        using ProgrammedCpu reference = Start(ExecutionTier.Interpreted, program);
        using ProgrammedCpu stepped = Start(ExecutionTier.Translated, program);
        for (int count = 1; count <= Most; count++)
        {
            Assert.That(reference.Interpreter.Run(1), Is.TypeOf<StopReason.InstructionLimit>());
            stepped.Interpreter.Run(1);
            Assert.That(stepped.Describe(), Is.EqualTo(reference.Describe()), $"instruction {count} alone");
            if (count < Begun)
                continue;
            using ProgrammedCpu atOnce = Start(ExecutionTier.Translated, program);
            atOnce.Interpreter.Run((ulong)count);
            Assert.That(atOnce.Describe(), Is.EqualTo(reference.Describe()), $"{count} instructions at once");
        }
    }

    [TestCaseSource(nameof(Names))]
    public void In_pieces_of_any_length_a_program_that_patches_itself_is_as_interpreted(string name)
    {
        Action<Assembler> program = PatchingPrograms.All[name];
        foreach (ulong piece in new ulong[] { 7, 250 })
        {
            using ProgrammedCpu reference = Start(ExecutionTier.Interpreted, program);
            using ProgrammedCpu translated = Start(ExecutionTier.Translated, program);
            for (ulong done = 0; done < 500; done += piece)
            {
                reference.Interpreter.Run(piece);
                translated.Interpreter.Run(piece);
                Assert.That(translated.Describe(), Is.EqualTo(reference.Describe()), $"after {done + piece} instructions in pieces of {piece}");
            }

            Assert.That(translated.Interpreter.Translation.Regions, Is.GreaterThan(5), "regions: what is patched is translated again");
        }
    }

    [Test]
    public void A_random_program_that_patches_itself_is_as_interpreted([Range(1, 16)] int seed)
    {
        var program = new RandomPatches(seed, rounds: 1);
        var random = new Random(seed);
        using ProgrammedCpu reference = Start(ExecutionTier.Interpreted, program.Program);
        using ProgrammedCpu translated = Start(ExecutionTier.Translated, program.Program);
        for (int round = 0; round < 60; round++)
        {
            ulong count = (ulong)random.Next(1, round < 30 ? 20 : 200);
            Assert.That(reference.Interpreter.Run(count), Is.TypeOf<StopReason.InstructionLimit>());
            translated.Interpreter.Run(count);
            Assert.That(translated.Describe(), Is.EqualTo(reference.Describe()), $"seed {seed}, round {round}, {count} instructions");
        }
    }

    [Test]
    public void A_random_program_that_is_hot_before_it_patches_itself_is_as_interpreted([Range(1, 6)] int seed)
    {
        const int Rounds = 1 << 14;
        var program = new RandomPatches(seed, Rounds);
        using ProgrammedCpu reference = Start(ExecutionTier.Interpreted, program.Program);
        using ProgrammedCpu automatic = Start(ExecutionTier.Automatic, program.Program);
        for (int round = 0; round < 5000 && automatic.Interpreter.Translation.Regions == 0; round++)
        {
            // Not yet the round in which it patches.
            reference.State->Gpr[15] = automatic.State->Gpr[15] = 1;
            Run();
            Thread.Sleep(1);
        }

        Assert.That(automatic.Interpreter.Translation.Regions, Is.Positive);
        while (reference.State->Gpr[15] < 3 * Rounds)
            Run();

        void Run()
        {
            reference.Interpreter.Run(100_003);
            automatic.Interpreter.Run(100_003);
            Assert.That(automatic.Describe(), Is.EqualTo(reference.Describe()), $"seed {seed}, round {reference.State->Gpr[15]}");
        }
    }

    private static IEnumerable<string> Names() => PatchingPrograms.All.Keys;

    private static ProgrammedCpu Start(ExecutionTier tier, Action<Assembler> program)
    {
        var cpu = new ProgrammedCpu(tier, program);
        cpu.SeedData();
        return cpu;
    }
}
