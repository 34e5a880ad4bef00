using PvPatch.Emulator.State;
using PvPatch.GuestOs.Cpus;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Memory;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tests.Locks;

/// <summary>A lock whose holder the hypervisor has taken the processor from.</summary>
[TestFixture]
public sealed unsafe class ContendedLockTests
{
    [TestCase("bare", 0ul)]
    [TestCase("kvm", 5ul)]
    public void A_waiter_blocks_under_KVM_and_spins_on_bare_hardware(string host, ulong times)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus: 2);
        (ulong Waits, ulong Kicks, uint Lock) seen = default;
        guest.Do(cpu =>
        {
            QSpinLock* spinLock = MemoryLayout.At<QSpinLock>(cpu, PageAllocator.Allocate(cpu));
            for (int i = 0; i < 5; i++)
            {
                SecondCpu.TakeAndBePreempted(cpu, spinLock);
                KernelLock.Acquire(cpu, spinLock);
                KernelLock.Release(cpu, spinLock);
            }

            seen = (PerCpu.Of(cpu)->LockWaits, PerCpu.Of(cpu, 1)->LockKicks, spinLock->Value);
        });
        Assert.That(seen, Is.EqualTo((times, times, 0u)));
    }

    [TestCase("bare", 0u)]
    [TestCase("kvm", 1u)]
    public void Under_KVM_a_CPU_between_its_slices_is_known_to_be_preempted(string host, uint expected)
    {
        using GuestMachine guest = GuestMachine.Booted(host, cpus: 2);
        (bool Holds, uint Other, uint Self) seen = default;
        guest.Do(cpu =>
        {
            QSpinLock* spinLock = MemoryLayout.At<QSpinLock>(cpu, PageAllocator.Allocate(cpu));
            seen.Holds = SecondCpu.TakeAndBePreempted(cpu, spinLock);
            (seen.Other, seen.Self) = (PvLock.VcpuIsPreempted(cpu, 1), PvLock.VcpuIsPreempted(cpu, 0));
        });
        Assert.That(seen, Is.EqualTo((true, expected, 0u)));
    }

    [TestCase(RFlags.InterruptEnable)]
    [TestCase(0ul)]
    public void Waiting_leaves_the_interrupt_flag_as_it_was(ulong flag)
    {
        using GuestMachine guest = new GuestMachine(new KvmHost(), cpus: 2).Boot();
        ulong after = 1, waits = 0;
        guest.Do(cpu =>
        {
            QSpinLock* spinLock = MemoryLayout.At<QSpinLock>(cpu, PageAllocator.Allocate(cpu));
            SecondCpu.TakeAndBePreempted(cpu, spinLock);
            if (flag == 0)
                PvIrq.Disable(cpu);
            KernelLock.Acquire(cpu, spinLock);
            (after, waits) = (cpu->RFlags & RFlags.InterruptEnable, PerCpu.Of(cpu)->LockWaits);
            KernelLock.Release(cpu, spinLock);
        });
        Assert.That((after, waits), Is.EqualTo((flag, 1ul)));
    }

    [TestCase(RFlags.InterruptEnable)]
    [TestCase(0ul)]
    public void Sections_without_interrupts_stand_in_one_another(ulong atStart)
    {
        using GuestMachine guest = new GuestMachine(new KvmHost(KvmFeatures.None)).Boot();
        var flags = new List<ulong>();
        guest.Do(cpu =>
        {
            if (atStart == 0)
                PvIrq.Disable(cpu);
            ulong outer = InterruptFlag.Save(cpu);
            flags.Add(cpu->RFlags & RFlags.InterruptEnable);
            ulong inner = InterruptFlag.Save(cpu);
            flags.Add(cpu->RFlags & RFlags.InterruptEnable);
            InterruptFlag.Restore(cpu, inner);
            flags.Add(cpu->RFlags & RFlags.InterruptEnable);
            InterruptFlag.Restore(cpu, outer);
            flags.Add(cpu->RFlags & RFlags.InterruptEnable);
        });
        Assert.That(flags, Is.EqualTo([0ul, 0ul, 0ul, atStart]));
    }
}
