using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Tests.Interpreter;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Translated loops and calls stop at every instruction with the state that the interpreter has there.</summary>
public sealed unsafe class TranslatedLoopTests
{
    private const int Most = 90;

    [TestCaseSource(nameof(Names))]
    public void Cut_at_each_instruction_the_state_is_the_interpreters(string name)
    {
        Action<Assembler> program = LoopPrograms.All[name];
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, program);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, program);
        reference.SeedData();
        translated.SeedData();
        for (int count = 1; count <= Most; count++)
        {
            // The interpreter goes on by one; the other starts anew and goes there at once.
            Assert.That(reference.Interpreter.Run(1), Is.TypeOf<StopReason.InstructionLimit>());
            using var atOnce = new ProgrammedCpu(ExecutionTier.Translated, program);
            atOnce.SeedData();
            atOnce.Interpreter.Run((ulong)count);
            translated.Interpreter.Run(1);
            string expected = reference.Describe();
            Assert.That(atOnce.Describe(), Is.EqualTo(expected), $"{count} instructions at once");
            Assert.That(translated.Describe(), Is.EqualTo(expected), $"instruction {count} alone");
        }
    }

    [TestCaseSource(nameof(Names))]
    public void Cut_into_pieces_of_any_length_it_ends_the_same(string name)
    {
        Action<Assembler> program = LoopPrograms.All[name];
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, program);
        reference.SeedData();
        Assert.That(reference.Interpreter.Run(20_000), Is.TypeOf<StopReason.InstructionLimit>());
        for (ulong piece = 1; piece < 64; piece += 9)
        {
            using var translated = new ProgrammedCpu(ExecutionTier.Translated, program);
            translated.SeedData();
            for (ulong left = 20_000; left > 0; left -= Math.Min(piece, left))
                translated.Interpreter.Run(Math.Min(piece, left));
            Assert.That(translated.Describe(), Is.EqualTo(reference.Describe()), $"pieces of {piece}");
        }
    }

    [TestCase("calls of a function in the region")]
    [TestCase("indirect calls and jumps")]
    [TestCase("indirect branches to code that reads flags")]
    [TestCase("conditional moves")]
    [TestCase("calls of functions in other pages")]
    [TestCase("instructions that lie in two pages")]
    [TestCase("loop that patches code in other pages")]
    public void Code_that_is_translated_while_it_runs_goes_on_the_same(string name)
    {
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, LoopPrograms.All[name]);
        using var automatic = new ProgrammedCpu(ExecutionTier.Automatic, LoopPrograms.All[name]);
        reference.SeedData();
        automatic.SeedData();
        int roundsTranslated = 0;
        for (int round = 0; round < 5000 && roundsTranslated < 5; round++)
        {
            // By now the targets of indirect branches are known, so they are part of the region.
            reference.Interpreter.Run(70_001);
            automatic.Interpreter.Run(70_001);
            Assert.That(automatic.Describe(), Is.EqualTo(reference.Describe()), $"round {round}");
            if (automatic.Interpreter.Translation.Regions > 0)
                roundsTranslated++;
            else
                Thread.Sleep(1);
        }

        Assert.That(roundsTranslated, Is.EqualTo(5), $"rounds with translated code: {automatic.Interpreter.Translation}");
        if (name.Contains("indirect", StringComparison.Ordinal))
            Assert.That(automatic.Interpreter.Translation.Regions, Is.LessThan(3), "regions: each function would be one");
    }

    [Test]
    public void A_loop_that_begins_where_a_region_ends_in_code_that_was_not_executed_is_translated_too()
    {
        using var automatic = new ProgrammedCpu(ExecutionTier.Automatic, LoopAcrossTheEndOfDecodedCode);
        for (int round = 0; round < 5000 && automatic.Interpreter.Translation.Regions < 2; round++)
        {
            automatic.Interpreter.Run(70_001);
            if (round == 0)
                Assert.That(automatic.State->Rbx, Is.Zero, "only the first loop was executed so far");
            Thread.Sleep(1);
            if (automatic.Interpreter.Translation.Regions == 1)
                automatic.State->Rcx = 1;
        }

        Assert.That(automatic.Interpreter.Translation.Regions, Is.EqualTo(2));
    }

    [Test]
    public void Code_in_the_middle_of_a_region_that_is_come_to_from_elsewhere_is_translated_once()
    {
        using var automatic = new ProgrammedCpu(ExecutionTier.Automatic, ReturnsIntoTheMiddle);
        for (int round = 0; round < 5000 && automatic.Interpreter.Translation.Regions < 2; round++)
        {
            automatic.Interpreter.Run(70_001);
            Thread.Sleep(1);
        }

        automatic.Interpreter.Run(20_000_000);
        Assert.That(automatic.Interpreter.Translation.Regions, Is.EqualTo(2));
    }

    [Test]
    public void A_path_that_was_never_taken_is_not_translated_and_can_be_taken_later()
    {
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, WithColdPath);
        using var automatic = new ProgrammedCpu(ExecutionTier.Automatic, WithColdPath);
        for (int round = 0; round < 5000 && automatic.Interpreter.Translation.Regions == 0; round++)
        {
            reference.Interpreter.Run(70_001);
            automatic.Interpreter.Run(70_001);
            Thread.Sleep(1);
        }

        Assert.That(automatic.Interpreter.Translation.Instructions, Is.EqualTo(5));
        reference.State->Rdx = 1;
        automatic.State->Rdx = 1;
        for (int round = 0; round < 20; round++)
        {
            reference.Interpreter.Run(70_001);
            automatic.Interpreter.Run(70_001);
            Assert.That(automatic.Describe(), Is.EqualTo(reference.Describe()), $"round {round}");
        }
    }

    [Test]
    public void Of_too_much_translated_code_all_is_forgotten_and_it_goes_on_the_same()
    {
        const int Limit = 500;
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, ManyPages);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, ManyPages);
        translated.Interpreter.TranslationLimit = Limit;
        reference.SeedData();
        translated.SeedData();
        long most = 0;
        for (int round = 0; round < 40; round++)
        {
            reference.Interpreter.Run(97);
            translated.Interpreter.Run(97);
            most = Math.Max(most, translated.Interpreter.Translation.Kept);
            Assert.That(translated.Describe(), Is.EqualTo(reference.Describe()), $"round {round}");
        }

        Assert.That(translated.Interpreter.Translation.Instructions, Is.GreaterThan(3 * Limit), "translated in all");
        Assert.That(most, Is.InRange(1L, 2L * Limit), "kept at once");
    }

    private static IEnumerable<string> Names() => LoopPrograms.All.Keys;

    /// <summary>The first loop ends when RCX is 1; the instructions behind it are decoded with it up to the middle of the second loop, which has no end.</summary>
    private static void LoopAcrossTheEndOfDecodedCode(Assembler a)
    {
        Label first = a.CreateLabel();
        Label second = a.CreateLabel();
        a.Label(ref first);
        a.sub(rcx, 1);
        a.jne(first);
        for (int i = 0; i < 55; i++)
            a.add(rax, i);
        a.Label(ref second);
        for (int i = 0; i < 20; i++)
            a.add(rbx, i);
        a.jmp(second);
    }

    /// <summary>A return goes to where else only a condition that does not hold falls through.</summary>
    private static void ReturnsIntoTheMiddle(Assembler a)
    {
        Label again = a.CreateLabel();
        Label middle = a.CreateLabel();
        Label function = a.CreateLabel();
        Label elsewhere = a.CreateLabel();
        a.Label(ref again);
        a.lea(rax, __[function]);
        a.lea(rdx, __[middle]);
        a.inc(rbx);
        a.test(bl, 1);
        a.cmove(rax, rdx);
        a.push(rax);
        a.ret();
        a.Label(ref function);
        a.add(rcx, 1);
        a.je(elsewhere);
        a.Label(ref middle);
        a.add(rsi, 2);
        a.jmp(again);
        a.Label(ref elsewhere);
        a.ud2();
    }

    private static void WithColdPath(Assembler a)
    {
        Label again = a.CreateLabel();
        Label cold = a.CreateLabel();
        a.Label(ref again);
        a.inc(ecx);
        a.test(edx, edx);
        a.jne(cold);
        a.dec(ebx);
        a.jmp(again);
        a.Label(ref cold);
        a.lea(rax, __[rax + rax * 2 + 1]);
        a.xor(r8, rax);
        a.jmp(again);
    }

    private static void ManyPages(Assembler a)
    {
        Label again = a.CreateLabel();
        a.Label(ref again);
        for (int page = 0; page < 12; page++)
        {
            for (int i = 0; i < 60; i++)
                a.lea(rax, __[rax + rax * 4 + i]);
            Label next = a.CreateLabel();
            a.jmp(next);
            for (int i = 0; i < 3840; i++)
                a.db(0xcc);
            a.Label(ref next);
            a.add(rbx, rax);
        }

        a.jmp(again);
    }
}
