using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Layout;
using static PvPatch.Engine.Ops.PvOpClass;

namespace PvPatch.Paravirt.Tables;

/// <summary>Lock ops (<c>pv_ops.lock</c>): a CPU that waits for a lock must not burn the time of the CPU that holds it.</summary>
public unsafe struct LockOps
{
    [PvOp("lock.queued_spin_lock_slowpath", PatchedCall, "Takes a contended lock (lock, its value when the fast path failed)")]
    public delegate* unmanaged<CpuState*, QSpinLock*, uint, void> QueuedSpinLockSlowpath;

    [PvOp("lock.queued_spin_unlock", PatchedCall, "Releases a lock")]
    public delegate* unmanaged<CpuState*, QSpinLock*, void> QueuedSpinUnlock;

    [PvOp("lock.wait", PatchedCall, "Blocks this CPU while a byte has a value, until it is kicked")]
    public delegate* unmanaged<CpuState*, byte*, byte, void> Wait;

    [PvOp("lock.kick", PatchedCall, "Wakes a CPU that waits (CPU number)")]
    public delegate* unmanaged<CpuState*, int, void> Kick;

    [PvOp("lock.vcpu_is_preempted", PatchedCall, "Tells whether the hypervisor has descheduled a CPU (CPU number); not 0 is yes")]
    public delegate* unmanaged<CpuState*, int, uint> VcpuIsPreempted;
}
