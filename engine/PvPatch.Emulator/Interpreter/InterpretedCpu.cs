using System.Runtime.CompilerServices;
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

    /// <summary>DR6.BS.</summary>
    private const ulong SingleStep = 1 << 14;

    private readonly CpuState* cpu;
    private readonly Execution* execution;
    private readonly CodeCache code;
    private readonly bool ownsCodePages;
    private readonly bool deliversExceptions;

    /// <summary>Prepares a CPU, which must have its RAM and its TLB.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="systemCallsLeave">SYSCALL stops the run instead of entering the guest's kernel.</param>
    /// <param name="deliversExceptions">Exceptions go to the guest's IDT (in long mode) instead of stopping the run.</param>
    public InterpretedCpu(CpuState* cpu, bool systemCallsLeave = false, bool deliversExceptions = false)
    {
        this.cpu = cpu;
        this.deliversExceptions = deliversExceptions;
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
            {
                if (Raise(fetchFault.Vector, fetchFault.ErrorCode, fetchFault.Address, EventSource.Exception) is { } stop)
                    return stop;
                continue;
            }

            bool trap = (cpu->RFlags & RFlags.Trap) != 0;
            bool single = execution->Shadow || trap;
            execution->Shadow = false;
            Execute(u, single ? 1 : Math.Min(Slice, end - Instructions));
            switch (execution->Cause)
            {
                case LeaveCause.Fault or LeaveCause.Trap:
                    EventSource source = execution->Cause == LeaveCause.Trap ? EventSource.Software : EventSource.Exception;
                    if (Raise(execution->Vector, execution->ErrorCode, execution->Address, source) is { } stop)
                        return stop;
                    continue;
                case LeaveCause.SystemCall:
                    return new StopReason.SystemCall();
                case LeaveCause.Halt:
                    return new StopReason.Halted();
                default:
                    break;
            }

            if (trap && execution->Cause is not (LeaveCause.NotYetDecoded or LeaveCause.Interrupted))
            {
                cpu->Dr[6] |= SingleStep;
                if (Raise(Vectors.Debug, 0, 0, EventSource.Exception) is { } stop)
                    return stop;
            }
        }

        return new StopReason.InstructionLimit();
    }

    /// <summary>Takes an interrupt from outside, as the interrupt controller gives it: RIP is then at its handler, or the CPU is shut down.</summary>
    public StopReason? Interrupt(byte vector) =>
        GateDelivery.TryDeliver(cpu, vector, 0, EventSource.External) ? null : new StopReason.Shutdown();

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

    /// <summary>Delivers an exception to the guest, or makes it the reason to stop.</summary>
    private StopReason? Raise(uint vector, uint errorCode, ulong address, EventSource source)
    {
        bool longMode = (cpu->Efer & EferBits.LongModeActive) != 0;
        if (!deliversExceptions || !longMode)
            return new StopReason.Exception(vector, errorCode, address);
        if (source == EventSource.Exception && vector == Vectors.PageFault)
            cpu->Cr2 = address;
        return GateDelivery.TryDeliver(cpu, vector, errorCode, source) ? null : new StopReason.Shutdown();
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

    /// <summary>The loop: every turn is one instruction. It is compiled once for good, since a loop that is profiled first is slower for long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Execute(DecodedInstruction* u, ulong atMost)
    {
        execution->Cause = LeaveCause.None;
        CpuState* state = cpu;
        ulong left = atMost;
        while (u != null && left >= 4)
        {
            // Four by four: each of these calls is predicted on its own.
            left--;
            u = u->Handler(state, u);
            if (u == null)
                break;
            left--;
            u = u->Handler(state, u);
            if (u == null)
                break;
            left--;
            u = u->Handler(state, u);
            if (u == null)
                break;
            left--;
            u = u->Handler(state, u);
        }

        while (u != null && left != 0)
        {
            left--;
            u = u->Handler(state, u);
        }

        if (u != null)
            cpu->Rip = u->Rip;
        else if (execution->Cause is LeaveCause.Fault or LeaveCause.NotYetDecoded or LeaveCause.Interrupted)
            left++;
        Instructions += atMost - left;
    }
}
