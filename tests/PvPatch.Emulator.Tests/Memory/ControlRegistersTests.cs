using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Memory;

public sealed unsafe class ControlRegistersTests
{
    private const ulong LongModeCr0 = Cr0Bits.ProtectionEnable | Cr0Bits.Paging | Cr0Bits.ExtensionType;

    [TestCase(0u, LongModeCr0 | (1ul << 32), TestName = "CR0: upper half")]
    [TestCase(0u, Cr0Bits.Paging, TestName = "CR0: paging without protection")]
    [TestCase(0u, LongModeCr0 | Cr0Bits.NotWriteThrough, TestName = "CR0: NW without CD")]
    [TestCase(3u, 1ul << 40, TestName = "CR3: address beyond the physical width")]
    [TestCase(3u, 1ul << 63, TestName = "CR3: bit 63 without PCID")]
    [TestCase(4u, Cr4Bits.PhysicalAddressExtension | (1ul << 12), TestName = "CR4: five levels are not there")]
    [TestCase(4u, 0ul, TestName = "CR4: no PAE in long mode")]
    [TestCase(8u, 16ul, TestName = "CR8: five bits")]
    public void A_forbidden_value_is_a_general_protection_fault_and_changes_nothing(uint number, ulong value)
    {
        using var cpu = new PagedCpu();
        CpuState before = *cpu.State;
        Assert.That(ControlRegisters.Write(cpu.State, number, value), Is.EqualTo(13u));
        Assert.That((cpu.State->Cr0, cpu.State->Cr3, cpu.State->Cr4, cpu.State->Cr8, cpu.State->Efer),
            Is.EqualTo((before.Cr0, before.Cr3, before.Cr4, before.Cr8, before.Efer)));
    }

    [Test]
    public void A_control_register_that_is_not_there_is_an_invalid_opcode()
    {
        using var cpu = new PagedCpu();
        Assert.That(ControlRegisters.Write(cpu.State, 1, 0), Is.EqualTo(6u));
    }

    [Test]
    public void Long_mode_becomes_active_with_paging_and_ends_with_it()
    {
        using var cpu = new PagedCpu();
        cpu.State->Cr0 = Cr0Bits.ProtectionEnable;
        cpu.State->Efer = 0;
        Assert.That(ControlRegisters.WriteEfer(cpu.State, EferBits.LongModeEnable | EferBits.LongModeActive), Is.Zero);
        Assert.That(cpu.State->Efer, Is.EqualTo(EferBits.LongModeEnable));
        Assert.That(ControlRegisters.Write(cpu.State, 0, LongModeCr0), Is.Zero);
        Assert.That(cpu.State->Efer, Is.EqualTo(EferBits.LongModeEnable | EferBits.LongModeActive));
        Assert.That(ControlRegisters.WriteEfer(cpu.State, 0), Is.EqualTo(13u), "LME can't change under paging");
        Assert.That(ControlRegisters.Write(cpu.State, 0, Cr0Bits.ProtectionEnable), Is.Zero);
        Assert.That(cpu.State->Efer, Is.EqualTo(EferBits.LongModeEnable));
    }

    [Test]
    public void Paging_with_long_mode_enabled_needs_pae()
    {
        using var cpu = new PagedCpu();
        cpu.State->Cr0 = Cr0Bits.ProtectionEnable;
        cpu.State->Cr4 = 0;
        cpu.State->Efer = EferBits.LongModeEnable;
        Assert.That(ControlRegisters.Write(cpu.State, 0, LongModeCr0), Is.EqualTo(13u));
    }

    [Test]
    public void Process_contexts_turn_on_only_with_context_zero()
    {
        using var cpu = new PagedCpu();
        cpu.State->Cr3 |= 1;
        Assert.That(ControlRegisters.Write(cpu.State, 4, cpu.State->Cr4 | Cr4Bits.ProcessContextIdentifiers), Is.EqualTo(13u));
        cpu.State->Cr3 &= ~1ul;
        Assert.That(ControlRegisters.Write(cpu.State, 4, cpu.State->Cr4 | Cr4Bits.ProcessContextIdentifiers), Is.Zero);
        Assert.That(ControlRegisters.Write(cpu.State, 3, cpu.State->Cr3 | (1ul << 63)), Is.Zero);
        Assert.That(cpu.State->Cr3 >> 63, Is.Zero);
    }

    [Test]
    public void Protection_begins_at_level_0_whatever_the_low_bits_of_a_paragraph_are()
    {
        using var cpu = new PagedCpu();
        cpu.State->Efer = 0;
        cpu.State->Cr0 = Cr0Bits.ExtensionType;
        cpu.State->Cs.Selector = 0x07c3;
        Assert.That(ControlRegisters.Write(cpu.State, 0, Cr0Bits.ExtensionType | Cr0Bits.ProtectionEnable), Is.Zero);
        Assert.That(PrivilegeLevel.Of(cpu.State), Is.Zero);
        cpu.State->Cs = new Segment { Selector = 0x0b };
        Assert.That(PrivilegeLevel.Of(cpu.State), Is.EqualTo(3));
    }
}
