using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Tables;

namespace PvPatch.Paravirt.Wrappers;

/// <summary>What the kernel calls: one small inlined wrapper a slot of <see cref="TimeOps"/>, like Linux's static inlines in asm/paravirt.h. Each is that op's only call site.</summary>
public static unsafe class PvTime
{
    /// <summary>Monotonic time in nanoseconds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SchedClock(CpuState* cpu) => Pv.Time.SchedClock(cpu);

    /// <summary>Nanoseconds in which a CPU was ready but the hypervisor ran something else (CPU number).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong StealClock(CpuState* cpu, int number) => Pv.Time.StealClock(cpu, number);

    /// <summary>Seconds since 1970, UTC.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong GetWallclock(CpuState* cpu) => Pv.Time.GetWallclock(cpu);

    /// <summary>Rate of the time stamp counter in kHz, 0 when it cannot be found.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong GetTscKhz(CpuState* cpu) => Pv.Time.GetTscKhz(cpu);

    /// <summary>Sets this CPU's clock interrupt up (vector).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TimeInit(CpuState* cpu, uint vector) => Pv.Time.TimeInit(cpu, vector);
}
