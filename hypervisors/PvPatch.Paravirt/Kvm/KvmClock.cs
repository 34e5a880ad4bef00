using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Log;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Kvm;

/// <summary>kvm-clock: the host keeps a page from which time follows by the TSC, without an exit (Linux: arch/x86/kernel/kvmclock.c, pvclock.c).</summary>
internal static unsafe class KvmClock
{
    /// <summary>Registers the boot CPU's clock and starts the kernel's time at 0.</summary>
    public static void Start(CpuState* cpu, KvmFeatures features)
    {
        uint wallClock = features.HasFlag(KvmFeatures.Clocksource2) ? KvmMsr.WallClockNew : KvmMsr.WallClock;
        KvmPerCpu* shared = KvmPerCpu.Of(cpu);
        uint systemTime = Register(cpu, features);
        PvCpu.WriteMsr(cpu, wallClock, KvmPerCpu.AddressOf(cpu, &shared->WallClock));
        shared->ClockOffset = Read(cpu, &shared->Clock);
        KernelLog.Print(cpu, $"kvm-clock: Using msrs {systemTime:x} and {wallClock:x}");
        if (features.HasFlag(KvmFeatures.ClocksourceStable))
            KernelLog.Print(cpu, $"kvm-clock: using sched offset of {shared->ClockOffset} cycles");
    }

    /// <summary>Registers another CPU's clock; its time is the boot CPU's.</summary>
    public static void StartSecondary(CpuState* cpu, KvmFeatures features)
    {
        Register(cpu, features);
        KvmPerCpu.Of(cpu)->ClockOffset = KvmPerCpu.Of(cpu, 0)->ClockOffset;
    }

    private static uint Register(CpuState* cpu, KvmFeatures features)
    {
        uint msr = features.HasFlag(KvmFeatures.Clocksource2) ? KvmMsr.SystemTimeNew : KvmMsr.SystemTime;
        PvCpu.WriteMsr(cpu, msr, KvmPerCpu.AddressOf(cpu, &KvmPerCpu.Of(cpu)->Clock) | KvmMsr.Enable);
        return msr;
    }

    public static ulong SchedClock(CpuState* cpu)
    {
        KvmPerCpu* shared = KvmPerCpu.Of(cpu);
        return Read(cpu, &shared->Clock) - shared->ClockOffset;
    }

    /// <summary>The time of day when the host's clock was 0, plus what the clock shows.</summary>
    public static ulong GetWallclock(CpuState* cpu)
    {
        PvClockWallClock* wall = &KvmPerCpu.Of(cpu)->WallClock;
        uint version;
        ulong start;
        do
        {
            version = Volatile.Read(ref wall->Version);
            start = (wall->Seconds * 1_000_000_000ul) + wall->Nanoseconds;
        }
        while ((version & 1) != 0 || version != Volatile.Read(ref wall->Version));
        return (start + Read(cpu, &KvmPerCpu.Of(cpu)->Clock)) / 1_000_000_000;
    }

    /// <summary>The TSC's rate follows from the page: no calibration (Linux: pvclock_tsc_khz).</summary>
    public static ulong GetTscKhz(CpuState* cpu)
    {
        PvClockVcpuTimeInfo* clock = &KvmPerCpu.Of(cpu)->Clock;
        ulong khz = (1_000_000ul << 32) / clock->TscToSystemMul;
        return clock->TscShift < 0 ? khz << -clock->TscShift : khz >> clock->TscShift;
    }

    /// <summary>Nanoseconds of a clock page; read again while the host writes it.</summary>
    public static ulong Read(CpuState* cpu, PvClockVcpuTimeInfo* clock)
    {
        uint version;
        ulong nanoseconds;
        do
        {
            version = Volatile.Read(ref clock->Version);
            ulong delta = Instructions.ReadTsc(cpu) - clock->TscTimestamp;
            delta = clock->TscShift >= 0 ? delta << clock->TscShift : delta >> -clock->TscShift;
            nanoseconds = clock->SystemTime + (ulong)(((UInt128)delta * clock->TscToSystemMul) >> 32);
        }
        while ((version & 1) != 0 || version != Volatile.Read(ref clock->Version));
        return nanoseconds;
    }
}
