using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>INS: the destination is checked before the port is read, so that a restart does not read it twice (Intel SDM vol. 2, INS).</summary>
internal unsafe struct InputStep : IStringStep
{
    public static bool Compares => false;

    /// <summary>The port's permission is asked for even where nothing is repeated.</summary>
    public static bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u) =>
        Ports.IsAllowed(cpu, u, (ushort)cpu->Rdx, sizeof(T));

    public static bool TryDo<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ushort port = (ushort)cpu->Rdx;
        if (!Ports.IsAllowed(cpu, u, port, sizeof(T)) ||
            !Privileged.HasMachine(cpu, u) ||
            !Strings.TryDestination(cpu, u, sizeof(T), write: true, out ulong linear))
        {
            return false;
        }

        if (!ReservedBytes.TryReserve(cpu, linear, sizeof(T), AccessKind.Write, Execution.Of(cpu)->Mode, out ReservedBytes target, out MemoryFault fault))
        {
            Execution.Raise(cpu, u, fault);
            return false;
        }

        uint value = cpu->Sensitive->In(cpu, port, (uint)sizeof(T));
        target.CopyFrom(cpu, &value);
        Breakpoints.NotePort(cpu, port, sizeof(T));
        Strings.AdvanceDestination(cpu, u, Strings.Stride(cpu, sizeof(T)));
        return true;
    }

    public static ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost) => 0;
}

/// <summary>OUTS.</summary>
internal unsafe struct OutputStep : IStringStep
{
    public static bool Compares => false;

    /// <summary>The port's permission is asked for even where nothing is repeated.</summary>
    public static bool MayBegin<T>(CpuState* cpu, DecodedInstruction* u) =>
        Ports.IsAllowed(cpu, u, (ushort)cpu->Rdx, sizeof(T));

    public static bool TryDo<T>(CpuState* cpu, DecodedInstruction* u)
    {
        ushort port = (ushort)cpu->Rdx;
        if (!Ports.IsAllowed(cpu, u, port, sizeof(T)) ||
            !Privileged.HasMachine(cpu, u) ||
            !Strings.TryLoad(cpu, u, Strings.Source(cpu, u, sizeof(T)), out T value))
        {
            return false;
        }

        cpu->Sensitive->Out(cpu, port, (uint)sizeof(T), (uint)Integer.ZeroExtend(value));
        Breakpoints.NotePort(cpu, port, sizeof(T));
        Strings.AdvanceSource(cpu, u, Strings.Stride(cpu, sizeof(T)));
        return true;
    }

    public static ulong DoMany<T>(CpuState* cpu, DecodedInstruction* u, ulong atMost) => 0;
}
