using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Tables;

namespace PvPatch.Paravirt.Wrappers;

/// <summary>What the kernel calls: one small inlined wrapper a slot of <see cref="CpuOps"/>, like Linux's static inlines in asm/paravirt.h. Each is that op's only call site.</summary>
public static unsafe class PvCpu
{
    /// <summary>Pauses shortly after a legacy port access.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void IoDelay(CpuState* cpu) => Pv.Cpu.IoDelay(cpu);

    /// <summary>Reads a debug register (number).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong GetDebugreg(CpuState* cpu, int number) => Pv.Cpu.GetDebugreg(cpu, number);

    /// <summary>Writes a debug register (number, value).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetDebugreg(CpuState* cpu, int number, ulong value) => Pv.Cpu.SetDebugreg(cpu, number, value);

    /// <summary>Reads CR0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadCr0(CpuState* cpu) => Pv.Cpu.ReadCr0(cpu);

    /// <summary>Writes CR0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteCr0(CpuState* cpu, ulong value) => Pv.Cpu.WriteCr0(cpu, value);

    /// <summary>Writes CR4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteCr4(CpuState* cpu, ulong value) => Pv.Cpu.WriteCr4(cpu, value);

    /// <summary>Loads the task register with this CPU's TSS.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadTrDesc(CpuState* cpu) => Pv.Cpu.LoadTrDesc(cpu);

    /// <summary>Loads GDTR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadGdt(CpuState* cpu, DescriptorTable* table) => Pv.Cpu.LoadGdt(cpu, table);

    /// <summary>Loads IDTR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadIdt(CpuState* cpu, DescriptorTable* table) => Pv.Cpu.LoadIdt(cpu, table);

    /// <summary>Switches the LDT (linear address, number of entries; none with 0).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetLdt(CpuState* cpu, ulong address, uint entries) => Pv.Cpu.SetLdt(cpu, address, entries);

    /// <summary>Copies a task's three TLS descriptors into the GDT.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadTls(CpuState* cpu, ulong* descriptors) => Pv.Cpu.LoadTls(cpu, descriptors);

    /// <summary>Writes a descriptor of 8 or 16 bytes (table, index, descriptor, bytes).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteGdtEntry(CpuState* cpu, ulong* table, int index, ulong* descriptor, int size) => Pv.Cpu.WriteGdtEntry(cpu, table, index, descriptor, size);

    /// <summary>Writes a gate (table, vector, gate).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteIdtEntry(CpuState* cpu, GateDescriptor* table, int vector, GateDescriptor* gate) => Pv.Cpu.WriteIdtEntry(cpu, table, vector, gate);

    /// <summary>Sets the kernel stack that a change of ring switches to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadSp0(CpuState* cpu, ulong stack) => Pv.Cpu.LoadSp0(cpu, stack);

    /// <summary>Writes back and invalidates the caches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wbinvd(CpuState* cpu) => Pv.Cpu.Wbinvd(cpu);

    /// <summary>Executes CPUID (leaf, subleaf, result).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters* result) => Pv.Cpu.Cpuid(cpu, leaf, subleaf, result);

    /// <summary>Reads an MSR; one that is not there is reported and reads as 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadMsr(CpuState* cpu, uint msr) => Pv.Cpu.ReadMsr(cpu, msr);

    /// <summary>Writes an MSR; a fault is reported.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteMsr(CpuState* cpu, uint msr, ulong value) => Pv.Cpu.WriteMsr(cpu, msr, value);

    /// <summary>Reads an MSR; the error is 0 or -5 (EIO).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadMsrSafe(CpuState* cpu, uint msr, int* error) => Pv.Cpu.ReadMsrSafe(cpu, msr, error);

    /// <summary>Writes an MSR; returns 0 or -5 (EIO).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteMsrSafe(CpuState* cpu, uint msr, ulong value) => Pv.Cpu.WriteMsrSafe(cpu, msr, value);

    /// <summary>Begins a context switch: a hypervisor may batch what follows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StartContextSwitch(CpuState* cpu) => Pv.Cpu.StartContextSwitch(cpu);

    /// <summary>Ends a context switch: what was batched is done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EndContextSwitch(CpuState* cpu) => Pv.Cpu.EndContextSwitch(cpu);
}
