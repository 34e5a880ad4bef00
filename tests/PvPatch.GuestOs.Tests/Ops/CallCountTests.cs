using PvPatch.GuestOs.Tests.Kit;

namespace PvPatch.GuestOs.Tests.Ops;

[TestFixture]
public sealed unsafe class CallCountTests
{
    /// <summary>
    /// A round is eight sections of two saves, two disables and one enable. Around them stand five sections of the
    /// kernel's: stack allocated and freed, made ready, taken, switched to; and two more for each step after the first.
    /// </summary>
    [TestCase(0, 0)]
    [TestCase(1, 1)]
    [TestCase(1_000, 1)]
    [TestCase(200_000, 1)]
    [TestCase(200_001, 2)]
    public void The_irq_workload_calls_five_ops_a_section_and_the_scheduler_its_own(int rounds, int steps)
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        IReadOnlyDictionary<string, long> calls = guest.Kernel.Ops.CountCalls(() => guest.Do(_ => guest.Kernel.Run("irq", 1, rounds)));
        long own = 5 + (2 * steps);
        Assert.That(calls, Is.EquivalentTo(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["irq.save_fl"] = (rounds * 16L) + own,
            ["irq.irq_disable"] = (rounds * 16L) + own,
            ["irq.irq_enable"] = (rounds * 8L) + own,
            ["lock.queued_spin_unlock"] = own - 1,
            ["cpu.start_context_switch"] = 1,
            ["cpu.end_context_switch"] = 1,
            ["cpu.load_sp0"] = 1,
            ["cpu.load_tls"] = 1,
            ["mmu.read_cr3"] = 3,
        }));
    }

    [Test]
    public void Counting_leaves_the_slots_as_they_were()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm");
        ulong before = 0, during = 1, after = 2;
        guest.Do(_ => before = guest.Kernel.Run("mixed", 4, 10));
        guest.Kernel.Ops.CountCalls(() => guest.Do(_ => during = guest.Kernel.Run("mixed", 4, 10)));
        guest.Do(_ => after = guest.Kernel.Run("mixed", 4, 10));
        Assert.That((during, after), Is.EqualTo((before, before)));
        Assert.That(guest.Kernel.Ops.Ops.Where(op => guest.Kernel.Ops.IsWrittenByHand(op.Name)), Is.Empty);
    }
}
