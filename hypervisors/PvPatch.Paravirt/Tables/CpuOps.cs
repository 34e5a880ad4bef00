using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Layout;
using static PvPatch.Engine.Ops.PvOpClass;

namespace PvPatch.Paravirt.Tables;

/// <summary>
/// CPU ops (<c>pv_ops.cpu</c>, arch/x86/include/asm/paravirt_types.h). The sentence of each attribute is the slot's
/// documentation. Linear addresses and physical addresses are in bytes; MSR numbers are those of the Intel SDM, vol. 4.
/// </summary>
public unsafe struct CpuOps
{
    [PvOp("cpu.io_delay", PatchedCall, "Pauses shortly after a legacy port access")]
    public delegate* unmanaged<CpuState*, void> IoDelay;

    [PvOp("cpu.get_debugreg", PatchedCall, "Reads a debug register (number)")]
    public delegate* unmanaged<CpuState*, int, ulong> GetDebugreg;

    [PvOp("cpu.set_debugreg", PatchedCall, "Writes a debug register (number, value)")]
    public delegate* unmanaged<CpuState*, int, ulong, void> SetDebugreg;

    [PvOp("cpu.read_cr0", PatchedCall, "Reads CR0")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr0;

    [PvOp("cpu.write_cr0", PatchedCall, "Writes CR0")]
    public delegate* unmanaged<CpuState*, ulong, void> WriteCr0;

    [PvOp("cpu.write_cr4", PatchedCall, "Writes CR4")]
    public delegate* unmanaged<CpuState*, ulong, void> WriteCr4;

    [PvOp("cpu.load_tr_desc", PatchedCall, "Loads the task register with this CPU's TSS")]
    public delegate* unmanaged<CpuState*, void> LoadTrDesc;

    [PvOp("cpu.load_gdt", PatchedCall, "Loads GDTR")]
    public delegate* unmanaged<CpuState*, DescriptorTable*, void> LoadGdt;

    [PvOp("cpu.load_idt", PatchedCall, "Loads IDTR")]
    public delegate* unmanaged<CpuState*, DescriptorTable*, void> LoadIdt;

    [PvOp("cpu.set_ldt", PatchedCall, "Switches the LDT (linear address, number of entries; none with 0)")]
    public delegate* unmanaged<CpuState*, ulong, uint, void> SetLdt;

    [PvOp("cpu.load_tls", PatchedCall, "Copies a task's three TLS descriptors into the GDT")]
    public delegate* unmanaged<CpuState*, ulong*, void> LoadTls;

    [PvOp("cpu.write_gdt_entry", PatchedCall, "Writes a descriptor of 8 or 16 bytes (table, index, descriptor, bytes)")]
    public delegate* unmanaged<CpuState*, ulong*, int, ulong*, int, void> WriteGdtEntry;

    [PvOp("cpu.write_idt_entry", PatchedCall, "Writes a gate (table, vector, gate)")]
    public delegate* unmanaged<CpuState*, GateDescriptor*, int, GateDescriptor*, void> WriteIdtEntry;

    [PvOp("cpu.load_sp0", PatchedCall, "Sets the kernel stack that a change of ring switches to")]
    public delegate* unmanaged<CpuState*, ulong, void> LoadSp0;

    [PvOp("cpu.wbinvd", PatchedCall, "Writes back and invalidates the caches")]
    public delegate* unmanaged<CpuState*, void> Wbinvd;

    [PvOp("cpu.cpuid", PatchedCall, "Executes CPUID (leaf, subleaf, result)")]
    public delegate* unmanaged<CpuState*, uint, uint, CpuidRegisters*, void> Cpuid;

    [PvOp("cpu.read_msr", PatchedCall, "Reads an MSR; one that is not there is reported and reads as 0")]
    public delegate* unmanaged<CpuState*, uint, ulong> ReadMsr;

    [PvOp("cpu.write_msr", PatchedCall, "Writes an MSR; a fault is reported")]
    public delegate* unmanaged<CpuState*, uint, ulong, void> WriteMsr;

    [PvOp("cpu.read_msr_safe", PatchedCall, "Reads an MSR; the error is 0 or -5 (EIO)")]
    public delegate* unmanaged<CpuState*, uint, int*, ulong> ReadMsrSafe;

    [PvOp("cpu.write_msr_safe", PatchedCall, "Writes an MSR; returns 0 or -5 (EIO)")]
    public delegate* unmanaged<CpuState*, uint, ulong, int> WriteMsrSafe;

    [PvOp("cpu.start_context_switch", PatchedCall, "Begins a context switch: a hypervisor may batch what follows")]
    public delegate* unmanaged<CpuState*, void> StartContextSwitch;

    [PvOp("cpu.end_context_switch", PatchedCall, "Ends a context switch: what was batched is done")]
    public delegate* unmanaged<CpuState*, void> EndContextSwitch;
}
