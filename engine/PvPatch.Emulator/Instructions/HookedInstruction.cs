using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Stands before an instruction that is hooked: the loop is left for the call, then the instruction itself is executed.</summary>
internal static unsafe class HookedInstruction
{
    /// <summary>What <see cref="Execution.PassedHook"/> holds when no hook was called for the next instruction: no instruction stands there.</summary>
    public const ulong None = ulong.MaxValue;

    /// <summary>Puts the handler before a decoded instruction.</summary>
    /// <param name="u">The decoded instruction, which the handler replaces.</param>
    /// <param name="room">Room for two decoded instructions, where the replaced one goes.</param>
    public static void Put(DecodedInstruction* u, DecodedInstruction* room)
    {
        room[0] = *u;
        room[1] = new DecodedInstruction { Rip = ControlFlow.Next(u), Marks = u->Marks, Length = 1, Handler = &ControlFlow.Continue, Target = u + 1 };
        *u = new DecodedInstruction { Rip = u->Rip, Marks = u->Marks, Length = u->Length, Code = u->Code, Handler = &Enter, Target = room };
    }

    private static DecodedInstruction* Enter(CpuState* cpu, DecodedInstruction* u) =>
        Execution.Of(cpu)->PassedHook == u->Rip && cpu->RunsMany == 0
            ? u->Target->Handler(cpu, u->Target)
            : Execution.Leave(cpu, u->Rip, LeaveCause.Hook);
}
