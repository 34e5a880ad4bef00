using PvPatch.Emulator.State;
using PvPatch.Paravirt.Hardware;
using PvPatch.Paravirt.Log;
using PvPatch.Paravirt.Wrappers;

namespace PvPatch.GuestOs.Locks;

/// <summary>The kernel cannot go on.</summary>
public static unsafe class Panic
{
    private const ushort PvpanicPort = 0x505;   // QEMU docs/specs/pvpanic
    private const byte Panicked = 1;

    /// <summary>Says why, tells the machine, and halts for ever with interrupts off.</summary>
    public static void Stop(CpuState* cpu, string message)
    {
        PvIrq.Disable(cpu);
        KernelLog.Print(cpu, $"Kernel panic - not syncing: {message}");
        Instructions.Out8(cpu, PvpanicPort, Panicked);
        while (true)
            PvIrq.Halt(cpu);
    }
}
