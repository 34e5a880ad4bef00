using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using static PvPatch.Engine.Ops.PvOpClass;

namespace PvPatch.Paravirt.Tables;

/// <summary>Interrupt ops (<c>pv_ops.irq</c>) and the two APIC operations that hypervisors replace (<c>struct apic</c>).</summary>
public unsafe struct IrqOps
{
    [PvOp("irq.save_fl", PatchedCall | AssemblyMacro, "Reads the flags; only the interrupt flag (0x200) has a meaning")]
    public delegate* unmanaged<CpuState*, ulong> SaveFlags;

    [PvOp("irq.irq_disable", PatchedCall | AssemblyMacro, "Disables interrupts on this CPU")]
    public delegate* unmanaged<CpuState*, void> Disable;

    [PvOp("irq.irq_enable", PatchedCall | AssemblyMacro, "Enables interrupts on this CPU; what waits is delivered")]
    public delegate* unmanaged<CpuState*, void> Enable;

    [PvOp("irq.safe_halt", PatchedCall, "Enables interrupts and waits for one, without a gap between the two")]
    public delegate* unmanaged<CpuState*, void> SafeHalt;

    [PvOp("irq.halt", PatchedCall, "Waits with interrupts as they are")]
    public delegate* unmanaged<CpuState*, void> Halt;

    [PvOp("apic.eoi", PatchedCall, "Ends the interrupt in service")]
    public delegate* unmanaged<CpuState*, void> Eoi;

    [PvOp("apic.send_IPI_mask", PatchedCall, "Sends an interrupt to CPUs (bit mask, vector)")]
    public delegate* unmanaged<CpuState*, ulong, uint, void> SendIpiMask;

    [PvOp("irq.init_IRQ", SimpleIndirectCall, "Sets the interrupt controllers up")]
    public delegate* unmanaged<CpuState*, void> InitIrq;
}
