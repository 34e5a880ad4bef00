using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Locks;

/// <summary>Spin locks. The free lock is taken here; a contended one goes through <c>lock.queued_spin_lock_slowpath</c> (Linux: asm-generic/qspinlock.h).</summary>
public static unsafe class KernelLock
{
    /// <summary>Takes a lock. Interrupts stay as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Acquire(CpuState* cpu, QSpinLock* spinLock)
    {
        uint seen = Interlocked.CompareExchange(ref spinLock->Value, QSpinLock.LockedValue, 0);
        if (seen != 0)
            PvLock.QueuedSpinLockSlowpath(cpu, spinLock, seen);
    }

    /// <summary>Takes a lock if it is free.</summary>
    public static bool TryAcquire(CpuState* cpu, QSpinLock* spinLock) =>
        Interlocked.CompareExchange(ref spinLock->Value, QSpinLock.LockedValue, 0) == 0;

    /// <summary>Releases a lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Release(CpuState* cpu, QSpinLock* spinLock) => PvLock.QueuedSpinUnlock(cpu, spinLock);

    /// <summary>Takes a lock that interrupt handlers take too; returns the flags for <see cref="ReleaseRestore"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AcquireSave(CpuState* cpu, QSpinLock* spinLock)
    {
        ulong flags = InterruptFlag.Save(cpu);
        Acquire(cpu, spinLock);
        return flags;
    }

    /// <summary>Releases a lock and puts the interrupt flag back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReleaseRestore(CpuState* cpu, QSpinLock* spinLock, ulong flags)
    {
        Release(cpu, spinLock);
        InterruptFlag.Restore(cpu, flags);
    }
}
