using System.Runtime.InteropServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;

namespace PvPatch.Paravirt.Kvm;

/// <summary>What one CPU shares with KVM: the hypervisor's part of its <see cref="PerCpu"/> page.</summary>
[StructLayout(LayoutKind.Explicit, Size = PerCpu.HypervisorSize)]
internal unsafe struct KvmPerCpu
{
    /// <summary>The clock, MSR 0x4b564d01.</summary>
    [FieldOffset(0)]
    public PvClockVcpuTimeInfo Clock;

    /// <summary>Steal time, MSR 0x4b564d03.</summary>
    [FieldOffset(64)]
    public KvmStealTime StealTime;

    /// <summary>End-of-interrupt word, MSR 0x4b564d04.</summary>
    [FieldOffset(128)]
    public uint Eoi;

    /// <summary>The time of day, MSR 0x4b564d00.</summary>
    [FieldOffset(192)]
    public PvClockWallClock WallClock;

    /// <summary>What the clock showed when the kernel started to use it: the kernel's time begins at 0.</summary>
    [FieldOffset(256)]
    public ulong ClockOffset;

    /// <summary>What the host offers; kept on CPU 0's page for all.</summary>
    [FieldOffset(264)]
    public KvmFeatures Features;

    /// <summary>What the host tells about itself; kept on CPU 0's page for all.</summary>
    [FieldOffset(268)]
    public KvmHints Hints;

    public static KvmPerCpu* Of(CpuState* cpu) => (KvmPerCpu*)PerCpu.Of(cpu)->Hypervisor;

    public static KvmPerCpu* Of(CpuState* cpu, int number) => (KvmPerCpu*)PerCpu.Of(cpu, number)->Hypervisor;

    /// <summary>Guest physical address of a field of the CPU that executes, for an MSR.</summary>
    public static ulong AddressOf(CpuState* cpu, void* field) => MemoryLayout.Physical(cpu, field);
}
