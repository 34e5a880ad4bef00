using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tests.Memory;

/// <summary>A translation that the second CPU remembers is dropped before the page is used for something else.</summary>
[TestFixture]
public sealed unsafe class TlbShootdownTests
{
    private const ulong Base = 0x0000_5555_0000_0000;
    private const ulong Data = PageFlags.Present | PageFlags.Writable | PageFlags.NoExecute;

    [Test]
    public void On_bare_hardware_an_interrupt_makes_the_second_CPU_drop_it()
    {
        using GuestMachine guest = GuestMachine.Booted("bare", cpus: 2);
        (bool Before, bool After) known = default;
        int sent = guest.Platform.WritesOf(Msr.X2ApicIcr);
        guest.Do(cpu =>
        {
            ulong space = Remember(cpu, guest.Machine.Cpu(1));
            known.Before = IsKnown(guest.Machine.Cpu(1));
            AddressSpace.Unmap(cpu, space, Base, 1);
            known.After = IsKnown(guest.Machine.Cpu(1));
        });
        Assert.That(known, Is.EqualTo((true, false)));
        Assert.That(guest.Platform.WritesOf(Msr.X2ApicIcr) - sent, Is.EqualTo(1));
    }

    [Test]
    public void Under_KVM_a_CPU_that_does_not_run_is_flushed_by_the_host_when_it_runs_again()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm", cpus: 2);
        (bool Before, bool Between, bool After) known = default;
        (byte Before, byte After) preempted = default;
        bool interrupted = true;
        guest.Do(cpu =>
        {
            CpuState* other = guest.Machine.Cpu(1);
            byte* state = &KvmPerCpu.Of(cpu, 1)->StealTime.Preempted;
            ulong space = Remember(cpu, other);
            known.Before = IsKnown(other);
            AddressSpace.Unmap(cpu, space, Base, 1);
            preempted.Before = *state;
            interrupted = other->EventPending != 0;
            known.Between = IsKnown(other);

            PvIrq.SendIpiMask(cpu, 1ul << 1, IrqVectors.Reschedule);
            Instructions.Pause(cpu);
            known.After = IsKnown(other);
            preempted.After = *state;
        });
        Assert.That((known, interrupted), Is.EqualTo(((true, true, false), false)));
        Assert.That(preempted, Is.EqualTo((KvmStealTime.PreemptedBit | KvmStealTime.FlushTlbBit, KvmStealTime.PreemptedBit)));
    }

    [Test]
    public void Under_KVM_a_CPU_that_runs_is_interrupted()
    {
        using GuestMachine guest = GuestMachine.Booted("kvm", cpus: 2);
        bool known = true;
        guest.Do(cpu =>
        {
            ulong space = Remember(cpu, guest.Machine.Cpu(1));
            KvmPerCpu.Of(cpu, 1)->StealTime.Preempted = 0;      // as if it ran on another processor
            AddressSpace.Unmap(cpu, space, Base, 1);
            known = IsKnown(guest.Machine.Cpu(1));
        });
        Assert.That(known, Is.False);
    }

    [TestCase("bare", 0)]
    [TestCase("kvm", 3)]
    public void Removed_tables_wait_for_the_tick_where_no_interrupt_proves_that_nobody_walks_them(string host, int waiting)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus: 2);
        (uint Before, uint Destroyed, uint Ticked) free = default;
        guest.Do(cpu =>
        {
            free.Before = PageAllocator.FreePages(cpu);
            ulong space = AddressSpace.Create(cpu);
            AddressSpace.Populate(cpu, space, Base, 1, Data);
            AddressSpace.Unmap(cpu, space, Base, 1);
            AddressSpace.Destroy(cpu, space);
            free.Destroyed = PageAllocator.FreePages(cpu);
            PvIrq.SafeHalt(cpu);                                // until the tick
            free.Ticked = PageAllocator.FreePages(cpu);
        });
        Assert.That((free.Before - free.Destroyed, free.Ticked), Is.EqualTo(((uint)waiting, free.Before)));
    }

    /// <summary>Maps a page in a space and has the second CPU, in that space, remember its translation.</summary>
    private static ulong Remember(CpuState* cpu, CpuState* other)
    {
        ulong space = AddressSpace.Create(cpu);
        AddressSpace.Populate(cpu, space, Base, 1, Data);
        other->Cr3 = space;
        LinearMemory.TryLoad(other, Base, AccessMode.Supervisor, out ulong _, out _);
        return space;
    }

    private static bool IsKnown(CpuState* cpu) => Tlb.ForRead(Tlb.Table(cpu, AccessMode.Supervisor), Base, sizeof(ulong)) != null;
}
