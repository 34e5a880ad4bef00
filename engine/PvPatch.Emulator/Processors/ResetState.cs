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
    private const ushort BusyTssAttributes = 0x008b;

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
        Tlb.Flush(cpu);
    }
}
