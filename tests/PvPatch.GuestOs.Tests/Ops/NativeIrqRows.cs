using PvPatch.Emulator.State;
using PvPatch.GuestOs.Time;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;
using static PvPatch.GuestOs.Tests.Ops.NativeOpRow;

namespace PvPatch.GuestOs.Tests.Ops;

internal static unsafe class NativeIrqRows
{
    private const uint FirstRequestedWord = 0x820;

    public static NativeOpRow[] All { get; } =
    [
        Of("irq.save_fl", "reads RFLAGS", (cpu, seen) =>
        {
            ulong before = cpu->RFlags;
            cpu->RFlags = 0x46;
            seen.Add(PvIrq.SaveFlags(cpu));
            cpu->RFlags = before;
        }, 0x46),
        Of("irq.irq_disable", "clears IF alone", (cpu, seen) =>
        {
            cpu->RFlags |= RFlags.InterruptEnable | 1;
            ulong before = cpu->RFlags;
            PvIrq.Disable(cpu);
            seen.Add(before ^ cpu->RFlags);
        }, RFlags.InterruptEnable),
        Of("irq.irq_enable", "sets IF alone", (cpu, seen) =>
        {
            PvIrq.Disable(cpu);
            ulong before = cpu->RFlags;
            PvIrq.Enable(cpu);
            seen.Add(before ^ cpu->RFlags);
        }, RFlags.InterruptEnable),
        Of("irq.irq_enable", "delivers what waits", (cpu, seen) =>
        {
            PvIrq.Disable(cpu);
            PvIrq.SendIpiMask(cpu, 1, IrqVectors.LocalTimer);
            ulong before = KernelClock.Jiffies(cpu);
            seen.Add(KernelClock.Jiffies(cpu) - before);
            PvIrq.Enable(cpu);
            seen.Add(KernelClock.Jiffies(cpu) - before);
        }, 0, 1),
        Of("irq.safe_halt", "enables interrupts and wakes by one", (cpu, seen) =>
        {
            PvIrq.Disable(cpu);
            ulong before = KernelClock.Jiffies(cpu);
            PvIrq.SafeHalt(cpu);
            seen.AddRange([cpu->RFlags & RFlags.InterruptEnable, KernelClock.Jiffies(cpu) - before]);
        }, RFlags.InterruptEnable, 1),
        Of("irq.safe_halt", "does not sleep over an interrupt that waits already", (cpu, seen) =>
        {
            PvIrq.Disable(cpu);
            PvIrq.SendIpiMask(cpu, 1, IrqVectors.Reschedule);
            ulong before = KernelClock.Jiffies(cpu);
            PvIrq.SafeHalt(cpu);
            seen.Add(KernelClock.Jiffies(cpu) - before);
        }, 0),
        Of("irq.halt", "waits with interrupts as they are", (cpu, seen) =>
        {
            ulong before = KernelClock.Jiffies(cpu);
            ulong flags = cpu->RFlags;
            PvIrq.Halt(cpu);
            seen.AddRange([KernelClock.Jiffies(cpu) - before, cpu->RFlags ^ flags]);
        }, 1, 0),
        OnMachine("apic.eoi", "writes the APIC's register once", (guest, cpu, seen) =>
        {
            int before = guest.Platform.WritesOf(Msr.X2ApicEoi);
            PvIrq.Eoi((CpuState*)cpu);
            seen.Add((ulong)(guest.Platform.WritesOf(Msr.X2ApicEoi) - before));
        }, 1),
        Of("apic.send_IPI_mask", "requests the vector on this CPU", (cpu, seen) =>
        {
            PvIrq.Disable(cpu);
            PvIrq.SendIpiMask(cpu, 1, IrqVectors.Reschedule);
            seen.Add(PvCpu.ReadMsr(cpu, FirstRequestedWord + (IrqVectors.Reschedule / 32)));
            PvIrq.Enable(cpu);
            seen.Add(PvCpu.ReadMsr(cpu, FirstRequestedWord + (IrqVectors.Reschedule / 32)));
        }, 1ul << (int)(IrqVectors.Reschedule % 32), 0),
        OnMachine("apic.send_IPI_mask", "sends nothing for an empty mask", (guest, cpu, seen) =>
        {
            int before = guest.Platform.WritesOf(Msr.X2ApicIcr);
            PvIrq.SendIpiMask((CpuState*)cpu, 0, IrqVectors.Reschedule);
            seen.Add((ulong)(guest.Platform.WritesOf(Msr.X2ApicIcr) - before));
        }, 0),
        Of("irq.init_IRQ", "switches the local APIC on and masks the 8259s", (cpu, seen) =>
        {
            PvCpu.WriteMsr(cpu, Msr.X2ApicSpurious, 0xff);
            cpu->Sensitive->Out(cpu, 0x21, 1, 0);
            cpu->Sensitive->Out(cpu, 0xa1, 1, 0);
            PvIrq.InitIrq(cpu);
            seen.AddRange([
                PvCpu.ReadMsr(cpu, Msr.X2ApicSpurious), PvCpu.ReadMsr(cpu, Msr.ApicBase) >> 10 & 3,
                cpu->Sensitive->In(cpu, 0x21, 1), cpu->Sensitive->In(cpu, 0xa1, 1)]);
        }, 0x1ff, 3, 0xff, 0xff),
    ];
}
