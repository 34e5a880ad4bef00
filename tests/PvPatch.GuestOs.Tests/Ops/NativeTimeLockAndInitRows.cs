using PvPatch.Emulator.State;
using PvPatch.GuestOs.Tests.Kit;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;
using static PvPatch.GuestOs.Tests.Ops.NativeOpRow;

namespace PvPatch.GuestOs.Tests.Ops;

internal static unsafe class NativeTimeLockAndInitRows
{
    public static NativeOpRow[] All { get; } =
    [
        OnMachine("time.sched_clock", "counts nanoseconds", (guest, cpu, seen) =>
        {
            ulong before = PvTime.SchedClock((CpuState*)cpu);
            guest.Clock.Advance(7_000_000);
            ulong passed = PvTime.SchedClock((CpuState*)cpu) - before;
            seen.Add((passed + 50_000) / 100_000);      // the rate was measured: to the tenth of a millisecond
        }, 70),
        Of("time.steal_clock", "is always 0", (cpu, seen) => seen.Add(PvTime.StealClock(cpu, 0)), 0),
        Of("time.get_wallclock", "reads the CMOS clock", (cpu, seen) => seen.Add(PvTime.GetWallclock(cpu)), (ulong)GuestMachine.Today.ToUnixTimeSeconds()),
        Of("time.get_tsc_khz", "measures the rate", (cpu, seen) => seen.Add((PvTime.GetTscKhz(cpu) + 500) / 1_000), 1_000),
        Of("time.time_init", "sets the timer to deadlines on the vector", (cpu, seen) =>
        {
            PvTime.TimeInit(cpu, 0x55);
            seen.Add(PvCpu.ReadMsr(cpu, Msr.X2ApicLvtTimer));
        }, 0x4_0055),
        Of("lock.queued_spin_lock_slowpath", "takes a lock that became free", (cpu, seen) =>
        {
            QSpinLock spinLock = default;
            PvLock.QueuedSpinLockSlowpath(cpu, &spinLock, QSpinLock.LockedValue);
            seen.Add(spinLock.Value);
        }, QSpinLock.LockedValue),
        Of("lock.queued_spin_unlock", "releases and leaves the queue", (cpu, seen) =>
        {
            QSpinLock spinLock = new() { Value = 0x0003_0001 };
            PvLock.QueuedSpinUnlock(cpu, &spinLock);
            seen.Add(spinLock.Value);
        }, 0x0003_0000),
        Of("lock.vcpu_is_preempted", "is never so", (cpu, seen) => seen.Add(PvLock.VcpuIsPreempted(cpu, 0)), 0),
        OnMachine("init.banner", "says on what the kernel boots", (guest, cpu, seen) =>
        {
            PvInit.Banner((CpuState*)cpu);
            seen.Add((ulong)guest.Messages.Count(line => line.EndsWith("kernel on bare hardware", StringComparison.Ordinal)));
        }, 2),
    ];
}
