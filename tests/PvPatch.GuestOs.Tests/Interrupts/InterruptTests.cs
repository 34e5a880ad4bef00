using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Interrupts;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.GuestOs.Time;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tests.Interrupts;

[TestFixture]
public sealed unsafe class InterruptTests
{
    private const uint TaskPriority = 0x808;
    private const uint FirstInServiceWord = 0x810;
    private const uint Low = 0x50, LowToo = 0x51, High = 0x60;

    private static readonly List<string> Story = [];

    [SetUp]
    public void Forget() => Story.Clear();

    [TestCase("bare")]
    [TestCase("kvm")]
    public void A_handler_that_enables_interrupts_is_interrupted_by_a_higher_class_only(string host)
    {
        using GuestMachine guest = Prepare(host, &SendAllAndEnable);
        int depth = -1;
        guest.Do(cpu =>
        {
            PvIrq.SendIpiMask(cpu, 1, Low);
            depth = PerCpu.Of(cpu)->InterruptDepth;
        });
        Assert.That(string.Join(' ', Story), Is.EqualTo("50/1 60/2 50. 51/2"));
        Assert.That(depth, Is.Zero);
    }

    [TestCase("bare")]
    [TestCase("kvm")]
    public void A_handler_that_leaves_them_off_is_not_interrupted(string host)
    {
        using GuestMachine guest = Prepare(host, &SendAll);
        guest.Do(cpu => PvIrq.SendIpiMask(cpu, 1, Low));
        Assert.That(string.Join(' ', Story), Is.EqualTo("50/1 50. 60/1 51/1"));
    }

    [TestCase("bare")]
    [TestCase("kvm")]
    public void What_waits_comes_by_priority_when_interrupts_are_enabled(string host)
    {
        using GuestMachine guest = Prepare(host, &Note);
        guest.Do(cpu =>
        {
            PvIrq.Disable(cpu);
            foreach (uint vector in (uint[])[Low, High, LowToo, Low])
                PvIrq.SendIpiMask(cpu, 1, vector);
            Story.Add("on");
            PvIrq.Enable(cpu);
        });
        Assert.That(string.Join(' ', Story), Is.EqualTo("on 60/1 51/1 50/1"));
    }

    [TestCase("bare")]
    [TestCase("kvm")]
    public void After_the_last_handler_nothing_is_in_service(string host)
    {
        using GuestMachine guest = Prepare(host, &SendAllAndEnable);
        ulong inService = 1;
        guest.Do(cpu =>
        {
            PvIrq.SendIpiMask(cpu, 1, Low);
            inService = PvCpu.ReadMsr(cpu, FirstInServiceWord + (Low / 32)) | PvCpu.ReadMsr(cpu, FirstInServiceWord + (High / 32));
        });
        Assert.That(inService, Is.Zero);
    }

    [Test]
    public void A_spurious_interrupt_gets_no_end()
    {
        using GuestMachine guest = Prepare("bare", &Note);
        (int Spurious, int Real) ends = default;
        guest.Do(cpu =>
        {
            int before = guest.Platform.WritesOf(Msr.X2ApicEoi);
            PvIrq.Disable(cpu);
            PvIrq.SendIpiMask(cpu, 1, Low);
            PvCpu.WriteMsr(cpu, TaskPriority, High);        // masks it after it was asserted
            PvIrq.Enable(cpu);
            Story.Add("spurious");
            ends.Spurious = guest.Platform.WritesOf(Msr.X2ApicEoi) - before;
            PvCpu.WriteMsr(cpu, TaskPriority, 0);
            ends.Real = guest.Platform.WritesOf(Msr.X2ApicEoi) - before;
        });
        Assert.That((string.Join(' ', Story), ends), Is.EqualTo(("spurious 50/1", (0, 1))));
    }

    [TestCase(KvmFeatures.None, 8)]
    [TestCase(KvmFeatures.PvEoi, 0)]
    public void The_paravirtual_end_of_interrupt_needs_no_exit(KvmFeatures features, int writes)
    {
        using GuestMachine guest = new GuestMachine(new KvmHost(features)).Boot();
        int before = guest.Platform.WritesOf(Msr.X2ApicEoi);
        ulong ticks = 0;
        guest.Do(cpu =>
        {
            ulong first = KernelClock.Jiffies(cpu);
            for (int i = 0; i < 8; i++)
                PvIrq.SafeHalt(cpu);
            ticks = KernelClock.Jiffies(cpu) - first;
        });
        Assert.That((ticks, guest.Platform.WritesOf(Msr.X2ApicEoi) - before), Is.EqualTo((8ul, writes)));
    }

    [Test]
    public void With_another_interrupt_waiting_the_end_is_told_to_the_APIC()
    {
        using GuestMachine guest = Prepare("kvm", &Note);
        int writes = -1;
        guest.Do(cpu =>
        {
            PvIrq.Disable(cpu);
            PvIrq.SendIpiMask(cpu, 1, High);
            PvIrq.SendIpiMask(cpu, 1, Low);
            int before = guest.Platform.WritesOf(Msr.X2ApicEoi);
            PvIrq.Enable(cpu);
            writes = guest.Platform.WritesOf(Msr.X2ApicEoi) - before;
        });
        Assert.That((string.Join(' ', Story), writes), Is.EqualTo(("60/1 50/1", 1)), "the first one's end is written, the last one's is not");
    }

    [TestCase("bare", 1)]
    [TestCase("kvm", 0)]
    public void An_interrupt_to_the_second_CPU_is_an_MSR_write_or_a_hypercall(string host, int writes)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus: 2);
        int before = guest.Platform.WritesOf(Msr.X2ApicIcr);
        uint pending = 0;
        guest.Do(cpu =>
        {
            PvIrq.SendIpiMask(cpu, 1ul << 1, IrqVectors.Reschedule);
            pending = guest.Machine.Cpu(1)->EventPending;
        });
        Assert.That((guest.Platform.WritesOf(Msr.X2ApicIcr) - before, pending), Is.EqualTo((writes, 1u)));
    }

    [TestCase(Vectors.DivideError, 0u, "Fatal exception 0, error code 0000, interrupts on")]
    [TestCase(Vectors.InvalidOpcode, 0u, "Fatal exception 6, error code 0000, interrupts on")]
    [TestCase(Vectors.GeneralProtection, 0x28u, "Fatal exception 13, error code 0028, interrupts on")]
    [TestCase(Vectors.DoubleFault, 0u, "Fatal exception 8, error code 0000, interrupts on")]
    public void An_exception_of_the_kernel_panics(uint vector, uint errorCode, string expected)
    {
        using GuestMachine guest = GuestMachine.Booted("bare");
        Assert.That(guest.Panic(cpu => cpu->Sensitive->RaiseException(cpu, vector, errorCode)), Does.EndWith(expected));
    }

    private static GuestMachine Prepare(string host, delegate*<CpuState*, InterruptFrame*, void> low)
    {
        GuestMachine guest = GuestMachine.Booted(host);
        var handler = (nint)low;
        guest.Do(cpu =>
        {
            InterruptTable.Set(cpu, Low, (delegate*<CpuState*, InterruptFrame*, void>)handler);
            InterruptTable.Set(cpu, LowToo, &Note);
            InterruptTable.Set(cpu, High, &Note);
        });
        return guest;
    }

    private static void Note(CpuState* cpu, InterruptFrame* frame)
    {
        InterruptTable.Enter(cpu);
        Story.Add($"{frame->Vector:x}/{PerCpu.Of(cpu)->InterruptDepth}");
        InterruptTable.Leave(cpu);
    }

    private static void SendAll(CpuState* cpu, InterruptFrame* frame)
    {
        InterruptTable.Enter(cpu);
        Story.Add($"{frame->Vector:x}/{PerCpu.Of(cpu)->InterruptDepth}");
        PvIrq.SendIpiMask(cpu, 1, LowToo);
        PvIrq.SendIpiMask(cpu, 1, High);
        Story.Add($"{frame->Vector:x}.");
        InterruptTable.Leave(cpu);
    }

    private static void SendAllAndEnable(CpuState* cpu, InterruptFrame* frame)
    {
        InterruptTable.Enter(cpu);
        Story.Add($"{frame->Vector:x}/{PerCpu.Of(cpu)->InterruptDepth}");
        PvIrq.Enable(cpu);
        PvIrq.SendIpiMask(cpu, 1, LowToo);
        PvIrq.SendIpiMask(cpu, 1, High);
        Story.Add($"{frame->Vector:x}.");
        InterruptTable.Leave(cpu);
    }
}
