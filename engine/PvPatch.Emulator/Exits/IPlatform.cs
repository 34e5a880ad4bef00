using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Exits;

/// <summary>
/// What stands under a guest: bare hardware or a hypervisor. It sees each sensitive instruction before the processor's own
/// answer and may give another. All calls but <see cref="Attach"/> come on the thread that runs the vCPUs.
/// </summary>
public unsafe interface IPlatform
{
    /// <summary>Its name as Linux prints it: "bare hardware", "KVM".</summary>
    string Name { get; }

    /// <summary>Tells the platform its machine, once, before a vCPU runs.</summary>
    void Attach(IMachineControl machine);

    /// <summary>
    /// Fills the table of sensitive ops: it holds the machine's own, which ask this platform by the methods below. A platform that
    /// has nothing to say to one, or another answer, installs its own target; then it is not asked.
    /// </summary>
    /// <param name="ops">Targets by the names of <see cref="SensitiveOps"/>.</param>
    void Fill(IDictionary<string, PvTarget> ops)
    {
    }

    /// <summary>CPUID.</summary>
    /// <param name="cpu">The vCPU.</param>
    /// <param name="leaf">EAX.</param>
    /// <param name="subleaf">ECX.</param>
    /// <param name="native">What the processor itself says.</param>
    CpuidRegisters Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters native);

    /// <summary>RDMSR.</summary>
    MsrAnswer ReadMsr(CpuState* cpu, uint msr, out ulong value);

    /// <summary>WRMSR.</summary>
    MsrAnswer WriteMsr(CpuState* cpu, uint msr, ulong value);

    /// <summary>VMCALL or VMMCALL, arguments and result in the general registers. False: there is no hypervisor, #UD.</summary>
    bool Hypercall(CpuState* cpu);

    /// <summary>IN from a port; the registers are in the state too, for hypervisors whose calls are port accesses.</summary>
    /// <returns>False: it is none of the platform's, the devices answer.</returns>
    bool In(CpuState* cpu, ushort port, uint size, out uint value);

    /// <summary>A vCPU is about to run guest code.</summary>
    void Enter(CpuState* cpu);

    /// <summary>A vCPU stopped running guest code.</summary>
    /// <param name="cpu">The vCPU.</param>
    /// <param name="runnable">It would go on if it had a processor; else it is halted.</param>
    void Leave(CpuState* cpu, bool runnable);

    /// <summary>An interrupt's handler is about to run with no other in service or waiting: its end may be told without an exit.</summary>
    void OfferLazyEoi(CpuState* cpu);

    /// <summary>Whether the guest used the last offer, so that the interrupt in service has ended. The offer is void after.</summary>
    bool TakeLazyEoi(CpuState* cpu);
}
