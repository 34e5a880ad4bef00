using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static Iced.Intel.AssemblerRegisters;

namespace PvPatch.Emulator.Tests.Instructions;

public sealed unsafe class RandomNumberTests
{
    [Test]
    public void A_seed_gives_the_same_numbers_each_time()
    {
        var again = Numbers(5);
        Assert.That(Numbers(5), Is.EqualTo(again).And.Not.EqualTo(Numbers(6)));
    }

    [Test]
    public void Without_a_seed_the_host_gives_other_numbers_each_time()
    {
        var again = Numbers(null);
        Assert.That(Numbers(null), Is.Not.EqualTo(again));
    }

    [Test]
    public void A_restored_machine_goes_on_in_the_sequence()
    {
        using var first = new CodeMachine(a => { a.rdrand(rax); a.rdrand(rbx); a.hlt(); }, randomSeed: 7);
        first.Run(1);
        using var saved = new MemoryStream();
        first.Machine.Save(saved);
        first.Run();
        using var second = new CodeMachine(a => a.hlt(), randomSeed: 7);
        saved.Position = 0;
        second.Machine.Restore(saved);
        second.Run();
        Assert.That(second.Cpu->Rbx, Is.EqualTo(first.Cpu->Rbx));
    }

    [Test]
    public void Widths_are_those_of_the_register_and_carry_says_that_there_was_a_number()
    {
        using var machine = new CodeMachine(
            a =>
            {
                a.mov(rax, -1);
                a.mov(rbx, -1);
                a.rdrand(ax);
                a.rdseed(ebx);
                a.hlt();
            },
            randomSeed: 1);
        machine.Run();
        Assert.That(machine.Cpu->Rax >> 16, Is.EqualTo(ulong.MaxValue >> 16));
        Assert.That(machine.Cpu->Rbx >> 32, Is.Zero);
        Assert.That(machine.Cpu->RFlags & RFlags.Carry, Is.Not.Zero);
    }

    private static ulong[] Numbers(ulong? seed)
    {
        using var machine = new CodeMachine(
            a =>
            {
                a.rdrand(rax);
                a.rdseed(rbx);
                a.rdrand(rcx);
                a.hlt();
            },
            randomSeed: seed);
        machine.Run();
        return [machine.Cpu->Rax, machine.Cpu->Rbx, machine.Cpu->Rcx];
    }
}
