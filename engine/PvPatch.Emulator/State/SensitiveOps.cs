namespace PvPatch.Emulator.State;

/// <summary>
/// The sensitive instructions: those that reach beyond the CPU's own registers, so that hardware or a hypervisor answers
/// them. A table of the same kind as the pv_ops, one per machine, filled by the machine.
/// An instruction that can fault returns the exception's vector, 0 when it did not fault.
/// </summary>
public unsafe struct SensitiveOps
{
    /// <summary>CPUID: leaf (EAX), subleaf (ECX), where the four registers go.</summary>
    public delegate* unmanaged<CpuState*, uint, uint, CpuidRegisters*, void> Cpuid;

    /// <summary>RDMSR: MSR number, where the value goes. Returns 13 (#GP) for an MSR that is not there.</summary>
    public delegate* unmanaged<CpuState*, uint, ulong*, uint> Rdmsr;

    /// <summary>WRMSR: MSR number, value. Returns 13 (#GP) for an MSR that is not there or bits that must be zero.</summary>
    public delegate* unmanaged<CpuState*, uint, ulong, uint> Wrmsr;

    /// <summary>IN: port, size in bytes (1, 2 or 4). A port without a device reads as all ones.</summary>
    public delegate* unmanaged<CpuState*, ushort, uint, uint> In;

    /// <summary>OUT: port, size in bytes (1, 2 or 4), value.</summary>
    public delegate* unmanaged<CpuState*, ushort, uint, uint, void> Out;

    /// <summary>RDTSC: the time stamp counter, in TSC cycles.</summary>
    public delegate* unmanaged<CpuState*, ulong> Rdtsc;

    /// <summary>RDRAND and RDSEED: 64 random bits.</summary>
    public delegate* unmanaged<CpuState*, ulong> Random;

    /// <summary>
    /// HLT: returns once an interrupt was delivered or another CPU kicked this one. With IF clear only a kick or an NMI
    /// wakes it. STI; HLT is: set IF, then call this, which looks for what waits before it sleeps. If nothing in the machine
    /// can wake it, the machine exits. On a CPU that runs in slices it returns at once, and its next slice comes once
    /// something woke it.
    /// </summary>
    public delegate* unmanaged<CpuState*, void> Hlt;

    /// <summary>PAUSE: a spin loop's hint; a machine with more CPUs than host threads lets another one run.</summary>
    public delegate* unmanaged<CpuState*, void> Pause;

    /// <summary>WBINVD: writes caches back and invalidates them.</summary>
    public delegate* unmanaged<CpuState*, void> Wbinvd;

    /// <summary>INVLPG: drops the translations of one linear address.</summary>
    public delegate* unmanaged<CpuState*, ulong, void> Invlpg;

    /// <summary>MOV to CR0, CR3 or CR4: register number and value, with the rules for the TLB (SDM vol. 3, 4.10.4).</summary>
    public delegate* unmanaged<CpuState*, uint, ulong, uint> MovToCr;

    /// <summary>VMCALL or VMMCALL: arguments and result in the general registers, as the hypervisor's ABI says. Returns 6 (#UD) without a hypervisor.</summary>
    public delegate* unmanaged<CpuState*, uint> Vmcall;

    /// <summary>An interrupt window opened: IF became set while <see cref="CpuState.EventPending"/> was not zero. Delivers what waits.</summary>
    public delegate* unmanaged<CpuState*, void> InterruptWindow;

    /// <summary>Raises an exception through the IDT: vector, error code (0 for vectors without one).</summary>
    public delegate* unmanaged<CpuState*, uint, uint, void> RaiseException;
}
