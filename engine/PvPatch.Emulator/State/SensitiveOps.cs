using PvPatch.Engine.Ops;
using static PvPatch.Engine.Ops.PvOpClass;

namespace PvPatch.Emulator.State;

/// <summary>
/// The sensitive instructions: those that reach beyond the CPU's own registers, so that hardware or a hypervisor answers
/// them. A table of the same kind as the pv_ops, one per machine, filled by the machine and its platform; the names are Linux's
/// where it has the op. The interpreter calls through the slots, a translated region as <see cref="PatchedCall"/> says.
/// An instruction that can fault returns the exception's vector, 0 when it did not fault.
/// <para>
/// Ops of interrupts, flags and readings of control registers are about the CPU's own state: what they are called with has neither
/// general registers nor status flags in place, and they change nothing but RFLAGS and <see cref="CpuState.Interruptibility"/>.
/// All others see the exact state.
/// </para>
/// </summary>
public unsafe struct SensitiveOps
{
    /// <summary>PUSHF: RFLAGS as it is pushed.</summary>
    [PvOp("irq.save_fl", PatchedCall, "PUSHF: RFLAGS as it is pushed; status flags are in place.")]
    public delegate* unmanaged<CpuState*, ulong> SaveFlags;

    /// <summary>POPF: the value that was popped; privilege says what of it counts.</summary>
    [PvOp("irq.restore_fl", PatchedCall, "POPF: takes what the privilege level may change of a value into RFLAGS.")]
    public delegate* unmanaged<CpuState*, ulong, void> RestoreFlags;

    /// <summary>CLI that is allowed.</summary>
    [PvOp("irq.irq_disable", PatchedCall, "CLI: clears IF.")]
    public delegate* unmanaged<CpuState*, void> IrqDisable;

    /// <summary>STI that is allowed: if IF was clear, it is set, and <see cref="Interruptibility.BlockedBySti"/> with it.</summary>
    [PvOp("irq.irq_enable", PatchedCall, "STI: sets IF, and the shadow of one instruction if it was clear.")]
    public delegate* unmanaged<CpuState*, void> IrqEnable;

    /// <summary>MOV from CR0.</summary>
    [PvOp("cpu.read_cr0", PatchedCall, "MOV from CR0.")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr0;

    /// <summary>MOV from CR2.</summary>
    [PvOp("mmu.read_cr2", PatchedCall, "MOV from CR2.")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr2;

    /// <summary>MOV from CR3.</summary>
    [PvOp("mmu.read_cr3", PatchedCall, "MOV from CR3.")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr3;

    /// <summary>MOV from CR4.</summary>
    [PvOp("cpu.read_cr4", PatchedCall, "MOV from CR4.")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr4;

    /// <summary>MOV from CR8.</summary>
    [PvOp("cpu.read_cr8", PatchedCall, "MOV from CR8.")]
    public delegate* unmanaged<CpuState*, ulong> ReadCr8;

    /// <summary>MOV to CR0, with the rules for the TLB (SDM vol. 3, 4.10.4), as for the next ones.</summary>
    [PvOp("cpu.write_cr0", PatchedCall, "MOV to CR0.")]
    public delegate* unmanaged<CpuState*, ulong, uint> WriteCr0;

    /// <summary>MOV to CR2.</summary>
    [PvOp("mmu.write_cr2", PatchedCall, "MOV to CR2.")]
    public delegate* unmanaged<CpuState*, ulong, uint> WriteCr2;

    /// <summary>MOV to CR3.</summary>
    [PvOp("mmu.write_cr3", PatchedCall, "MOV to CR3.")]
    public delegate* unmanaged<CpuState*, ulong, uint> WriteCr3;

    /// <summary>MOV to CR4.</summary>
    [PvOp("cpu.write_cr4", PatchedCall, "MOV to CR4.")]
    public delegate* unmanaged<CpuState*, ulong, uint> WriteCr4;

    /// <summary>MOV to CR8: the task priority.</summary>
    [PvOp("cpu.write_cr8", PatchedCall, "MOV to CR8.")]
    public delegate* unmanaged<CpuState*, ulong, uint> WriteCr8;

    /// <summary>LGDT: limit and base.</summary>
    [PvOp("cpu.load_gdt", PatchedCall, "LGDT.")]
    public delegate* unmanaged<CpuState*, ushort, ulong, void> LoadGdt;

    /// <summary>LIDT: limit and base.</summary>
    [PvOp("cpu.load_idt", PatchedCall, "LIDT.")]
    public delegate* unmanaged<CpuState*, ushort, ulong, void> LoadIdt;

    /// <summary>CPUID: leaf (EAX), subleaf (ECX), where the four registers go.</summary>
    [PvOp("cpu.cpuid", PatchedCall, "CPUID.")]
    public delegate* unmanaged<CpuState*, uint, uint, CpuidRegisters*, void> Cpuid;

    /// <summary>RDMSR: MSR number, where the value goes. Returns 13 (#GP) for an MSR that is not there.</summary>
    [PvOp("cpu.read_msr", PatchedCall, "RDMSR.")]
    public delegate* unmanaged<CpuState*, uint, ulong*, uint> Rdmsr;

    /// <summary>WRMSR: MSR number, value. Returns 13 (#GP) for an MSR that is not there or bits that must be zero.</summary>
    [PvOp("cpu.write_msr", PatchedCall, "WRMSR.")]
    public delegate* unmanaged<CpuState*, uint, ulong, uint> Wrmsr;

    /// <summary>IN: port, size in bytes (1, 2 or 4). A port without a device reads as all ones.</summary>
    [PvOp("io.in", PatchedCall, "IN.")]
    public delegate* unmanaged<CpuState*, ushort, uint, uint> In;

    /// <summary>OUT: port, size in bytes (1, 2 or 4), value.</summary>
    [PvOp("io.out", PatchedCall, "OUT.")]
    public delegate* unmanaged<CpuState*, ushort, uint, uint, void> Out;

    /// <summary>RDTSC: the time stamp counter, in TSC cycles.</summary>
    [PvOp("cpu.read_tsc", PatchedCall, "RDTSC.")]
    public delegate* unmanaged<CpuState*, ulong> Rdtsc;

    /// <summary>RDRAND and RDSEED: 64 random bits.</summary>
    [PvOp("cpu.random", PatchedCall, "RDRAND and RDSEED.")]
    public delegate* unmanaged<CpuState*, ulong> Random;

    /// <summary>PAUSE: a spin loop's hint; a machine with more CPUs than host threads lets another one run.</summary>
    [PvOp("cpu.relax", PatchedCall, "PAUSE.")]
    public delegate* unmanaged<CpuState*, void> Pause;

    /// <summary>WBINVD: writes caches back and invalidates them.</summary>
    [PvOp("cpu.wbinvd", PatchedCall, "WBINVD, WBNOINVD and INVD.")]
    public delegate* unmanaged<CpuState*, void> Wbinvd;

    /// <summary>INVLPG: drops the translations of one linear address.</summary>
    [PvOp("mmu.flush_tlb_one_user", PatchedCall, "INVLPG.")]
    public delegate* unmanaged<CpuState*, ulong, void> Invlpg;

    /// <summary>VMCALL or VMMCALL: arguments and result in the general registers, as the hypervisor's ABI says. Returns 6 (#UD) without a hypervisor.</summary>
    [PvOp("cpu.hypercall", PatchedCall, "VMCALL and VMMCALL.")]
    public delegate* unmanaged<CpuState*, uint> Vmcall;

    /// <summary>
    /// HLT of a C# guest: returns once an interrupt was delivered or another CPU kicked this one. With IF clear only a kick or an NMI
    /// wakes it. STI; HLT is: set IF, then call this, which looks for what waits before it sleeps. If nothing in the machine
    /// can wake it, the machine exits. On a CPU that runs in slices it returns at once, and its next slice comes once
    /// something woke it.
    /// </summary>
    [PvOp("irq.halt", SimpleIndirectCall, "HLT of a C# guest.")]
    public delegate* unmanaged<CpuState*, void> Hlt;

    /// <summary>An interrupt window opened in a C# guest: IF became set while <see cref="CpuState.EventPending"/> was not zero. Delivers what waits.</summary>
    [PvOp("irq.window", SimpleIndirectCall, "An interrupt window opened in a C# guest.")]
    public delegate* unmanaged<CpuState*, void> InterruptWindow;

    /// <summary>Raises an exception of a C# guest through the IDT: vector, error code (0 for vectors without one).</summary>
    [PvOp("irq.raise", SimpleIndirectCall, "An exception of a C# guest.")]
    public delegate* unmanaged<CpuState*, uint, uint, void> RaiseException;

    /// <summary>MOV to CR0, CR2, CR3, CR4 or CR8, through its slot.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="number">The register's number.</param>
    /// <param name="value">What is written.</param>
    /// <returns>The exception's vector, 0 when it was written.</returns>
    public readonly uint MovToCr(CpuState* cpu, uint number, ulong value) => number switch
    {
        0 => WriteCr0(cpu, value),
        2 => WriteCr2(cpu, value),
        3 => WriteCr3(cpu, value),
        4 => WriteCr4(cpu, value),
        8 => WriteCr8(cpu, value),
        _ => Vectors.InvalidOpcode,
    };

    /// <summary>MOV from CR0, CR2, CR3, CR4 or CR8, through its slot.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="number">The register's number, one of these.</param>
    public readonly ulong MovFromCr(CpuState* cpu, uint number) => number switch
    {
        0 => ReadCr0(cpu),
        2 => ReadCr2(cpu),
        3 => ReadCr3(cpu),
        4 => ReadCr4(cpu),
        _ => ReadCr8(cpu),
    };
}
