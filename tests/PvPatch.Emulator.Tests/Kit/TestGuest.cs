using PvPatch.Emulator.Guests;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Tests.Kit;

/// <summary>
/// A guest kernel of a few lines: GDT, IDT, TSS and stacks in low memory without paging, and a trace in guest memory that
/// its handlers write and the test reads. Each vCPU has its own tables; the trace is common.
/// </summary>
internal static unsafe class TestGuest
{
    public const ushort KernelCode = 0x10;
    public const ulong StackTop = 0x3_0000;
    public const ulong InterruptStackTop = 0x4_0000;
    public const uint X2ApicOn = 0xc00;

    private const ulong Tables = 0x1_0000;
    private const ulong TablesOfOneCpu = 0x2000;
    private const ulong GdtOffset = 0x1000;
    private const ulong TssOffset = 0x1800;
    private const ulong Trace = 0x8_0000;

    /// <summary>Loads the tables, switches the x2APIC on; all gates stay empty.</summary>
    public static void Prepare(CpuState* cpu)
    {
        ulong tables = Tables + (ulong)cpu->Index * TablesOfOneCpu;
        ulong* gdt = (ulong*)(cpu->Ram + tables + GdtOffset);
        gdt[KernelCode / 8] = 0x00af_9b00_0000_ffff;
        cpu->Gdtr = new DescriptorTable { Base = tables + GdtOffset, Limit = 0x7f };
        cpu->Idtr = new DescriptorTable { Base = tables, Limit = 0xfff };
        cpu->Tr = new Segment { Selector = 0x40, Attributes = 0x8b, Base = tables + TssOffset, Limit = 103 };
        *(ulong*)(cpu->Ram + tables + TssOffset + 0x24) = InterruptStackTop + (ulong)cpu->Index * 0x1000;
        cpu->Rsp = StackTop + (ulong)cpu->Index * 0x1000;
        Wrmsr(cpu, Msr.ApicBase, Rdmsr(cpu, Msr.ApicBase) | X2ApicOn);
        Wrmsr(cpu, Msr.X2ApicSpurious, 0x1ff);
    }

    public static void SetGate(CpuState* cpu, int vector, delegate*<CpuState*, InterruptFrame*, void> handler, byte attributes = 0x8e, byte ist = 0, ushort selector = KernelCode)
        => SetRawGate(cpu, vector, (ulong)handler, attributes, ist, selector);

    public static void SetRawGate(CpuState* cpu, int vector, ulong offset, byte attributes = 0x8e, byte ist = 0, ushort selector = KernelCode)
    {
        ulong* gate = (ulong*)(cpu->Ram + cpu->Idtr.Base) + vector * 2;
        gate[0] = (offset & 0xffff) | (ulong)selector << 16 | (ulong)ist << 32 | (ulong)attributes << 40 | (offset >> 16 & 0xffff) << 48;
        gate[1] = offset >> 32;
    }

    public static void Note(CpuState* cpu, ulong value)
    {
        ulong* trace = (ulong*)(cpu->Ram + Trace);
        trace[++trace[0]] = value;
    }

    public static ulong NoteCount(CpuState* cpu) => *(ulong*)(cpu->Ram + Trace);

    public static ulong[] Notes(Machine machine)
    {
        var notes = new ulong[machine.Memory.Read<ulong>(Trace)];
        for (int index = 0; index < notes.Length; index++) notes[index] = machine.Memory.Read<ulong>(Trace + 8 + (ulong)index * 8);
        return notes;
    }

    /// <summary>A handler: notes its vector, ends the interrupt.</summary>
    public static void NoteAndEnd(CpuState* cpu, InterruptFrame* frame)
    {
        Note(cpu, frame->Vector);
        Wrmsr(cpu, Msr.X2ApicEoi, 0);
    }

    /// <summary>A handler of an exception or NMI: notes its vector.</summary>
    public static void NoteVector(CpuState* cpu, InterruptFrame* frame) => Note(cpu, frame->Vector);

    public static void Sti(CpuState* cpu)
    {
        cpu->RFlags |= RFlags.InterruptEnable;
        if (Volatile.Read(ref cpu->EventPending) != 0) cpu->Sensitive->InterruptWindow(cpu);
    }

    public static void Cli(CpuState* cpu) => cpu->RFlags &= ~RFlags.InterruptEnable;

    /// <summary>STI; HLT.</summary>
    public static void SafeHalt(CpuState* cpu)
    {
        cpu->RFlags |= RFlags.InterruptEnable;
        cpu->Sensitive->Hlt(cpu);
    }

    public static uint Wrmsr(CpuState* cpu, uint msr, ulong value) => cpu->Sensitive->Wrmsr(cpu, msr, value);

    public static ulong Rdmsr(CpuState* cpu, uint msr)
    {
        ulong value;
        return cpu->Sensitive->Rdmsr(cpu, msr, &value) == 0 ? value : ulong.MaxValue;
    }

    public static void SelfIpi(CpuState* cpu, byte vector) => Wrmsr(cpu, Msr.X2ApicSelfIpi, vector);

    /// <summary>Starts another vCPU with a slice function; its start record is page 8.</summary>
    public static void StartCpu(CpuState* cpu, int index, delegate*<CpuState*, void> slice)
    {
        const ulong page = 8;
        *(ulong*)(cpu->Ram + page * 4096) = (ulong)slice;
        Wrmsr(cpu, Msr.X2ApicIcr, (ulong)index << 32 | 5 << 8);
        Wrmsr(cpu, Msr.X2ApicIcr, (ulong)index << 32 | 6 << 8 | page);
    }
}
