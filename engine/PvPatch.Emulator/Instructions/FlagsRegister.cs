using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>PUSHF, POPF and the flags that IRET may change (Intel SDM vol. 2, POPF, table 4-15).</summary>
internal static unsafe class FlagsRegister
{
    /// <summary>What exists in RFLAGS and is not fixed.</summary>
    public const ulong Writable = StatusFlags.All | RFlags.Trap | RFlags.InterruptEnable | RFlags.Direction | RFlags.IoPrivilegeLevel |
        RFlags.NestedTask | RFlags.AlignmentCheck | RFlags.Id;

    /// <summary>What POPF of more than 16 bits clears; one of 16 bits clears RF alone.</summary>
    public const ulong ClearedByPop = RFlags.Resume | RFlags.VirtualInterrupt | RFlags.VirtualInterruptPending;

    /// <summary>The I/O privilege level.</summary>
    public static int IoPrivilegeLevel(CpuState* cpu) => (int)(cpu->RFlags >> 12) & 3;

    public static DecodedInstruction* Push<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if ((cpu->RFlags & RFlags.Virtual8086) != 0 && IoPrivilegeLevel(cpu) < 3)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        ulong image = cpu->Sensitive != null ? cpu->Sensitive->SaveFlags(cpu) : ProcessorOps.SaveFlags(cpu);
        return Stack.TryPush(cpu, u, Integer.Truncate<T>(image), out bool slow) ? Stack.After(cpu, u, slow) : null;
    }

    public static DecodedInstruction* Pop<T>(CpuState* cpu, DecodedInstruction* u)
    {
        if ((cpu->RFlags & RFlags.Virtual8086) != 0 && IoPrivilegeLevel(cpu) < 3)
            return Execution.Raise(cpu, u, Vectors.GeneralProtection);
        if (!Stack.TryPop(cpu, u, out T popped))
            return null;
        ulong before = cpu->RFlags;
        ulong value = sizeof(T) == 2 ? (before & ~(ulong)ushort.MaxValue) | Integer.ZeroExtend(popped) : Integer.ZeroExtend(popped);
        if (cpu->Sensitive != null)
            cpu->Sensitive->RestoreFlags(cpu, value);
        else
            ProcessorOps.RestoreFlags(cpu, value);
        cpu->RFlags &= ~(sizeof(T) == 2 ? RFlags.Resume : ClearedByPop);
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
