using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Tests.Translator;

/// <summary>Sensitive ops through their slots on either tier, and as the engine binds them, are one and the same.</summary>
public sealed unsafe class SensitiveOpsTests
{
    private const ulong Most = 20_000;

    [Test]
    public void Under_interrupts_three_ways_to_call_them_end_alike_wherever_the_run_is_cut([Range(0, 15)] int seed, [Values(0ul, 3ul)] ulong cyclesPerRead)
    {
        using CodeMachine reference = Machine(seed, cyclesPerRead, ExecutionTier.Interpreted, SensitiveBinding.Indirect);
        using CodeMachine indirect = Machine(seed, cyclesPerRead, ExecutionTier.Translated, SensitiveBinding.Indirect);
        using CodeMachine patched = Machine(seed, cyclesPerRead, ExecutionTier.Translated, SensitiveBinding.Patched);
        var pieces = new Random(seed);
        for (ulong done = 0; done < Most;)
        {
            ulong piece = (ulong)(pieces.Next(8) == 0 ? pieces.Next(1, 9000) : pieces.Next(1, 60));
            done += piece;
            string expected = Describe(reference, piece);
            Assert.That(expected, Does.StartWith(nameof(MachineExit.InstructionLimit)));
            Assert.That(Describe(indirect, piece), Is.EqualTo(expected), $"indirect, after {done}");
            Assert.That(Describe(patched, piece), Is.EqualTo(expected), $"patched, after {done}");
        }

        Assert.That(indirect.Machine.SensitiveSites.Totals, Has.Property(nameof(SiteCounts.Patched)).Zero.And.Property(nameof(SiteCounts.Left)).GreaterThan(3));
        Assert.That(patched.Machine.SensitiveSites.Totals, Has.Property(nameof(SiteCounts.Patched)).GreaterThan(3).And.Property(nameof(SiteCounts.Left)).Zero);
        Assert.That(reference.Machine.Memory.TryRead(SensitiveProgram.Counts, out ulong interrupts) ? interrupts : 0, Is.Not.Zero, "interrupts came");
    }

    private static CodeMachine Machine(int seed, ulong cyclesPerRead, ExecutionTier tier, SensitiveBinding binding)
    {
        var machine = new CodeMachine(tier, SensitiveProgram.Of(seed), platform: new PlainPlatform(), clock: new VirtualClock(cyclesPerRead: cyclesPerRead), sensitive: binding);
        SensitiveProgram.AddHandlers(machine);
        return machine;
    }

    private static string Describe(CodeMachine machine, ulong instructions)
    {
        MachineExit exit = machine.Run(instructions);
        CpuState* cpu = machine.Cpu;
        string registers = string.Join(' ', Enumerable.Range(0, 16).Select(i => $"{cpu->Gpr[i]:x}"));
        ulong sum = 0;
        for (ulong place = 0; place < 0x100; place += 8)
            sum = (sum * 31) + (machine.Machine.Memory.TryRead(CodeMachine.Code - place, out ulong word) ? word : 0);
        string counts = string.Join(' ', Enumerable.Range(0, 3).Select(i => machine.Machine.Memory.TryRead(SensitiveProgram.Counts + (8 * (ulong)i), out ulong n) ? n : 0));
        return $"{exit} rip {cpu->Rip:x} flags {cpu->RFlags:x} shadow {cpu->Interruptibility} cr {cpu->Cr0:x} {cpu->Cr2:x} {cpu->Cr3:x} {cpu->Cr4:x} {registers} " +
            $"stack {sum:x} counts {counts} instructions {machine.Machine.Instructions} time {machine.Machine.Clock.Now}";
    }
}
