using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Translator;

/// <summary>What a region goes on with when it is left: handlers like those of instructions.</summary>
internal static unsafe class RegionExits
{
    /// <summary>What a side exit goes through.</summary>
    public static delegate*<CpuState*, DecodedInstruction*, DecodedInstruction*> Of(ExitReason reason) => reason switch
    {
        ExitReason.Memory => &ForMemory,
        ExitReason.Instruction => &ForInstruction,
        ExitReason.Budget => &ForBudget,
        _ => &ForTarget,
    };

    /// <summary>Leaves the interpreter's loop, as the handler of an instruction did that a region called.</summary>
    public static DecodedInstruction* Stopped(CpuState* cpu, DecodedInstruction* next)
    {
        Settle(cpu);
        return next;
    }

    /// <summary>Goes on with the instruction behind STI: by the loop, which knows the shadow, if there is one.</summary>
    public static DecodedInstruction* InShadow(CpuState* cpu, DecodedInstruction* next)
    {
        Settle(cpu);
        return (cpu->Interruptibility & Interruptibility.BlockedBySti) == Interruptibility.None
            ? Execution.Next(cpu, next)
            : Execution.Leave(cpu, next->Rip, LeaveCause.Changed);
    }

    /// <summary>Goes on at the target of a branch after the flags that wait were computed.</summary>
    public static DecodedInstruction* Branched(CpuState* cpu, DecodedInstruction* next)
    {
        Settle(cpu);
        return Execution.Branch(cpu, next);
    }

    /// <summary>Stands for an instruction of the same page that was not decoded when the region was made: finds it and remembers it.</summary>
    public static DecodedInstruction* Link(CpuState* cpu, DecodedInstruction* u)
    {
        DecodedInstruction* found = u->Target != u ? u->Target : ControlFlow.Known(cpu, u->Rip);
        if (found == null)
            return Execution.Leave(cpu, u->Rip, LeaveCause.NotYetDecoded);
        u->Target = found;
        return found->Handler(cpu, found);
    }

    private static DecodedInstruction* ForMemory(CpuState* cpu, DecodedInstruction* next)
    {
        Execution.Of(cpu)->RegionExits[(int)ExitReason.Memory]++;
        return GoOn(cpu, next);
    }

    private static DecodedInstruction* ForInstruction(CpuState* cpu, DecodedInstruction* next)
    {
        Execution.Of(cpu)->RegionExits[(int)ExitReason.Instruction]++;
        return GoOn(cpu, next);
    }

    private static DecodedInstruction* ForBudget(CpuState* cpu, DecodedInstruction* next)
    {
        Execution* execution = Execution.Of(cpu);
        execution->RegionExits[(int)ExitReason.Budget]++;
        if (execution->EndsExactly || cpu->Left == 0)
            return GoOn(cpu, next);
        Settle(cpu);
        cpu->Left--;
        return Execution.Leave(cpu, next->Rip, LeaveCause.NotYetDecoded);
    }

    private static DecodedInstruction* ForTarget(CpuState* cpu, DecodedInstruction* next)
    {
        Execution.Of(cpu)->RegionExits[(int)ExitReason.Target]++;
        return GoOn(cpu, next);
    }

    private static DecodedInstruction* GoOn(CpuState* cpu, DecodedInstruction* next)
    {
        Settle(cpu);
        return Execution.Next(cpu, next);
    }

    private static void Settle(CpuState* cpu)
    {
        Execution* execution = Execution.Of(cpu);
        if (execution->WaitingFlags != 0)
            cpu->RFlags = LazyFlags.Compute((int)execution->WaitingFlags, execution->WaitingA, execution->WaitingB, cpu->RFlags);
    }
}
