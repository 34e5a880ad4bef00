using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Segmentation;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>IN and OUT, with the permission that IOPL or the TSS's bit map gives (Intel SDM vol. 1, 19.5).</summary>
internal static unsafe class Ports
{
    /// <summary>IN, port in an immediate.</summary>
    public static DecodedInstruction* InImmediate<T>(CpuState* cpu, DecodedInstruction* u) =>
        In<T>(cpu, u, (byte)u->Immediate);

    /// <summary>IN, port in DX.</summary>
    public static DecodedInstruction* InDx<T>(CpuState* cpu, DecodedInstruction* u) =>
        In<T>(cpu, u, (ushort)cpu->Rdx);

    /// <summary>OUT, port in an immediate.</summary>
    public static DecodedInstruction* OutImmediate<T>(CpuState* cpu, DecodedInstruction* u) =>
        Out<T>(cpu, u, (byte)u->Immediate);

    /// <summary>OUT, port in DX.</summary>
    public static DecodedInstruction* OutDx<T>(CpuState* cpu, DecodedInstruction* u) =>
        Out<T>(cpu, u, (ushort)cpu->Rdx);

    /// <summary>Whether the current code may use a port; else the fault is raised.</summary>
    public static bool IsAllowed(CpuState* cpu, DecodedInstruction* u, ushort port, int size)
    {
        if (!ProcessorMode.IsVirtual8086(cpu) && PrivilegeLevel.Of(cpu) <= FlagsRegister.IoPrivilegeLevel(cpu))
            return true;
        if (TaskState.AllowsPorts(cpu, port, size, out MemoryFault fault))
            return true;
        Execution.Refuse(cpu, u, fault);
        return false;
    }

    private static DecodedInstruction* In<T>(CpuState* cpu, DecodedInstruction* u, ushort port)
    {
        if (!SensitiveSteps.BeginPort(cpu, u, port, sizeof(T)))
            return null;
        uint value = cpu->Sensitive->In(cpu, port, (uint)sizeof(T));
        return SensitiveSteps.EndIn(cpu, u, value, port, sizeof(T));
    }

    private static DecodedInstruction* Out<T>(CpuState* cpu, DecodedInstruction* u, ushort port)
    {
        if (!SensitiveSteps.BeginPort(cpu, u, port, sizeof(T)))
            return null;
        uint value = (uint)Integer.ZeroExtend(Operands.Register<T>(cpu, RegisterPlaces.General(cpu, 0)));
        cpu->Sensitive->Out(cpu, port, (uint)sizeof(T), value);
        return SensitiveSteps.EndOut(cpu, u, port, sizeof(T));
    }
}
