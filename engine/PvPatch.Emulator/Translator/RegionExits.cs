using System.Runtime.CompilerServices;
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
    public static DecodedInstruction* InShadow(CpuState* cpu, DecodedInstruction* exit)
    {
        DecodedInstruction* next = Take(cpu, exit);
        return (cpu->Interruptibility & Interruptibility.BlockedBySti) == Interruptibility.None
            ? Execution.Next(cpu, next)
            : Execution.Leave(cpu, next->Rip, LeaveCause.Changed);
    }

    /// <summary>Goes on at the target of a branch, with flags that may wait.</summary>
    public static DecodedInstruction* Branched(CpuState* cpu, DecodedInstruction* next)
    {
        Settle(cpu);
        return Execution.Branch(cpu, next);
    }

    /// <summary>Stands for an instruction of the same page that was not decoded when the region was made: finds it and remembers it.</summary>
    public static DecodedInstruction* Link(CpuState* cpu, DecodedInstruction* u)
    {
        DecodedInstruction* found = u->Target != u ? u->Target : ControlFlow.Known(cpu, u->Rip);
        if (found != null)
            u->Target = found;
        return GoOn(cpu, u, found);
    }

    /// <summary>Stands for an instruction of another page: finds it each time.</summary>
    public static DecodedInstruction* LookUp(CpuState* cpu, DecodedInstruction* u) => GoOn(cpu, u, ControlFlow.Known(cpu, u->Rip));

    private static DecodedInstruction* ForMemory(CpuState* cpu, DecodedInstruction* exit) => Interpret(cpu, exit, ExitReason.Memory);

    private static DecodedInstruction* ForInstruction(CpuState* cpu, DecodedInstruction* exit) => Interpret(cpu, exit, ExitReason.Instruction);

    private static DecodedInstruction* ForTarget(CpuState* cpu, DecodedInstruction* exit) => Interpret(cpu, exit, ExitReason.Target);

    private static DecodedInstruction* ForBudget(CpuState* cpu, DecodedInstruction* exit)
    {
        Execution* execution = Execution.Of(cpu);
        execution->RegionExits[(int)ExitReason.Budget]++;
        DecodedInstruction* next = Take(cpu, exit);
        if (execution->EndsExactly || cpu->Left == 0)
            return Execution.Next(cpu, next);
        cpu->Left--;
        return Execution.Leave(cpu, next->Rip, LeaveCause.NotYetDecoded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static DecodedInstruction* Interpret(CpuState* cpu, DecodedInstruction* exit, ExitReason reason)
    {
        Execution.Of(cpu)->RegionExits[(int)reason]++;
        return Execution.Next(cpu, Take(cpu, exit));
    }

    /// <summary>Goes on at what was found where an instruction stands for, with flags that may wait.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static DecodedInstruction* GoOn(CpuState* cpu, DecodedInstruction* u, DecodedInstruction* found)
    {
        if (found == null || (found->Marks & Marks.TakesWaitingFlags) == Marks.None)
            Settle(cpu);
        return found == null ? Execution.Leave(cpu, u->Rip, LeaveCause.NotYetDecoded) : found->Handler(cpu, found);
    }

    /// <summary>Makes flags and count what they are before the instruction that a side exit leads to, and gives that.</summary>
    private static DecodedInstruction* Take(CpuState* cpu, DecodedInstruction* exit)
    {
        // SAFETY: side exits give their record for an instruction.
        var record = (ExitRecord*)exit;
        cpu->Left += record->NotExecuted;
        if (record->Waiting != ExitRecord.InLocal)
            Execution.Of(cpu)->WaitingFlags = (ulong)record->Waiting;
        Settle(cpu);
        return record->Next;
    }

    private static void Settle(CpuState* cpu)
    {
        Execution* execution = Execution.Of(cpu);
        if (execution->WaitingFlags == 0)
            return;
        cpu->RFlags = LazyFlags.Compute((int)execution->WaitingFlags, execution->WaitingA, execution->WaitingB, cpu->RFlags);
        execution->WaitingFlags = 0;
    }
}
