using PvPatch.Emulator.State;
using PvPatch.Paravirt.Log;

namespace PvPatch.Paravirt.Native;

/// <summary>Set-up ops of the bare hardware.</summary>
internal static unsafe class NativeInit
{
    public static void Banner(CpuState* cpu) => KernelLog.Print(cpu, "Booting paravirtualized kernel on bare hardware");
}
