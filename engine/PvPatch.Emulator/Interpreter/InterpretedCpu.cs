using System.Runtime.InteropServices;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interpreter;

/// <summary>
/// Executes guest code on one CPU, instruction by instruction: the reference that everything faster is compared with.
/// Between two calls of <see cref="Run"/> all state is architectural in <see cref="CpuState"/> and may be changed.
/// </summary>
public sealed unsafe class InterpretedCpu : IDisposable
{
    /// <summary>Instructions between two looks at what other threads changed.</summary>
    private const ulong Slice = 4096;

    private readonly CpuState* cpu;
    private readonly Execution* execution;
    private readonly CodeCache code;
    private readonly bool ownsCodePages;

    /// <summary>Prepares a CPU, which must have its RAM and its TLB.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="systemCallsLeave">SYSCALL stops the run instead of entering the guest's kernel.</param>
    public InterpretedCpu(CpuState* cpu, bool systemCallsLeave = false)
    {
        this.cpu = cpu;
        // SAFETY: zeroed memory is a valid state; Dispose releases it.
        execution = (Execution*)NativeMemory.AllocZeroed((nuint)sizeof(Execution));
        execution->SystemCallsLeave = systemCallsLeave;
        ownsCodePages = cpu->CodePages == null;
        if (ownsCodePages)
            cpu->CodePages = CodePages.Allocate(cpu->RamSize);
        cpu->Execution = execution;
        code = new CodeCache(cpu);
    }

    /// <summary>How many instructions were completed since the interpreter was made. A repeated string instruction is one.</summary>
    public ulong Instructions { get; private set; }

    /// <summary>Executes up to a number of instructions.</summary>
    public StopReason Run(ulong instructions)
    {
        ulong end = Instructions + instructions;
        while (Instructions < end)
        {
            Enter();
            if (cpu->EventPending != 0 && (cpu->RFlags & RFlags.InterruptEnable) != 0 && !execution->Shadow)
                return new StopReason.EventPending();

            DecodedInstruction* u = code.Find(cpu->Rip, execution->Mode, out MemoryFault fetchFault);
            if (u == null)
                return new StopReason.Exception(fetchFault.Vector, fetchFault.ErrorCode, fetchFault.Address);

            bool single = execution->Shadow || (cpu->RFlags & RFlags.Trap) != 0;
            bool trap = (cpu->RFlags & RFlags.Trap) != 0;
            execution->Shadow = false;
            Execute(u, single ? 1 : Math.Min(Slice, end - Instructions));
            switch (execution->Cause)
            {
                case LeaveCause.Fault or LeaveCause.Trap:
                    return new StopReason.Exception(execution->Vector, execution->ErrorCode, execution->Address);
                case LeaveCause.SystemCall:
                    return new StopReason.SystemCall();
                case LeaveCause.Halt:
                    return new StopReason.Halted();
                default:
                    break;
            }

            if (trap && execution->Cause is not (LeaveCause.NotYetDecoded or LeaveCause.Interrupted))
                return new StopReason.Exception(Vectors.Debug, 0, 0);
        }

        return new StopReason.InstructionLimit();
    }

    /// <summary>Releases what the interpreter holds; the CPU's state stays.</summary>
    public void Dispose()
    {
        code.Dispose();
        cpu->Execution = null;
        cpu->JumpCache = null;
        cpu->DataTlb = null;
        if (ownsCodePages)
        {
            CodePages.Free(cpu->CodePages);
            cpu->CodePages = null;
        }

        // SAFETY: the constructor made the block.
        NativeMemory.Free(execution);
    }

    /// <summary>Brings what handlers use into line with privilege, mode, translations and code as they are now.</summary>
    private void Enter()
    {
        execution->Mode = AccessModes.Of(cpu);
        cpu->DataTlb = Tlb.Table(cpu, execution->Mode);
        cpu->JumpCache = code.JumpCache(execution->Mode == AccessMode.User);
        code.FollowTranslations();
        if (cpu->CodePages->Changes != execution->KnownChanges)
        {
            execution->KnownChanges = cpu->CodePages->Changes;
            code.ForgetAddresses();
        }
    }

    /// <summary>The loop: every turn is one instruction.</summary>
    private void Execute(DecodedInstruction* u, ulong atMost)
    {
        execution->Cause = LeaveCause.None;
        ulong left = atMost;
        while (left != 0)
        {
            u = u->Handler(cpu, u);
            left--;
            if (u == null)
                break;
        }

        if (u != null)
            cpu->Rip = u->Rip;
        else if (execution->Cause is LeaveCause.Fault or LeaveCause.NotYetDecoded or LeaveCause.Interrupted)
            left++;
        Instructions += atMost - left;
    }
}
