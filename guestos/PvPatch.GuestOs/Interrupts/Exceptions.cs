using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Locks;
using PvPatch.GuestOs.Memory;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Native;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Interrupts;

/// <summary>Handlers of exceptions and of interrupts between CPUs.</summary>
public static unsafe class Exceptions
{
    private const byte DoubleFaultStack = 1;
    private const byte NmiStack = 2;

    /// <summary>Sets the gates.</summary>
    public static void Init(CpuState* cpu)
    {
        InterruptTable.Set(cpu, Vectors.DivideError, &Fatal);
        InterruptTable.Set(cpu, Vectors.Nmi, &Fatal, NmiStack);
        InterruptTable.Set(cpu, Vectors.InvalidOpcode, &Fatal);
        InterruptTable.Set(cpu, Vectors.DoubleFault, &Fatal, DoubleFaultStack);
        InterruptTable.Set(cpu, Vectors.GeneralProtection, &Fatal);
        InterruptTable.Set(cpu, Vectors.PageFault, &PageFault);
        InterruptTable.Set(cpu, IrqVectors.InvalidateTlb, &InvalidateTlb);
        InterruptTable.Set(cpu, IrqVectors.Reschedule, &Reschedule);
        InterruptTable.Set(cpu, IrqVectors.Spurious, &Spurious);
    }

    private static void PageFault(CpuState* cpu, InterruptFrame* frame)
    {
        ulong address = PvMmu.ReadCr2(cpu);         // first: another fault would overwrite it
        if (!AddressSpace.HandleFault(cpu, address, frame->ErrorCode))
            Panic.Stop(cpu, $"Unable to handle page fault for address {address:x16}, error code {frame->ErrorCode:x4}");
    }

    private static void InvalidateTlb(CpuState* cpu, InterruptFrame* frame)
    {
        InterruptTable.Enter(cpu);
        TlbShootdown.Serve(cpu);
        InterruptTable.Leave(cpu);
    }

    /// <summary>The interrupt itself is the message: the CPU is awake.</summary>
    private static void Reschedule(CpuState* cpu, InterruptFrame* frame)
    {
        InterruptTable.Enter(cpu);
        InterruptTable.Leave(cpu);
    }

    /// <summary>A spurious interrupt is not in service, so it gets no EOI (Intel SDM vol. 3, 10.9).</summary>
    private static void Spurious(CpuState* cpu, InterruptFrame* frame)
    {
    }

    private static void Fatal(CpuState* cpu, InterruptFrame* frame) =>
        Panic.Stop(cpu, $"Fatal exception {frame->Vector}, error code {frame->ErrorCode:x4}, interrupts {((frame->RFlags & RFlags.InterruptEnable) != 0 ? "on" : "off")}");
}
