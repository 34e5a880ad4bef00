using PvPatch.Emulator.Interrupts;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Interrupts;

/// <summary>Intel SDM vol. 3, 10.12.</summary>
public sealed unsafe class X2ApicRegistersTests
{
    private const ulong Base = 0xfee0_0000;
    private const ulong Boot = 1 << 8, X2 = 1 << 10, On = 1 << 11;

    [TestCase(0x802u, 0ul, TestName = "The id is read only")]
    [TestCase(0x803u, 0ul, TestName = "The version is read only")]
    [TestCase(0x80au, 0ul, TestName = "The processor priority is read only")]
    [TestCase(0x80du, 0ul, TestName = "The logical id is read only")]
    [TestCase(0x810u, 0ul, TestName = "ISR is read only")]
    [TestCase(0x820u, 0ul, TestName = "IRR is read only")]
    [TestCase(0x839u, 0ul, TestName = "The current count is read only")]
    [TestCase(0x808u, 0x100ul, TestName = "TPR has 8 bits")]
    [TestCase(0x80bu, 1ul, TestName = "EOI takes 0 alone")]
    [TestCase(0x80fu, 0x200ul, TestName = "SVR has 9 bits")]
    [TestCase(0x828u, 1ul, TestName = "ESR takes 0 alone")]
    [TestCase(0x830u, 0x1000ul, TestName = "ICR bit 12 is reserved")]
    [TestCase(0x832u, 0x6_0040ul, TestName = "Timer mode 3 is reserved")]
    [TestCase(0x832u, 0x8_0040ul, TestName = "LVT timer bit 19 is reserved")]
    [TestCase(0x838u, 0x1_0000_0000ul, TestName = "The initial count has 32 bits")]
    [TestCase(0x83eu, 0x4ul, TestName = "The divide register's bit 2 is reserved")]
    [TestCase(0x83fu, 0x100ul, TestName = "The self IPI has 8 bits")]
    [TestCase(0x80eu, 0ul, TestName = "DFR is not there in x2APIC mode")]
    [TestCase(0x831u, 0ul, TestName = "ICR high is not there in x2APIC mode")]
    [TestCase(0x8ffu, 0ul, TestName = "The end of the range is empty")]
    public void A_write_that_may_not_be_is_a_general_protection_fault(uint msr, ulong value)
    {
        using var machine = new TestMachine();
        uint fault = 0;
        machine.Run(cpu => fault = Wrmsr(cpu, msr, value));
        Assert.That(fault, Is.EqualTo(13));
    }

    [TestCase(0x80bu)]
    [TestCase(0x83fu)]
    [TestCase(0x80eu)]
    [TestCase(0x82fu)]
    public void Write_only_and_missing_registers_cannot_be_read(uint msr)
    {
        using var machine = new TestMachine();
        uint fault = 0;
        machine.Run(cpu =>
        {
            ulong value;
            fault = cpu->Sensitive->Rdmsr(cpu, msr, &value);
        });
        Assert.That(fault, Is.EqualTo(13));
    }

    [TestCase(On, On | X2, true, TestName = "xAPIC to x2APIC")]
    [TestCase(On | X2, On, false, TestName = "x2APIC to xAPIC is not allowed")]
    [TestCase(On | X2, 0ul, true, TestName = "x2APIC to off")]
    [TestCase(0ul, On, true, TestName = "off to xAPIC")]
    [TestCase(0ul, On | X2, false, TestName = "off to x2APIC is not allowed")]
    [TestCase(On, X2, false, TestName = "x2APIC without enable is not allowed")]
    [TestCase(On, On | 1, false, TestName = "a reserved bit is not allowed")]
    public void Modes_change_only_the_way_they_may(ulong from, ulong to, bool allowed)
    {
        using var machine = new TestMachine();
        uint fault = 0;
        ulong after = 0;
        machine.Machine.Run(() =>
        {
            CpuState* cpu = machine.Machine.Cpu(0);
            Wrmsr(cpu, Msr.ApicBase, Base | Boot | from);
            fault = Wrmsr(cpu, Msr.ApicBase, Base | Boot | to);
            after = Rdmsr(cpu, Msr.ApicBase);
        });
        Assert.That(fault, Is.EqualTo(allowed ? 0 : 13));
        Assert.That(after, Is.EqualTo(Base | Boot | (allowed ? to : from)));
    }

    [Test]
    public void Without_x2APIC_mode_the_range_is_not_there()
    {
        using var machine = new TestMachine();
        uint fault = 0;
        machine.Machine.Run(() => fault = Wrmsr(machine.Machine.Cpu(0), Msr.X2ApicEoi, 0));
        Assert.That(fault, Is.EqualTo(13));
    }

    [Test]
    public void Ids_are_the_vCPUs_numbers_and_the_boot_flag_is_the_first_ones()
    {
        using var machine = new TestMachine(cpus: 3);
        var seen = new List<(ulong Id, ulong Logical, bool Boot)>();
        machine.Run(_ =>
        {
            for (int index = 0; index < 3; index++)
            {
                CpuState* cpu = machine.Machine.Cpu(index);
                bool boot = (Rdmsr(cpu, Msr.ApicBase) & Boot) != 0;
                Wrmsr(cpu, Msr.ApicBase, Rdmsr(cpu, Msr.ApicBase) | X2);
                seen.Add((Rdmsr(cpu, Msr.X2ApicId), Rdmsr(cpu, 0x80d), boot));
            }
        });
        Assert.That(seen, Is.EqualTo(new[] { (0ul, 1ul, true), (1ul, 2ul, false), (2ul, 4ul, false) }));
    }

    [TestCase(0x0000_0001_0000_0050ul, "1", TestName = "A physical destination")]
    [TestCase(0xffff_ffff_0000_0050ul, "0123", TestName = "The broadcast destination")]
    [TestCase(0x0000_000a_0000_0850ul, "13", TestName = "A logical destination: cluster 0, bits 1 and 3")]
    [TestCase(0x0001_0002_0000_0850ul, "", TestName = "A logical destination of another cluster")]
    [TestCase(0x0000_0000_0004_0050ul, "2", TestName = "Self")]
    [TestCase(0x0000_0000_0008_0050ul, "0123", TestName = "All")]
    [TestCase(0x0000_0000_000c_0050ul, "013", TestName = "All but self")]
    [TestCase(0x0000_0007_0000_0050ul, "", TestName = "Nobody has that id")]
    public void A_message_reaches_whom_it_names(ulong command, string expected)
    {
        var message = new IpiMessage(command);
        Assert.That(string.Concat(Enumerable.Range(0, 4).Where(id => message.Reaches(from: 2, id))), Is.EqualTo(expected));
    }

    [Test]
    public void A_vector_below_16_is_an_error_of_the_sender()
    {
        using var machine = new TestMachine();
        ulong errors = 0, cleared = 1;
        machine.Run(cpu =>
        {
            SelfIpi(cpu, 15);
            errors = Rdmsr(cpu, 0x828);
            Wrmsr(cpu, 0x828, 0);
            cleared = Rdmsr(cpu, 0x828);
        });
        Assert.That((errors, cleared), Is.EqualTo((0x20ul, 0ul)));
    }
}
