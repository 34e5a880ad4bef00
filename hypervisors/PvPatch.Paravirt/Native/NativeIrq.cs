using System.Numerics;
using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.Paravirt.Native;

/// <summary>Interrupt ops as the bare hardware does them: PUSHF, CLI, STI, HLT and the x2APIC.</summary>
internal static unsafe class NativeIrq
{
    private const uint IcrShorthandSelf = 1u << 18;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SaveFlags(CpuState* cpu) => cpu->RFlags;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Disable(CpuState* cpu) => cpu->RFlags &= ~RFlags.InterruptEnable;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Enable(CpuState* cpu)
    {
        cpu->RFlags |= RFlags.InterruptEnable;
        if (Volatile.Read(ref cpu->EventPending) != 0)
            OpenWindow(cpu);
    }

    /// <summary>STI; HLT: nothing is delivered between the two, so a wake-up is not lost (Intel SDM vol. 2, STI: interrupt shadow).</summary>
    public static void SafeHalt(CpuState* cpu)
    {
        cpu->RFlags |= RFlags.InterruptEnable;
        Halt(cpu);
    }

    public static void Halt(CpuState* cpu)
    {
        cpu->Sensitive->Hlt(cpu);
        if (Volatile.Read(ref cpu->EventPending) != 0)
            OpenWindow(cpu);
    }

    public static void Eoi(CpuState* cpu) => PvCpu.WriteMsr(cpu, Msr.X2ApicEoi, 0);

    public static void SendIpiMask(CpuState* cpu, ulong cpus, uint vector)
    {
        for (; cpus != 0; cpus &= cpus - 1)
        {
            int target = BitOperations.TrailingZeroCount(cpus);
            PvCpu.WriteMsr(cpu, Msr.X2ApicIcr, target == cpu->Index ? IcrShorthandSelf | vector : ((ulong)target << 32) | vector);
        }
    }

    /// <summary>Masks the two 8259s and switches the local APIC on, in x2APIC mode.</summary>
    public static void InitIrq(CpuState* cpu)
    {
        const ulong ApicEnable = 1ul << 11;
        const ulong X2ApicEnable = 1ul << 10;
        Instructions.Out8(cpu, 0x21, 0xff);
        PvCpu.IoDelay(cpu);
        Instructions.Out8(cpu, 0xa1, 0xff);
        PvCpu.IoDelay(cpu);
        PvCpu.WriteMsr(cpu, Msr.ApicBase, PvCpu.ReadMsr(cpu, Msr.ApicBase) | ApicEnable | X2ApicEnable);
        PvCpu.WriteMsr(cpu, Msr.X2ApicSpurious, 0x100 | IrqVectors.Spurious);
    }

    /// <summary>Not inlined: an unmanaged call gives the method it is inlined into a frame to set up, which would cost every <see cref="Enable"/> more than the op itself.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OpenWindow(CpuState* cpu) => cpu->Sensitive->InterruptWindow(cpu);
}
