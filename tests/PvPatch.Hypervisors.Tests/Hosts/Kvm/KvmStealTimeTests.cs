using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using static PvPatch.Emulator.Tests.Kit.TestGuest;
using static PvPatch.Hypervisors.Tests.Hosts.Kvm.KvmGuestSide;

namespace PvPatch.Hypervisors.Tests.Hosts.Kvm;

/// <summary>vCPU 0 is the boot vCPU, vCPU 1 runs in slices of 1000 ns; the clock moves in slices alone.</summary>
public sealed unsafe class KvmStealTimeTests
{
    private const ulong Slice = 1000;

    [Test]
    public void A_vCPU_is_preempted_between_its_slices_and_not_in_them()
    {
        using TestMachine machine = Make();
        machine.Run(cpu =>
        {
            Register(cpu, machine.Machine.Cpu(1));
            StartCpu(cpu, 1, &NotePreempted);
            cpu->Sensitive->Pause(cpu);
            Note(cpu, At<KvmStealTime>(cpu, Steal)->Preempted);
            Note(cpu, At<KvmStealTime>(cpu, OtherSteal)->Preempted);
        });

        // In the slice of vCPU 1: vCPU 0 preempted, vCPU 1 not. After it the other way round.
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 1, 0, 0, 1 }));
    }

    [Test]
    public void Time_in_which_a_runnable_vCPU_waits_is_stolen()
    {
        using TestMachine machine = Make();
        machine.Run(cpu =>
        {
            Register(cpu, machine.Machine.Cpu(1));
            StartCpu(cpu, 1, &DoNothing);
            for (int pause = 0; pause < 5; pause++) cpu->Sensitive->Pause(cpu);
        });
        Assert.That(machine.Machine.Memory.Read<KvmStealTime>(Steal).Steal, Is.EqualTo(5 * Slice));
    }

    [Test]
    public void The_waiting_vCPUs_time_is_stolen_too_while_it_would_run()
    {
        var clock = new VirtualClock(cyclesPerRead: 0, cyclesPerSlice: Slice);
        using var machine = new TestMachine(cpus: 2, platform: new KvmHost(), clock: clock);
        machine.Run(cpu =>
        {
            Register(cpu, machine.Machine.Cpu(1));
            StartCpu(cpu, 1, &DoNothing);
            cpu->Sensitive->Pause(cpu);
            clock.Advance(777);
            cpu->Sensitive->Pause(cpu);
        });
        Assert.That(machine.Machine.Memory.Read<KvmStealTime>(OtherSteal).Steal, Is.EqualTo(777));
    }

    [Test]
    public void A_halted_vCPU_loses_nothing()
    {
        var clock = new VirtualClock(cyclesPerRead: 0, cyclesPerSlice: Slice);
        using var machine = new TestMachine(cpus: 2, platform: new KvmHost(), clock: clock);
        machine.Run(cpu =>
        {
            Register(cpu, machine.Machine.Cpu(1));
            StartCpu(cpu, 1, &HaltOnly);
            cpu->Sensitive->Pause(cpu);
            clock.Advance(777);
            Call(cpu, KvmHypercall.KickCpu, 0, 1);
            cpu->Sensitive->Pause(cpu);
        });
        Assert.That(machine.Machine.Memory.Read<KvmStealTime>(OtherSteal).Steal, Is.Zero);
    }

    [Test]
    public void The_version_is_even_and_grows_by_two_at_each_accounting()
    {
        using TestMachine machine = Make();
        machine.Run(cpu =>
        {
            Register(cpu, machine.Machine.Cpu(1));
            StartCpu(cpu, 1, &DoNothing);
            for (int pause = 0; pause < 3; pause++)
            {
                cpu->Sensitive->Pause(cpu);
                Note(cpu, At<KvmStealTime>(cpu, Steal)->Version);
            }
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 2, 4, 6 }));
    }

    [TestCase(KvmHost.AllFeatures, true)]
    [TestCase(KvmHost.AllFeatures & ~KvmFeatures.PvTlbFlush, false)]
    public void A_flush_asked_for_while_preempted_is_made_at_entry_if_the_host_offers_it(KvmFeatures features, bool flushed)
    {
        using TestMachine machine = Make(features);
        ulong before = 0, unasked = 0, asked = 0;
        byte preempted = 0xff;
        machine.Run(cpu =>
        {
            CpuState* other = machine.Machine.Cpu(1);
            Register(cpu, other);
            StartCpu(cpu, 1, &DoNothing);
            cpu->Sensitive->Pause(cpu);
            before = other->TlbGeneration;
            cpu->Sensitive->Pause(cpu);
            unasked = other->TlbGeneration;

            // As Linux's kvm_flush_tlb_multi: only if it is preempted, in one compare and exchange.
            byte* state = &At<KvmStealTime>(cpu, OtherSteal)->Preempted;
            Interlocked.CompareExchange(ref *state, KvmStealTime.PreemptedBit | KvmStealTime.FlushTlbBit, KvmStealTime.PreemptedBit);
            cpu->Sensitive->Pause(cpu);
            asked = other->TlbGeneration;
            preempted = *state;
        });
        Assert.That(unasked, Is.EqualTo(before));
        Assert.That(asked > unasked, Is.EqualTo(flushed));
        Assert.That(preempted, Is.EqualTo(KvmStealTime.PreemptedBit), "the request is used up");
    }

    [Test]
    public void A_directed_yield_lets_the_named_vCPU_run_now()
    {
        using TestMachine machine = Make(cpus: 3);
        machine.Run(cpu =>
        {
            StartCpu(cpu, 1, &NoteIndex);
            StartCpu(cpu, 2, &NoteIndex);
            Call(cpu, KvmHypercall.SchedYield, 2);
            Call(cpu, KvmHypercall.SchedYield, 2);
            Call(cpu, KvmHypercall.SchedYield, 7);
        });
        Assert.That(machine.Notes, Is.EqualTo(new ulong[] { 2, 2 }));
    }

    private static TestMachine Make(KvmFeatures features = KvmHost.AllFeatures, int cpus = 2)
        => new(cpus, new KvmHost(features), new VirtualClock(cyclesPerRead: 0, cyclesPerSlice: Slice));

    private static void Register(CpuState* boot, CpuState* other)
    {
        Wrmsr(boot, KvmMsr.StealTime, Steal | KvmMsr.Enable);
        Wrmsr(other, KvmMsr.StealTime, OtherSteal | KvmMsr.Enable);
    }

    private static void NotePreempted(CpuState* cpu)
    {
        Note(cpu, At<KvmStealTime>(cpu, Steal)->Preempted);
        Note(cpu, At<KvmStealTime>(cpu, OtherSteal)->Preempted);
    }

    private static void NoteIndex(CpuState* cpu) => Note(cpu, (ulong)cpu->Index);

    private static void DoNothing(CpuState* cpu)
    {
    }

    private static void HaltOnly(CpuState* cpu) => cpu->Sensitive->Hlt(cpu);
}
