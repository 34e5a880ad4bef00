using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Native;

/// <summary>Time ops as the bare hardware does them: the TSC, the CMOS clock, the PIT to find the TSC's rate, the local APIC's timer.</summary>
internal static unsafe class NativeTime
{
    private const ulong LvtTscDeadline = 2ul << 17;

    /// <summary>TSC cycles since start times nanoseconds per cycle; 0 until the rate is known.</summary>
    public static ulong SchedClock(CpuState* cpu)
    {
        PerCpu* self = PerCpu.Of(cpu);
        UInt128 product = (UInt128)(Instructions.ReadTsc(cpu) - self->TscStart) * self->TscToNanoseconds;
        return (ulong)(product >> 32);
    }

    /// <summary>Reads the MC146818's date, twice until it did not change in between (Linux: mc146818_get_time).</summary>
    public static ulong GetWallclock(CpuState* cpu)
    {
        (int Second, int Minute, int Hour, int Day, int Month, int Year) first, second = ReadDate(cpu);
        do
        {
            first = second;
            second = ReadDate(cpu);
        }
        while (first != second);
        return (ulong)new DateTimeOffset(2000 + first.Year, first.Month, first.Day, first.Hour, first.Minute, first.Second, TimeSpan.Zero).ToUnixTimeSeconds();
    }

    /// <summary>The surest of three measurements: whatever else the host does may come in between.</summary>
    public static ulong GetTscKhz(CpuState* cpu)
    {
        (ulong Khz, ulong Doubt) best = MeasureTscKhz(cpu);
        for (int i = 1; i < 3; i++)
        {
            (ulong Khz, ulong Doubt) next = MeasureTscKhz(cpu);
            if (next.Doubt < best.Doubt)
                best = next;
        }

        return best.Khz;
    }

    public static void TimeInit(CpuState* cpu, uint vector) => PvCpu.WriteMsr(cpu, Msr.X2ApicLvtTimer, LvtTscDeadline | vector);

    /// <summary>
    /// Counts TSC cycles while channel 2 of the PIT counts 10 ms down (Linux: pit_calibrate_tsc). The count starts somewhere
    /// in its programming and ends somewhere between two looks; the doubt is how long both took.
    /// </summary>
    private static (ulong Khz, ulong Doubt) MeasureTscKhz(CpuState* cpu)
    {
        const int PitHz = 1_193_182;
        const int Milliseconds = 10;
        const int Latch = PitHz * Milliseconds / 1000;
        const int MostLoops = 50_000_000;               // a PIT that never counts down must not hang the boot

        Instructions.Out8(cpu, 0x61, (byte)((Instructions.In8(cpu, 0x61) & ~0x02) | 0x01));     // speaker off, gate on
        Instructions.Out8(cpu, 0x43, 0xb0);                                                     // channel 2, low and high byte, mode 0
        Instructions.Out8(cpu, 0x42, Latch & 0xff);
        ulong before = Instructions.ReadTsc(cpu);
        Instructions.Out8(cpu, 0x42, Latch >> 8);                                               // and it counts
        ulong started = Instructions.ReadTsc(cpu);
        ulong look = started, previous = started;
        for (int loops = 0; (Instructions.In8(cpu, 0x61) & 0x20) == 0; loops++)
        {
            if (loops == MostLoops)
                return (0, ulong.MaxValue);
            previous = look;
            look = Instructions.ReadTsc(cpu);
        }

        ulong end = Instructions.ReadTsc(cpu);
        ulong shortest = previous - started, longest = end - before;
        return ((shortest + longest) / 2 / Milliseconds, longest - shortest);
    }

    private static (int Second, int Minute, int Hour, int Day, int Month, int Year) ReadDate(CpuState* cpu)
    {
        while ((Cmos(cpu, 0x0a) & 0x80) != 0)           // update in progress
            Instructions.Pause(cpu);
        byte status = Cmos(cpu, 0x0b);
        bool binary = (status & 0x04) != 0;
        bool hours24 = (status & 0x02) != 0;
        byte rawHour = Cmos(cpu, 4);
        int hour = Number((byte)(rawHour & 0x7f), binary);
        if (!hours24)
            hour = (hour % 12) + ((rawHour & 0x80) != 0 ? 12 : 0);
        return (Number(Cmos(cpu, 0), binary), Number(Cmos(cpu, 2), binary), hour, Number(Cmos(cpu, 7), binary), Number(Cmos(cpu, 8), binary), Number(Cmos(cpu, 9), binary));
    }

    private static int Number(byte value, bool binary) => binary ? value : ((value >> 4) * 10) + (value & 0x0f);

    private static byte Cmos(CpuState* cpu, byte register)
    {
        Instructions.Out8(cpu, 0x70, register);
        PvCpu.IoDelay(cpu);
        byte value = Instructions.In8(cpu, 0x71);
        PvCpu.IoDelay(cpu);
        return value;
    }
}
