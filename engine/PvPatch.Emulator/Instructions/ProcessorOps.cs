using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Instructions;

/// <summary>What a processor does by itself for those <see cref="SensitiveOps"/> that need no machine around it.</summary>
public static unsafe class ProcessorOps
{
    /// <summary>They as targets, by the names of their ops: the short ones are written where they are called.</summary>
    public static IReadOnlyDictionary<string, PvTarget> Targets { get; } = new Dictionary<string, PvTarget>(StringComparer.Ordinal)
    {
        ["irq.save_fl"] = Inline(nameof(SaveFlags)),
        ["irq.restore_fl"] = Method(nameof(RestoreFlags)),
        ["irq.irq_disable"] = Inline(nameof(IrqDisable)),
        ["irq.irq_enable"] = Inline(nameof(IrqEnable)),
        ["cpu.read_cr0"] = Inline(nameof(ReadCr0)),
        ["mmu.read_cr2"] = Inline(nameof(ReadCr2)),
        ["mmu.read_cr3"] = Inline(nameof(ReadCr3)),
        ["cpu.read_cr4"] = Inline(nameof(ReadCr4)),
        ["cpu.read_cr8"] = Inline(nameof(ReadCr8)),
        ["cpu.write_cr0"] = Method(nameof(WriteCr0)),
        ["mmu.write_cr2"] = Method(nameof(WriteCr2)),
        ["mmu.write_cr3"] = Method(nameof(WriteCr3)),
        ["cpu.write_cr4"] = Method(nameof(WriteCr4)),
        ["cpu.write_cr8"] = Method(nameof(WriteCr8)),
        ["cpu.load_gdt"] = Method(nameof(LoadGdt)),
        ["cpu.load_idt"] = Method(nameof(LoadIdt)),
        ["mmu.flush_tlb_one_user"] = Method(nameof(FlushTlbOneUser)),

        // Guest memory is the host's, whose caches are coherent: nothing is ever left to write back.
        ["cpu.wbinvd"] = PvTarget.Nop,
    };

    /// <summary>PUSHF: the image has neither RF nor VM (Intel SDM vol. 2, PUSHF).</summary>
    public static ulong SaveFlags(CpuState* cpu) => cpu->RFlags & ~(RFlags.Resume | RFlags.Virtual8086);

    /// <summary>POPF.</summary>
    public static void RestoreFlags(CpuState* cpu, ulong value) => FlagsRegister.Load(cpu, value, ulong.MaxValue);

    /// <summary>CLI.</summary>
    public static void IrqDisable(CpuState* cpu) => cpu->RFlags &= ~RFlags.InterruptEnable;

    /// <summary>STI: if interrupts were disabled, one more instruction comes before any of them.</summary>
    public static void IrqEnable(CpuState* cpu)
    {
        if ((cpu->RFlags & RFlags.InterruptEnable) != 0)
            return;
        cpu->RFlags |= RFlags.InterruptEnable;
        cpu->Interruptibility |= Interruptibility.BlockedBySti;
    }

    /// <summary>MOV from CR0.</summary>
    public static ulong ReadCr0(CpuState* cpu) => cpu->Cr0;

    /// <summary>MOV from CR2.</summary>
    public static ulong ReadCr2(CpuState* cpu) => cpu->Cr2;

    /// <summary>MOV from CR3.</summary>
    public static ulong ReadCr3(CpuState* cpu) => cpu->Cr3;

    /// <summary>MOV from CR4.</summary>
    public static ulong ReadCr4(CpuState* cpu) => cpu->Cr4;

    /// <summary>MOV from CR8.</summary>
    public static ulong ReadCr8(CpuState* cpu) => cpu->Cr8;

    /// <summary>MOV to CR0.</summary>
    public static uint WriteCr0(CpuState* cpu, ulong value) => ControlRegisters.Write(cpu, 0, value);

    /// <summary>MOV to CR2.</summary>
    public static uint WriteCr2(CpuState* cpu, ulong value) => ControlRegisters.Write(cpu, 2, value);

    /// <summary>MOV to CR3.</summary>
    public static uint WriteCr3(CpuState* cpu, ulong value) => ControlRegisters.Write(cpu, 3, value);

    /// <summary>MOV to CR4.</summary>
    public static uint WriteCr4(CpuState* cpu, ulong value) => ControlRegisters.Write(cpu, 4, value);

    /// <summary>MOV to CR8 of a processor without an APIC.</summary>
    public static uint WriteCr8(CpuState* cpu, ulong value) => ControlRegisters.Write(cpu, 8, value);

    /// <summary>LGDT.</summary>
    public static void LoadGdt(CpuState* cpu, ushort limit, ulong address) => cpu->Gdtr = new DescriptorTable { Base = address, Limit = limit };

    /// <summary>LIDT.</summary>
    public static void LoadIdt(CpuState* cpu, ushort limit, ulong address) => cpu->Idtr = new DescriptorTable { Base = address, Limit = limit };

    /// <summary>INVLPG.</summary>
    public static void FlushTlbOneUser(CpuState* cpu, ulong linear) => Tlb.FlushPage(cpu, linear);

    private static PvTarget Method(string name) => PvTarget.Method(typeof(ProcessorOps), name);

    private static PvTarget Inline(string name) => PvTarget.Inline(typeof(ProcessorOps).GetMethod(name)!);
}
