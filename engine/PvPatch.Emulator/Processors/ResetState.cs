using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The state a CPU starts its guest in: ring 0, flat 32-bit segments, paging and interrupts off, as Linux's 32-bit boot
/// protocol has it (Documentation/arch/x86/boot.rst). A real CPU starts in real mode; a C# guest has no 16-bit code to
/// leave it. The stack pointer is 0: a guest sets it, its GDT and its IDT before it lets interrupts in.
/// </summary>
internal static unsafe class ResetState
{
    private const ushort CodeAttributes = 0xc09b;
    private const ushort DataAttributes = 0xc093;
    private const ushort RealCodeAttributes = 0x009b;
    private const ushort RealDataAttributes = 0x0093;
    private const uint MxcsrAtReset = 0x1f80;
    private const ushort FpuControlAtReset = 0x40;
    private const ushort BusyTssAttributes = 0x008b;

    /// <summary>Where a start-up message lets a vCPU begin: real mode, CS:IP at the start of a page (SDM vol. 3, 8.4.4).</summary>
    public static void StartInRealMode(CpuState* cpu, byte page)
    {
        Apply(cpu);
        cpu->Cr0 = Cr0Bits.ExtensionType | Cr0Bits.NotWriteThrough | Cr0Bits.CacheDisable;
        cpu->Cs = new Segment { Selector = (ushort)(page << 8), Base = (ulong)page << 12, Attributes = RealCodeAttributes, Limit = 0xffff };
        cpu->Ds = cpu->Es = cpu->Fs = cpu->Gs = cpu->Ss = new Segment { Attributes = RealDataAttributes, Limit = 0xffff };
        cpu->Idtr.Limit = cpu->Gdtr.Limit = 0xffff;
    }

    public static void Apply(CpuState* cpu)
    {
        cpu->RFlags = RFlags.Fixed;
        cpu->EventPending = 0;
        cpu->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.ExtensionType;
        cpu->Cr2 = cpu->Cr3 = cpu->Cr4 = cpu->Cr8 = 0;
        cpu->Efer = 0;
        cpu->Xcr0 = 1;
        cpu->Rip = 0;
        for (int index = 0; index < 16; index++) cpu->Gpr[index] = 0;
        for (int index = 0; index < 8; index++) cpu->Dr[index] = 0;
        cpu->Dr[6] = 0xffff_0ff0;
        cpu->Dr[7] = 0x400;
        cpu->Cs = new Segment { Selector = 0x10, Attributes = CodeAttributes, Limit = uint.MaxValue };
        cpu->Ds = cpu->Es = cpu->Fs = cpu->Gs = cpu->Ss = new Segment { Selector = 0x18, Attributes = DataAttributes, Limit = uint.MaxValue };
        cpu->Ldtr = default;
        cpu->Tr = new Segment { Attributes = BusyTssAttributes, Limit = 0xffff };
        cpu->Gdtr = cpu->Idtr = default;
        cpu->KernelGsBase = 0;
        cpu->PendingDebug = 0;
        cpu->Interruptibility = Interruptibility.None;
        for (int index = 0; index < 32; index++) cpu->Xmm[index] = cpu->YmmHigh[index] = 0;
        cpu->Mxcsr = MxcsrAtReset;
        cpu->Fpu = new FpuState { Control = FpuControlAtReset, Used = 0xff };
        Tlb.Flush(cpu);
    }
}
