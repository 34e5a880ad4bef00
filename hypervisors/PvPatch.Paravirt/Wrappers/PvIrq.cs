using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Tables;

namespace PvPatch.Paravirt.Wrappers;

/// <summary>What the kernel calls: one small inlined wrapper a slot of <see cref="IrqOps"/>, like Linux's static inlines in asm/paravirt.h. Each is that op's only call site.</summary>
public static unsafe class PvIrq
{
    /// <summary>Reads the flags; only the interrupt flag (0x200) has a meaning.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SaveFlags(CpuState* cpu) => Pv.Irq.SaveFlags(cpu);

    /// <summary>Disables interrupts on this CPU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Disable(CpuState* cpu) => Pv.Irq.Disable(cpu);

    /// <summary>Enables interrupts on this CPU; what waits is delivered.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Enable(CpuState* cpu) => Pv.Irq.Enable(cpu);

    /// <summary>Enables interrupts and waits for one, without a gap between the two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SafeHalt(CpuState* cpu) => Pv.Irq.SafeHalt(cpu);

    /// <summary>Waits with interrupts as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Halt(CpuState* cpu) => Pv.Irq.Halt(cpu);

    /// <summary>Ends the interrupt in service.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eoi(CpuState* cpu) => Pv.Irq.Eoi(cpu);

    /// <summary>Sends an interrupt to CPUs (bit mask, vector).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SendIpiMask(CpuState* cpu, ulong cpus, uint vector) => Pv.Irq.SendIpiMask(cpu, cpus, vector);

    /// <summary>Sets the interrupt controllers up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void InitIrq(CpuState* cpu) => Pv.Irq.InitIrq(cpu);
}
