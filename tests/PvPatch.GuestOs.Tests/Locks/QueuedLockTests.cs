using PvPatch.Emulator.State;
using PvPatch.Engine.IndirectCalls;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Hosts.Kvm;
using PvPatch.Paravirt.Kvm;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Native;
using PvPatch.Paravirt.Tables;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Tests.Locks;

/// <summary>The queued spin locks, native and paravirtual, on CPUs that run at the same time.</summary>
[TestFixture]
public sealed unsafe class QueuedLockTests
{
    private const int Cpus = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public void One_CPU_at_a_time_holds_the_lock(bool paravirtual, bool preempted)
    {
        const int rounds = 3_000;
        using var cpus = Prepare(paravirtual, preempted);
        long counter = 0;
        int inside = 0, mostInside = 0;
        Thread[] threads = [.. Enumerable.Range(0, Cpus).Select(number => cpus.Start(number, cpu =>
        {
            for (int i = 0; i < rounds; i++)
            {
                KernelLock.Acquire(cpu, cpus.Lock);
                mostInside = Math.Max(mostInside, ++inside);
                counter++;
                inside--;
                KernelLock.Release(cpu, cpus.Lock);
            }
        }))];
        AssertEnd(threads);
        Assert.That((counter, mostInside, cpus.Lock->Value), Is.EqualTo((Cpus * (long)rounds, 1, 0u)));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public void Waiters_get_the_lock_in_the_order_they_came(bool paravirtual, bool preempted)
    {
        using var cpus = Prepare(paravirtual, preempted);
        var order = new List<int>();
        KernelLock.Acquire(cpus.Cpu(0), cpus.Lock);
        var threads = new List<Thread>();
        foreach (int number in (int[])[2, 1, 3])
        {
            threads.Add(cpus.Start(number, cpu =>
            {
                KernelLock.Acquire(cpu, cpus.Lock);
                order.Add(number);
                KernelLock.Release(cpu, cpus.Lock);
            }));
            Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref cpus.Lock->Tail) == number + 1, Patience), $"CPU {number} stands in the queue");
        }

        Assert.That(order, Is.Empty, "while CPU 0 holds the lock");
        KernelLock.Release(cpus.Cpu(0), cpus.Lock);
        AssertEnd(threads);
        Assert.That(order, Is.EqualTo([2, 1, 3]));
    }

    [Test]
    public void A_waiter_blocks_when_the_holder_does_not_run_and_the_release_kicks_it()
    {
        using var cpus = Prepare(paravirtual: true, preempted: true);
        KernelLock.Acquire(cpus.Cpu(0), cpus.Lock);
        Thread waiter = cpus.Start(1, cpu =>
        {
            KernelLock.Acquire(cpu, cpus.Lock);
            KernelLock.Release(cpu, cpus.Lock);
        });
        PerCpu* self = PerCpu.Of(cpus.Cpu(1));
        Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref self->LockWaits) == 1, Patience), "it blocks");
        Assert.That((cpus.Lock->Locked, self->WaitsForLock), Is.EqualTo((QSpinLock.SlowValue, MemoryLayout.FirstFree)));
        KernelLock.Release(cpus.Cpu(0), cpus.Lock);
        AssertEnd([waiter]);
        Assert.That((PerCpu.Of(cpus.Cpu(0))->LockKicks, self->WaitsForLock, cpus.Lock->Value), Is.EqualTo((1ul, 0ul, 0u)));
    }

    [Test]
    public void A_waiter_whose_byte_has_changed_does_not_block()
    {
        using var cpus = Prepare(paravirtual: true, preempted: true);
        byte location = 2;
        PvLock.Wait(cpus.Cpu(0), &location, 1);
        cpus.Cpu(0)->RFlags |= RFlags.InterruptEnable;
        PvLock.Wait(cpus.Cpu(0), &location, 1);
        Assert.That((PerCpu.Of(cpus.Cpu(0))->LockWaits, cpus.Cpu(0)->RFlags), Is.EqualTo((0ul, RFlags.InterruptEnable)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_held_lock_is_not_taken_by_trying(bool paravirtual)
    {
        using var cpus = Prepare(paravirtual, preempted: false);
        bool first = KernelLock.TryAcquire(cpus.Cpu(0), cpus.Lock);
        bool second = KernelLock.TryAcquire(cpus.Cpu(1), cpus.Lock);
        KernelLock.Release(cpus.Cpu(0), cpus.Lock);
        bool third = KernelLock.TryAcquire(cpus.Cpu(1), cpus.Lock);
        Assert.That((first, second, third), Is.EqualTo((true, false, true)));
    }

    private static HostThreadCpus Prepare(bool paravirtual, bool preempted)
    {
        var ops = new PvOpTable(typeof(Pv));
        ops.Install(NativeOps.Targets);
        if (paravirtual)
            ops.Install(KvmGuest.Targets(KvmHost.AllFeatures, KvmHints.None, Cpus));
        var cpus = new HostThreadCpus(Cpus);
        for (int number = 0; preempted && number < Cpus; number++)
            cpus.SetPreempted(number);
        return cpus;
    }

    private static void AssertEnd(IEnumerable<Thread> threads)
    {
        foreach (Thread thread in threads)
            Assert.That(thread.Join(Patience), $"{thread.Name} waits for ever");
    }
}
