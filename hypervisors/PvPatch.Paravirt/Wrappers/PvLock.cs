using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Tables;

namespace PvPatch.Paravirt.Wrappers;

/// <summary>What the kernel calls: one small inlined wrapper a slot of <see cref="LockOps"/>, like Linux's static inlines in asm/paravirt.h. Each is that op's only call site.</summary>
public static unsafe class PvLock
{
    /// <summary>Takes a contended lock (lock, its value when the fast path failed).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void QueuedSpinLockSlowpath(CpuState* cpu, QSpinLock* spinLock, uint value) => Pv.Lock.QueuedSpinLockSlowpath(cpu, spinLock, value);

    /// <summary>Releases a lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void QueuedSpinUnlock(CpuState* cpu, QSpinLock* spinLock) => Pv.Lock.QueuedSpinUnlock(cpu, spinLock);

    /// <summary>Blocks this CPU while a byte has a value, until it is kicked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wait(CpuState* cpu, byte* location, byte value) => Pv.Lock.Wait(cpu, location, value);

    /// <summary>Wakes a CPU that waits (CPU number).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Kick(CpuState* cpu, int number) => Pv.Lock.Kick(cpu, number);

    /// <summary>Tells whether the hypervisor has descheduled a CPU (CPU number); not 0 is yes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint VcpuIsPreempted(CpuState* cpu, int number) => Pv.Lock.VcpuIsPreempted(cpu, number);
}
