using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using static PvPatch.Emulator.Tests.Kit.TestGuest;

namespace PvPatch.Emulator.Tests.Processors;

public sealed unsafe class ProcessorMsrsTests
{
    private const ulong NotCanonical = 0x8000_0000_0000;
    private const ulong Canonical = 0xffff_8000_0000_0000;

    [TestCase(Msr.Star, 0x0023_0010_0000_0000ul)]
    [TestCase(Msr.Lstar, Canonical)]
    [TestCase(Msr.Cstar, Canonical)]
    [TestCase(Msr.SyscallMask, 0x4_7700ul)]
    [TestCase(Msr.FsBase, Canonical)]
    [TestCase(Msr.GsBase, 0x7fff_ffff_ffful)]
    [TestCase(Msr.KernelGsBase, Canonical)]
    [TestCase(Msr.SysenterCs, 0x10ul)]
    [TestCase(Msr.SysenterEsp, Canonical)]
    [TestCase(Msr.SysenterEip, Canonical)]
    [TestCase(Msr.TscAux, 3ul)]
    [TestCase(Msr.Pat, 0x0407_0600_0407_0106ul)]
    [TestCase(Msr.Efer, 0x901ul)]
    [TestCase(Msr.MtrrDefType, 0x806ul)]
    public void What_is_written_is_read(uint msr, ulong value)
    {
        using var machine = new TestMachine();
        ulong read = 0;
        uint fault = 1;
        machine.Run(cpu =>
        {
            fault = Wrmsr(cpu, msr, value);
            read = Rdmsr(cpu, msr);
        });
        Assert.That((fault, read), Is.EqualTo((0u, value)));
    }

    [TestCase(Msr.Lstar, NotCanonical)]
    [TestCase(Msr.FsBase, NotCanonical)]
    [TestCase(Msr.GsBase, NotCanonical)]
    [TestCase(Msr.KernelGsBase, NotCanonical)]
    [TestCase(Msr.SysenterEip, NotCanonical)]
    [TestCase(Msr.SyscallMask, 0x1_0000_0000ul)]
    [TestCase(Msr.TscAux, 0x1_0000_0000ul)]
    [TestCase(Msr.Pat, 0x02ul)]
    [TestCase(Msr.Efer, 0x2ul)]
    [TestCase(Msr.MiscEnable, 0ul)]
    [TestCase(Msr.MtrrCap, 0ul)]
    [TestCase(Msr.MtrrDefType, 0x2ul)]
    [TestCase(0x4b56_4d00u, 0ul)]
    [TestCase(0x4000_0000u, 1ul)]
    public void A_write_that_may_not_be_faults_and_changes_nothing(uint msr, ulong value)
    {
        using var machine = new TestMachine();
        ulong before = 0, after = 1;
        uint fault = 0;
        machine.Run(cpu =>
        {
            before = Rdmsr(cpu, msr);
            fault = Wrmsr(cpu, msr, value);
            after = Rdmsr(cpu, msr);
        });
        Assert.That(fault, Is.EqualTo(13));
        Assert.That(after, Is.EqualTo(before));
    }

    [Test]
    public void Segment_bases_are_the_MSRs()
    {
        using var machine = new TestMachine();
        (ulong Fs, ulong Gs, ulong Kernel) bases = default;
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.FsBase, 1);
            Wrmsr(cpu, Msr.GsBase, 2);
            Wrmsr(cpu, Msr.KernelGsBase, 3);
            bases = (cpu->Fs.Base, cpu->Gs.Base, cpu->KernelGsBase);
        });
        Assert.That(bases, Is.EqualTo((1ul, 2ul, 3ul)));
    }

    [Test]
    public void TSC_and_its_adjustment_are_one_offset()
    {
        using var machine = new TestMachine(clock: new PvPatch.Emulator.Clocks.VirtualClock(cyclesPerRead: 0));
        (ulong Read, ulong Adjust, ulong After) seen = default;
        machine.Run(cpu =>
        {
            Wrmsr(cpu, Msr.Tsc, 500);
            seen.Read = cpu->Sensitive->Rdtsc(cpu);
            seen.Adjust = Rdmsr(cpu, Msr.TscAdjust);
            Wrmsr(cpu, Msr.TscAdjust, 7);
            seen.After = Rdmsr(cpu, Msr.Tsc);
        });
        Assert.That(seen, Is.EqualTo((500ul, 500ul, 7ul)));
    }
}
