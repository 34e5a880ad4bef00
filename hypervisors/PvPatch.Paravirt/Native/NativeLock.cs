using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;

namespace PvPatch.Paravirt.Native;

/// <summary>
/// The queued spin lock where every CPU runs all the time (Linux: kernel/locking/qspinlock.c, without the pending bit):
/// a waiter spins on its own node, the first of the queue on the lock.
/// </summary>
internal static unsafe class NativeLock
{
    public static void QueuedSpinLockSlowpath(CpuState* cpu, QSpinLock* spinLock, uint value)
    {
        QueueNode* node = &PerCpu.Of(cpu)->Node;
        *node = default;
        ushort self = (ushort)(cpu->Index + 1);

        ushort previous = Interlocked.Exchange(ref spinLock->Tail, self);
        if (previous != 0)
        {
            Volatile.Write(ref PerCpu.Of(cpu, previous - 1)->Node.Next, self);
            while (Volatile.Read(ref node->IsHead) == 0)
                Instructions.Pause(cpu);
        }

        while (Volatile.Read(ref spinLock->Locked) != 0)
            Instructions.Pause(cpu);
        if (Interlocked.CompareExchange(ref spinLock->Value, QSpinLock.LockedValue, (uint)self << 16) == (uint)self << 16)
            return;                                     // nobody behind: locked, queue empty
        Volatile.Write(ref spinLock->Locked, QSpinLock.LockedValue);
        int next;
        while ((next = Volatile.Read(ref node->Next)) == 0)
            Instructions.Pause(cpu);
        Volatile.Write(ref PerCpu.Of(cpu, next - 1)->Node.IsHead, 1);
    }

    public static void QueuedSpinUnlock(CpuState* cpu, QSpinLock* spinLock) => Volatile.Write(ref spinLock->Locked, 0);
}
