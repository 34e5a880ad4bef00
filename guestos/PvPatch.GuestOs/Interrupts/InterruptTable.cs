using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Interrupts;

/// <summary>
/// The interrupt descriptor table. Nesting rules: every gate is an interrupt gate, so a handler starts with interrupts off
/// and nothing but an exception or an NMI comes in between; a handler that enables interrupts may be interrupted by a
/// vector of a higher priority class (the local APIC sees to that), and <see cref="PerCpu.InterruptDepth"/> counts.
/// </summary>
public static unsafe class InterruptTable
{
    private const int Gates = 256;

    /// <summary>Clears the table and loads IDTR.</summary>
    public static void Init(CpuState* cpu)
    {
        GateDescriptor empty = default;
        for (int vector = 0; vector < Gates; vector++)
            PvCpu.WriteIdtEntry(cpu, Table(cpu), vector, &empty);
        Load(cpu);
    }

    /// <summary>Loads IDTR of another CPU with the same table.</summary>
    public static void Load(CpuState* cpu)
    {
        DescriptorTable idt = new() { Base = MemoryLayout.Linear(MemoryLayout.Idt), Limit = (ushort)((Gates * sizeof(GateDescriptor)) - 1) };
        PvCpu.LoadIdt(cpu, &idt);
    }

    /// <summary>Sets a vector's handler.</summary>
    /// <param name="cpu">The CPU that writes.</param>
    /// <param name="vector">0 to 255.</param>
    /// <param name="handler">The handler; in this kernel a gate's offset is its managed address.</param>
    /// <param name="ist">Interrupt stack table index, 0 to stay on the current stack.</param>
    public static void Set(CpuState* cpu, uint vector, delegate*<CpuState*, InterruptFrame*, void> handler, byte ist = 0)
    {
        GateDescriptor gate = GateDescriptor.Interrupt((ulong)handler, Selectors.KernelCode, ist);
        PvCpu.WriteIdtEntry(cpu, Table(cpu), (int)vector, &gate);
    }

    /// <summary>What a handler of a device's interrupt does first.</summary>
    public static void Enter(CpuState* cpu) => PerCpu.Of(cpu)->InterruptDepth++;

    /// <summary>
    /// The same for a handler that keeps interrupts off: it tells the APIC at once, as Linux's timer interrupt does, because
    /// the first exit to the hypervisor takes back its offer of an end of interrupt without one.
    /// </summary>
    public static void EnterAndEnd(CpuState* cpu)
    {
        Enter(cpu);
        PvIrq.Eoi(cpu);
    }

    /// <summary>What a handler does last that has told the APIC already.</summary>
    public static void LeaveEnded(CpuState* cpu) => PerCpu.Of(cpu)->InterruptDepth--;

    /// <summary>What a handler of a device's interrupt does last: tells the APIC, so that lower priorities come through again.</summary>
    public static void Leave(CpuState* cpu)
    {
        PvIrq.Eoi(cpu);
        LeaveEnded(cpu);
    }

    private static GateDescriptor* Table(CpuState* cpu) => MemoryLayout.At<GateDescriptor>(cpu, MemoryLayout.Idt);
}
