using System.Runtime.CompilerServices;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Locks;

/// <summary>Sections without interrupts that may stand in one another (Linux: local_irq_save, local_irq_restore).</summary>
public static unsafe class InterruptFlag
{
    /// <summary>Disables interrupts and returns the flags from before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Save(CpuState* cpu)
    {
        ulong flags = PvIrq.SaveFlags(cpu);
        PvIrq.Disable(cpu);
        return flags;
    }

    /// <summary>Enables interrupts if they were enabled when the flags were saved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Restore(CpuState* cpu, ulong flags)
    {
        if ((flags & RFlags.InterruptEnable) != 0)
            PvIrq.Enable(cpu);
    }
}
