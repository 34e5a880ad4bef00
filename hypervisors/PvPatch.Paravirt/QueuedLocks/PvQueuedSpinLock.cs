using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.QueuedLocks;

/// <summary>
/// The queued spin lock for CPUs that a hypervisor may take away (Linux: kernel/locking/qspinlock_paravirt.h). A waiter
/// spins for a while, then blocks by <c>lock.wait</c>; whoever lets it go on wakes it by <c>lock.kick</c>. Every
/// hypervisor with those two ops uses it.
/// </summary>
internal static unsafe class PvQueuedSpinLock
{
    /// <summary>Looks before a waiter blocks (Linux: SPIN_THRESHOLD).</summary>
    private const int SpinThreshold = 1 << 15;

    public static void Slowpath(CpuState* cpu, QSpinLock* spinLock, uint value)
    {
        PerCpu* self = PerCpu.Of(cpu);
        QueueNode* node = &self->Node;
        *node = default;
        ushort number = (ushort)(cpu->Index + 1);

        ushort previous = Interlocked.Exchange(ref spinLock->Tail, number);
        if (previous != 0)
        {
            Volatile.Write(ref PerCpu.Of(cpu, previous - 1)->Node.Next, number);
            WaitForHead(cpu, node, previous - 1);
        }

        WaitForLock(cpu, self, spinLock);
        if (Interlocked.CompareExchange(ref spinLock->Value, QSpinLock.LockedValue, (uint)number << 16) == (uint)number << 16)
            return;                                     // nobody behind: locked, queue empty
        Volatile.Write(ref spinLock->Locked, QSpinLock.LockedValue);
        int next;
        while ((next = Volatile.Read(ref node->Next)) == 0)
            Instructions.Pause(cpu);
        HandOver(cpu, next - 1);
    }

    public static void Unlock(CpuState* cpu, QSpinLock* spinLock)
    {
        if (Interlocked.CompareExchange(ref spinLock->Locked, 0, QSpinLock.LockedValue) == QSpinLock.LockedValue)
            return;
        // The first waiter is blocked: it left the lock's address in its page.
        ulong address = MemoryLayout.Physical(cpu, spinLock);
        int waiter = -1;
        for (int number = 0; number < PerCpu.Of(cpu)->CpuCount; number++)
        {
            if (Volatile.Read(ref PerCpu.Of(cpu, number)->WaitsForLock) == address)
                waiter = number;
        }

        Volatile.Write(ref spinLock->Locked, 0);
        if (waiter >= 0)
            PvLock.Kick(cpu, waiter);
    }

    private static void WaitForHead(CpuState* cpu, QueueNode* node, int previous)
    {
        while (Volatile.Read(ref node->IsHead) == 0)
        {
            for (int loop = 0; loop < SpinThreshold && Volatile.Read(ref node->IsHead) == 0; loop++)
            {
                if (PvLock.VcpuIsPreempted(cpu, previous) != 0)
                    break;                              // who hands over does not run: spinning cannot help
                Instructions.Pause(cpu);
            }

            Volatile.Write(ref node->Halted, 1);
            Interlocked.MemoryBarrier();                // Halted must be seen before IsHead is looked at again
            if (Volatile.Read(ref node->IsHead) == 0)
                PvLock.Wait(cpu, &node->Halted, 1);
            Volatile.Write(ref node->Halted, 0);
        }
    }

    private static void WaitForLock(CpuState* cpu, PerCpu* self, QSpinLock* spinLock)
    {
        while (Volatile.Read(ref spinLock->Locked) != 0)
        {
            for (int loop = 0; loop < SpinThreshold && Volatile.Read(ref spinLock->Locked) != 0; loop++)
            {
                if (AnyOtherPreempted(cpu, self))
                    break;
                Instructions.Pause(cpu);
            }

            Volatile.Write(ref self->WaitsForLock, MemoryLayout.Physical(cpu, spinLock));
            byte seen = Interlocked.CompareExchange(ref spinLock->Locked, QSpinLock.SlowValue, QSpinLock.LockedValue);
            if (seen != 0)
                PvLock.Wait(cpu, &spinLock->Locked, QSpinLock.SlowValue);
            Volatile.Write(ref self->WaitsForLock, 0);
        }
    }

    /// <summary>The lock does not say who holds it; with a preempted CPU about, the holder may be that one.</summary>
    private static bool AnyOtherPreempted(CpuState* cpu, PerCpu* self)
    {
        for (int number = 0; number < self->CpuCount; number++)
        {
            if (number != self->Number && PvLock.VcpuIsPreempted(cpu, number) != 0)
                return true;
        }

        return false;
    }

    private static void HandOver(CpuState* cpu, int next)
    {
        QueueNode* node = &PerCpu.Of(cpu, next)->Node;
        Volatile.Write(ref node->IsHead, 1);
        Interlocked.MemoryBarrier();
        if (Interlocked.CompareExchange(ref node->Halted, 0, 1) == 1)
            PvLock.Kick(cpu, next);
    }
}
