using System.Numerics;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>PUSHF, POPF and the flags that IRET may change (Intel SDM vol. 2, POPF, table 4-15).</summary>
internal static unsafe class FlagsRegister
{
    /// <summary>What exists in RFLAGS and is not fixed.</summary>
    public const ulong Writable = StatusFlags.All | RFlags.Trap | RFlags.InterruptEnable | RFlags.Direction | RFlags.IoPrivilegeLevel |
        RFlags.NestedTask | RFlags.AlignmentCheck | RFlags.Id;

    /// <summary>The I/O privilege level.</summary>
    public static int IoPrivilegeLevel(CpuState* cpu) => (int)(cpu->RFlags >> 12) & 3;

    public static DecodedInstruction* Push<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged, IBinaryInteger<T>
    {
        if ((cpu->RFlags & RFlags.Virtual8086) != 0 && IoPrivilegeLevel(cpu) < 3)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        ulong image = cpu->RFlags & ~(RFlags.Resume | RFlags.Virtual8086);
        return Stack.TryPush(cpu, u, T.CreateTruncating(image), out bool slow) ? Stack.After(cpu, u, slow) : null;
    }

    public static DecodedInstruction* Pop<T>(CpuState* cpu, DecodedInstruction* u)
        where T : unmanaged, IBinaryInteger<T>
    {
        if ((cpu->RFlags & RFlags.Virtual8086) != 0 && IoPrivilegeLevel(cpu) < 3)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (!Stack.TryPop(cpu, u, out T popped))
            return null;
        ulong before = cpu->RFlags;
        Load(cpu, ulong.CreateTruncating(popped), sizeof(T) == 2 ? ushort.MaxValue : ulong.MaxValue);
        cpu->RFlags &= ~(RFlags.Resume | (sizeof(T) == 2 ? 0 : RFlags.VirtualInterrupt | RFlags.VirtualInterruptPending));
        const ulong Watched = RFlags.InterruptEnable | RFlags.Trap | RFlags.AlignmentCheck;
        return ((before ^ cpu->RFlags) & Watched) == 0 && (before & RFlags.Trap) == 0
            ? u + 1
            : Execution.Leave(cpu, ControlFlow.Next(u), LeaveCause.Changed);
    }

    /// <summary>Changes the flags that the privilege level may change: IOPL only at 0, IF only up to IOPL.</summary>
    public static void Load(CpuState* cpu, ulong value, ulong width)
    {
        int level = PrivilegeLevel.Of(cpu);
        ulong allowed = Writable & width;
        if (level > 0)
            allowed &= ~RFlags.IoPrivilegeLevel;
        if (level > IoPrivilegeLevel(cpu))
            allowed &= ~RFlags.InterruptEnable;
        cpu->RFlags = (cpu->RFlags & ~allowed) | (value & allowed);
    }
}
