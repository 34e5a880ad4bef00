using System.Globalization;
using System.Text;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Log;

/// <summary>
/// The kernel log: each line with the time since boot, kept in a ring in guest memory (what dmesg shows) and sent to the
/// serial console.
/// </summary>
public static unsafe class KernelLog
{
    private const ushort Uart = 0x3f8;          // 16550, COM1
    private const byte UartThrEmpty = 1 << 5;   // line status: the transmitter takes a byte

    private struct Header
    {
        public ulong Written;                   // bytes ever written; the ring keeps the last ones
        public uint ClockRuns;
    }

    private static readonly ulong Capacity = MemoryLayout.LogSize - (ulong)sizeof(Header);

    /// <summary>Starts the log: sets the UART up (115200 baud, 8N1, FIFO on) and forgets what was there.</summary>
    public static void Init(CpuState* cpu)
    {
        *HeaderOf(cpu) = default;
        Instructions.Out8(cpu, Uart + 3, 0x80); // divisor latch
        Instructions.Out8(cpu, Uart + 0, 1);
        Instructions.Out8(cpu, Uart + 1, 0);
        Instructions.Out8(cpu, Uart + 3, 0x03); // 8 bits, no parity, 1 stop bit
        Instructions.Out8(cpu, Uart + 2, 0x07); // FIFO on and cleared
    }

    /// <summary>From now on lines carry <c>sched_clock</c>'s time; before, it has no op to ask and they carry 0.</summary>
    public static void StartClock(CpuState* cpu) => HeaderOf(cpu)->ClockRuns = 1;

    /// <summary>Writes one line.</summary>
    /// <param name="cpu">The CPU that speaks.</param>
    /// <param name="message">Text without a line end.</param>
    public static void Print(CpuState* cpu, string message)
    {
        ulong nanoseconds = HeaderOf(cpu)->ClockRuns == 0 ? 0 : PvTime.SchedClock(cpu);
        string line = string.Create(CultureInfo.InvariantCulture, $"[{nanoseconds / 1_000_000_000,5}.{nanoseconds / 1000 % 1_000_000:D6}] {message}\n");
        foreach (byte b in Encoding.UTF8.GetBytes(line))
        {
            Append(cpu, b);
            while ((Instructions.In8(cpu, Uart + 5) & UartThrEmpty) == 0)
                Instructions.Pause(cpu);
            Instructions.Out8(cpu, Uart, b);
        }
    }

    /// <summary>The lines that the ring still holds, oldest first.</summary>
    public static IReadOnlyList<string> Read(CpuState* cpu)
    {
        ulong written = HeaderOf(cpu)->Written;
        ulong first = written > Capacity ? written - Capacity : 0;
        byte[] text = new byte[written - first];
        for (ulong i = first; i < written; i++)
            text[i - first] = Ring(cpu)[i % Capacity];
        string[] lines = Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return first == 0 ? lines : lines[1..];   // the oldest line lost its beginning
    }

    private static void Append(CpuState* cpu, byte b)
    {
        Header* header = HeaderOf(cpu);
        Ring(cpu)[header->Written % Capacity] = b;
        header->Written++;
    }

    private static Header* HeaderOf(CpuState* cpu) => MemoryLayout.At<Header>(cpu, MemoryLayout.Log);

    private static byte* Ring(CpuState* cpu) => (byte*)(HeaderOf(cpu) + 1);
}
