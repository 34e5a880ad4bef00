using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using static PvPatch.Engine.Ops.PvOpClass;

namespace PvPatch.Paravirt.Tables;

/// <summary>Time ops (<c>pv_time_ops</c>; the first two are static calls since Linux 5.13, the others x86_platform and x86_init hooks).</summary>
public unsafe struct TimeOps
{
    [PvOp("time.sched_clock", PatchedCall, "Monotonic time in nanoseconds")]
    public delegate* unmanaged<CpuState*, ulong> SchedClock;

    [PvOp("time.steal_clock", PatchedCall, "Nanoseconds in which a CPU was ready but the hypervisor ran something else (CPU number)")]
    public delegate* unmanaged<CpuState*, int, ulong> StealClock;

    [PvOp("time.get_wallclock", SimpleIndirectCall, "Seconds since 1970, UTC")]
    public delegate* unmanaged<CpuState*, ulong> GetWallclock;

    [PvOp("time.get_tsc_khz", SimpleIndirectCall, "Rate of the time stamp counter in kHz, 0 when it cannot be found")]
    public delegate* unmanaged<CpuState*, ulong> GetTscKhz;

    [PvOp("time.time_init", SimpleIndirectCall, "Sets this CPU's clock interrupt up (vector)")]
    public delegate* unmanaged<CpuState*, uint, void> TimeInit;
}
