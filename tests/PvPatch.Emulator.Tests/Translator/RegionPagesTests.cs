using Iced.Intel;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Tests.Interpreter;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Whatever happens to one page of a region of several: translated code does what the interpreter does.</summary>
public sealed unsafe class RegionPagesTests
{
    private const ulong Code = ProgrammedCpu.Code;
    private const ulong Frame = ProgrammedCpu.CodeFrame;
    private const ulong Function = 0x6000;
    private const ulong Border = 0xc000;
    private const ulong Other = 0xd000;
    private const ulong UserWritable = 7;
    private const ulong Accessed = PageTableEntry.Accessed;

    private static readonly Dictionary<string, Action<ProgrammedCpu>> Events = new(StringComparer.Ordinal)
    {
        ["the second page is written"] = cpu => cpu.WriteCode(Code + Function + 0x42, 7),
        ["a byte of the second page that was not decoded is written"] = cpu => cpu.WriteCode(Code + Function + 0x700, 7),
        ["the second half of an instruction is written"] = cpu => cpu.WriteCode(Code + Border, 9),
        ["the second page is not present"] = cpu => cpu.SetPresent(Code + Function, present: false),
        ["the second half of an instruction is not present"] = cpu => cpu.SetPresent(Code + Border, present: false),
        ["the second page leads elsewhere"] = cpu => Map(cpu, Function, Frame + Other, UserWritable),
        ["the second half of an instruction leads elsewhere"] = cpu => Map(cpu, Border, Frame + Other, UserWritable),
        ["the second page leads elsewhere but the TLB does not know it"] = cpu => cpu.MapElsewhere(Code + Function, Frame + Other),
        ["the second page must not be executed"] = cpu => Map(cpu, Function, Frame + Function, UserWritable | PageTableEntry.NoExecute),
        ["the second half of an instruction must not be executed"] = cpu => Map(cpu, Border, Frame + Border, UserWritable | PageTableEntry.NoExecute),
        ["the second page is the supervisor's"] = cpu => Map(cpu, Function, Frame + Function, 3),
        ["the second half of an instruction is the supervisor's"] = cpu => Map(cpu, Border, Frame + Border, 3),
        ["all pages are another address space's"] = cpu => ReloadCr3(cpu),
        ["the second page is hooked"] = cpu => cpu.Interpreter.Hooks.Add(Code + Function + 0x40, Code + Function + 0x40, cpu => cpu->Rdx++),
        ["an instruction in two pages is hooked"] = cpu => cpu.Interpreter.Hooks.Add(Code + Border - 2, Code + Border - 2, cpu => cpu->Rdx++),
    };

    [Test]
    public void A_loop_over_three_pages_is_one_region_with_its_instruction_in_two()
    {
        using var cpu = new ProgrammedCpu(ExecutionTier.Translated, Loop);
        cpu.Interpreter.Run(200);
        while (cpu.State->Rip != Code + 0x1100)
            cpu.Interpreter.Run(1);
        Assert.That(
            cpu.Interpreter.Explain().Instructions.Select(instruction => instruction.Rip - Code),
            Is.EqualTo(new ulong[] { 0x1100, 0x1105, 0x1107, Function + 0x40, Function + 0x45, Border - 2, Border + 1 }));
    }

    [Test]
    public void Once_translated_such_a_loop_is_left_only_when_its_time_is_up()
    {
        using var cpu = new ProgrammedCpu(ExecutionTier.Translated, Loop);
        cpu.Interpreter.Run(200);
        TranslationStatistics before = cpu.Interpreter.Translation;
        cpu.Interpreter.Run(60_000);
        TranslationStatistics after = cpu.Interpreter.Translation;
        Assert.That(after with { BudgetExits = 0, CompileTime = default }, Is.EqualTo(before with { BudgetExits = 0, CompileTime = default }));
    }

    [Test]
    public void Whatever_happens_to_one_of_its_pages_a_region_does_what_the_interpreter_does([ValueSource(nameof(Names))] string name, [Values] bool user, [Values(1ul, 13ul, 997ul)] ulong piece)
    {
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, Loop, deliversExceptions: false);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, Loop, deliversExceptions: false);
        foreach (ProgrammedCpu cpu in (ProgrammedCpu[])[reference, translated])
        {
            if (user)
                cpu.EnterUserMode();
            cpu.Interpreter.Run(500);
        }

        Happens(Events[name]);
        Happens(cpu =>
        {
            Map(cpu, Function, Frame + Function, UserWritable);
            Map(cpu, Border, Frame + Border, UserWritable);
        });
        Happens(Events[name]);

        void Happens(Action<ProgrammedCpu> action)
        {
            action(reference);
            action(translated);
            for (ulong done = 0; done < 1000; done += piece)
            {
                StopReason expected = reference.Interpreter.Run(piece);
                Assert.That(translated.Interpreter.Run(piece), Is.EqualTo(expected));
                Assert.That(Describe(translated), Is.EqualTo(Describe(reference)), $"after {done + piece} instructions");
            }
        }
    }

    [Test]
    public void A_page_is_marked_as_accessed_when_the_first_instruction_of_it_is_fetched_and_not_before()
    {
        using var reference = new ProgrammedCpu(ExecutionTier.Interpreted, Loop);
        using var translated = new ProgrammedCpu(ExecutionTier.Translated, Loop);
        foreach (ProgrammedCpu cpu in (ProgrammedCpu[])[reference, translated])
        {
            cpu.Interpreter.Run(500);
            while (cpu.State->Rip != Code + 0x1100)
                cpu.Interpreter.Run(1);
            Map(cpu, Function, Frame + Function, UserWritable);
            Map(cpu, Border, Frame + Border, UserWritable);
            Tlb.Flush(cpu.State);
        }

        var seen = new List<(bool Function, bool Border)>();
        for (int i = 0; i < 5; i++)
        {
            seen.Add(((translated.EntryOf(Code + Function) & Accessed) != 0, (translated.EntryOf(Code + Border) & Accessed) != 0));
            Assert.That(Describe(translated), Is.EqualTo(Describe(reference)));
            reference.Interpreter.Run(1);
            translated.Interpreter.Run(1);
        }

        Assert.That(seen, Is.EqualTo(new[] { (false, false), (false, false), (true, false), (true, false), (true, true) }));
    }

    [Test]
    public void A_page_that_changes_again_and_again_is_left_out_of_the_regions_of_others()
    {
        using var cpu = new ProgrammedCpu(ExecutionTier.Translated, Loop);
        for (byte i = 0; i < 20; i++)
        {
            cpu.WriteCode(Code + Function + 0x42, i);
            cpu.Interpreter.Run(500);
        }

        Assert.That(cpu.Interpreter.Explain().Instructions.Select(instruction => (instruction.Rip - Code) & ~0xffful).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_virtual_CPU_executes_what_another_one_wrote_into_a_page_of_its_region()
    {
        string Ends(ExecutionTier tier)
        {
            using var machine = new CodeMachine(tier, TwoCpus, cpus: 2);
            machine.Run(1_500_000);
            return $"{machine.Cpu->Rip:x} {machine.Cpu->Rax:x} {machine.Cpu->Rcx:x} / {machine.Machine.Cpu(1)->Rip:x} {machine.Machine.Cpu(1)->Rcx:x} {machine.Machine.Cpu(1)->Rax:x}";
        }

        string expected = Ends(ExecutionTier.Interpreted);
        Assert.That(Ends(ExecutionTier.Translated), Is.EqualTo(expected));
        Assert.That(Ends(ExecutionTier.Automatic), Is.EqualTo(expected));
    }

    private static Dictionary<string, Action<ProgrammedCpu>>.KeyCollection Names() => Events.Keys;

    private static void Map(ProgrammedCpu cpu, ulong page, ulong frame, ulong bits)
    {
        cpu.MapElsewhere(Code + page, frame, bits);
        Tlb.FlushPage(cpu.State, Code + page);
    }

    private static void ReloadCr3(ProgrammedCpu cpu)
    {
        cpu.MapElsewhere(Code + Function, Frame + Other);
        ControlRegisters.Write(cpu.State, 3, cpu.State->Cr3);
    }

    private static string Describe(ProgrammedCpu cpu) =>
        $"{cpu.Describe()} entries {cpu.EntryOf(Code + Function):x} {cpu.EntryOf(Code + Border):x}";

    private static void Loop(Assembler a) => PagedPrograms.Assemble(a, 0x1100, 14,
        (0x1100, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.call(Code + Function + 0x40);
            a.inc(ecx);
            a.jmp(again);
        }
    ),
        ((int)Function + 0x40, a => { a.add(eax, 3); a.jmp(Code + Border - 2); }
    ),
        ((int)Border - 2, a => { a.lea(ebx, __[rbx + 5]); a.ret(); }
    ),
        ((int)Other, a => { a.db(0x77); a.ret(); }
    ),
        ((int)Other + 0x40, a => { a.sub(eax, 5); a.ret(); }
    ));

    /// <summary>The first CPU calls a function in another page, into which the second one writes; the stacks tell who is who.</summary>
    private static void TwoCpus(Assembler a)
    {
        const ulong Start = CodeMachine.Code;
        byte[] image = new byte[0x3000];
        Put(0, a => { a.call(Start + 0x2100); a.test(esp, 0x1000); a.je(Start + 0x1000); a.jmp(Start + 0x40); });
        Put(0x40, a =>
        {
            Label again = a.CreateLabel();
            Label wait = a.CreateLabel();
            a.mov(rdi, Start + 0x2102);
            a.Label(ref again);
            a.mov(eax, 70_000);
            a.Label(ref wait);
            a.dec(eax);
            a.jne(wait);
            a.inc(__byte_ptr[rdi]);
            a.inc(ecx);
            a.jmp(again);
        });
        Put(0x1000, a =>
        {
            Label again = a.CreateLabel();
            a.Label(ref again);
            a.call(Start + 0x2100);
            a.inc(ecx);
            a.jmp(again);
        });
        Put(0x2100, a => { a.add(eax, 3); a.ret(); });
        a.db(image);

        void Put(int offset, Action<Assembler> code) => CodeMachine.Assemble(code, Start + (ulong)offset).CopyTo(image, offset);
    }
}
