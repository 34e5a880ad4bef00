using PvPatch.Emulator.State;
using PvPatch.GuestOs.Interrupts;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Cpus;

/// <summary>What each CPU has of its own: its page at GS, GDT, TSS with stacks, debug registers (Linux: cpu_init, arch/x86/kernel/cpu/common.c).</summary>
public static unsafe class CpuSetup
{
    private const ulong DebugControlOff = 0x400;        // DR7 without breakpoints (SDM vol. 3, 17.2.4)

    /// <summary>Points GS at the CPU's page, as boot code does before any op can be called.</summary>
    public static void InitPerCpu(CpuState* cpu, int cpuCount)
    {
        PerCpu* self = PerCpu.Of(cpu, cpu->Index);
        *self = default;
        self->Number = cpu->Index;
        self->CpuCount = cpuCount;
        cpu->Gs.Base = MemoryLayout.Linear(PerCpu.AddressOf(cpu->Index));
        cpu->Rsp = MemoryLayout.Linear(StackTop(cpu->Index, 0));
    }

    /// <summary>Loads GDT, TSS, LDT and IDTR, clears the debug registers.</summary>
    public static void Init(CpuState* cpu)
    {
        PerCpu* self = PerCpu.Of(cpu);
        ulong linear = cpu->Gs.Base;
        self->Tss.Rsp0 = cpu->Rsp;
        self->Tss.Ist1 = MemoryLayout.Linear(StackTop(cpu->Index, 1));
        self->Tss.Ist2 = MemoryLayout.Linear(StackTop(cpu->Index, 2));
        self->Tss.IoBitmapBase = (ushort)sizeof(TaskStateSegment);

        ulong code = Selectors.KernelCodeDescriptor;
        ulong data = Selectors.KernelDataDescriptor;
        ulong tss = linear + (ulong)((byte*)&self->Tss - (byte*)self);
        ulong* system = stackalloc ulong[2] { Selectors.TssLow(tss, (uint)sizeof(TaskStateSegment) - 1), Selectors.TssHigh(tss) };
        PvCpu.WriteGdtEntry(cpu, self->Gdt, Selectors.KernelCode / sizeof(ulong), &code, sizeof(ulong));
        PvCpu.WriteGdtEntry(cpu, self->Gdt, Selectors.KernelData / sizeof(ulong), &data, sizeof(ulong));
        PvCpu.WriteGdtEntry(cpu, self->Gdt, Selectors.Tss / sizeof(ulong), system, 2 * sizeof(ulong));

        DescriptorTable gdt = new() { Base = linear + (ulong)((byte*)self->Gdt - (byte*)self), Limit = (Selectors.GdtEntries * sizeof(ulong)) - 1 };
        PvCpu.LoadGdt(cpu, &gdt);
        cpu->Cs = Flat(Selectors.KernelCode, 0xa09b);
        cpu->Ss = Flat(Selectors.KernelData, 0xc093);
        PvCpu.LoadTrDesc(cpu);
        PvCpu.SetLdt(cpu, 0, 0);
        InterruptTable.Load(cpu);
        for (int register = 0; register < 4; register++)
            PvCpu.SetDebugreg(cpu, register, 0);
        if (PvCpu.GetDebugreg(cpu, 7) != DebugControlOff)
            PvCpu.SetDebugreg(cpu, 7, DebugControlOff);
        PvCpu.LoadSp0(cpu, cpu->Rsp);
    }

    /// <summary>A far return reloads CS and SS from the new table; the hidden parts are the descriptors' contents.</summary>
    private static Segment Flat(ushort selector, ushort attributes) => new() { Selector = selector, Attributes = attributes, Limit = uint.MaxValue };

    /// <summary>A CPU has three boot stacks: its own, one for double faults, one for NMIs.</summary>
    private static ulong StackTop(int number, int stack) =>
        MemoryLayout.BootStacks + ((ulong)number * MemoryLayout.StackSize) + MemoryLayout.StackSize - ((ulong)stack * MemoryLayout.PageSize);
}
