using System.Runtime.InteropServices;
using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Interrupts;
using PvPatch.GuestOs.Memory;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Log;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Time;

/// <summary>The clock tick: the local APIC's timer in TSC-deadline mode, 100 times a second.</summary>
public static unsafe class KernelClock
{
    /// <summary>Ticks a second (Linux: CONFIG_HZ).</summary>
    public const uint Hz = 100;

    [StructLayout(LayoutKind.Sequential)]
    private struct State
    {
        public ulong Jiffies;
        public ulong CyclesPerTick;
        public ulong NextDeadline;
        public ulong BootSeconds;       // wall clock at boot, seconds since 1970
    }

    /// <summary>Finds the TSC's rate, from which <c>sched_clock</c> follows on bare hardware.</summary>
    public static void CalibrateTsc(CpuState* cpu)
    {
        PerCpu* self = PerCpu.Of(cpu);
        self->TscKhz = PvTime.GetTscKhz(cpu);
        if (self->TscKhz == 0)
            Locks.Panic.Stop(cpu, "Unable to calibrate the TSC");
        self->TscStart = Instructions.ReadTsc(cpu);
        self->TscToNanoseconds = (1_000_000ul << 32) / self->TscKhz;
        KernelLog.Print(cpu, $"tsc: Detected {self->TscKhz / 1000}.{self->TscKhz % 1000:D3} MHz processor");
    }

    /// <summary>Starts the tick.</summary>
    public static void Init(CpuState* cpu)
    {
        State* state = StateOf(cpu);
        *state = default;
        state->BootSeconds = PvTime.GetWallclock(cpu);
        state->CyclesPerTick = PerCpu.Of(cpu)->TscKhz * 1000 / Hz;
        SetHandler(cpu);
        PvTime.TimeInit(cpu, IrqVectors.LocalTimer);
        state->NextDeadline = Instructions.ReadTsc(cpu) + state->CyclesPerTick;
        PvCpu.WriteMsr(cpu, Msr.TscDeadline, state->NextDeadline);
    }

    /// <summary>Points the vector at this image's handler.</summary>
    public static void SetHandler(CpuState* cpu) => InterruptTable.Set(cpu, IrqVectors.LocalTimer, &Tick);

    /// <summary>Stops the tick.</summary>
    public static void Stop(CpuState* cpu) => PvCpu.WriteMsr(cpu, Msr.TscDeadline, 0);

    /// <summary>Ticks since boot.</summary>
    public static ulong Jiffies(CpuState* cpu) => Volatile.Read(ref StateOf(cpu)->Jiffies);

    /// <summary>The wall clock at boot, in seconds since 1970, UTC.</summary>
    public static ulong BootSeconds(CpuState* cpu) => StateOf(cpu)->BootSeconds;

    private static void Tick(CpuState* cpu, InterruptFrame* frame)
    {
        InterruptTable.EnterAndEnd(cpu);
        State* state = StateOf(cpu);
        state->Jiffies++;
        ulong now = Instructions.ReadTsc(cpu);
        do
            state->NextDeadline += state->CyclesPerTick;    // ticks that were missed are not made up for
        while (state->NextDeadline <= now);
        PvCpu.WriteMsr(cpu, Msr.TscDeadline, state->NextDeadline);
        AddressSpace.EndGracePeriod(cpu);                   // a tick in the kernel of one CPU: nobody is in a table walk
        InterruptTable.LeaveEnded(cpu);
    }

    private static State* StateOf(CpuState* cpu) => MemoryLayout.At<State>(cpu, MemoryLayout.ClockState);
}
