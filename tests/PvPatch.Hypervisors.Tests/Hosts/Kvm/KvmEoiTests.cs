using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using static PvPatch.Emulator.Tests.Kit.TestGuest;
using static PvPatch.Hypervisors.Tests.Hosts.Kvm.KvmGuestSide;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

public sealed unsafe class KvmEoiTests
{
    private const byte Low = 0x41;
    private const byte High = 0x51;
    private const ulong ByWord = 0x1000;
    private const ulong ByRegister = 0x2000;

    [Test]
    public void A_lone_interrupt_ends_by_the_word_and_the_next_one_comes()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        machine.Run(cpu =>
        {
            Register(cpu);
            SelfIpi(cpu, Low);
            SelfIpi(cpu, Low);
            Note(cpu, InService(cpu));
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { ByWord | Low, ByWord | Low, 0ul }));
    }

    [Test]
    public void With_another_interrupt_waiting_the_end_is_told_to_the_APIC()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        machine.Run(cpu =>
        {
            Register(cpu);
            Cli(cpu);
            SelfIpi(cpu, Low);
            SelfIpi(cpu, High);
            Sti(cpu);
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { ByRegister | High, ByWord | Low }));
    }

    [Test]
    public void An_offer_is_taken_back_when_a_higher_interrupt_nests()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        machine.Run(cpu =>
        {
            Register(cpu);
            SetGate(cpu, Low, &InterruptedThenEnd);
            SelfIpi(cpu, Low);
            Note(cpu, InService(cpu));
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { ByRegister | High, ByRegister | Low, 0ul }));
    }

    [Test]
    public void An_interrupt_that_waits_for_the_one_in_service_comes_after_its_end_by_the_word()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        machine.Run(cpu =>
        {
            Register(cpu);
            SetGate(cpu, Low, &EndThenRequestAgain);
            SelfIpi(cpu, Low);
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { ByWord | Low, 100ul, ByWord | Low, 100ul }));
    }

    [Test]
    public void Without_registration_every_end_is_told_to_the_APIC()
    {
        using var machine = new TestMachine(platform: new KvmHost());
        machine.Run(cpu =>
        {
            Register(cpu);
            Wrmsr(cpu, KvmMsr.PvEoiEn, 0);
            SelfIpi(cpu, Low);
        });
        Assert.That(machine.Notes, Is.EqualTo(new[] { ByRegister | Low }));
    }

    private static void Register(CpuState* cpu)
    {
        Wrmsr(cpu, KvmMsr.PvEoiEn, Eoi | KvmMsr.Enable);
        SetGate(cpu, Low, &End);
        SetGate(cpu, High, &End);
        Sti(cpu);
    }

    private static ulong InService(CpuState* cpu)
    {
        ulong any = 0;
        for (uint word = 0; word < 8; word++) any |= Rdmsr(cpu, 0x810 + word);
        return any;
    }

    /// <summary>As Linux's kvm_guest_apic_eoi_write: one instruction clears the bit; the register only if it was clear.</summary>
    private static void End(CpuState* cpu, InterruptFrame* frame)
    {
        bool byWord = (Interlocked.And(ref *At<uint>(cpu, Eoi), ~1u) & 1) != 0;
        Note(cpu, frame->Vector | (byWord ? ByWord : ByRegister));
        if (!byWord) Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }

    private static void InterruptedThenEnd(CpuState* cpu, InterruptFrame* frame)
    {
        SelfIpi(cpu, High);
        Sti(cpu);
        Cli(cpu);
        End(cpu, frame);
    }

    private static void EndThenRequestAgain(CpuState* cpu, InterruptFrame* frame)
    {
        End(cpu, frame);
        if (NoteCount(cpu) == 1) SelfIpi(cpu, Low);
        Note(cpu, 100);
    }
}
