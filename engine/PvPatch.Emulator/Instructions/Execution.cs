using System.Runtime.CompilerServices;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Instructions;

/// <summary>Why a handler left the loop.</summary>
internal enum LeaveCause
{
    /// <summary>It did not.</summary>
    None,

    /// <summary>The instruction is done; go on at RIP, whose decoded form must be looked up.</summary>
    Lookup,

    /// <summary>Like <see cref="Lookup"/>, behind an indirect jump or call.</summary>
    IndirectLookup,

    /// <summary>Nothing was executed yet; go on at RIP as with <see cref="Lookup"/>.</summary>
    NotYetDecoded,

    /// <summary>The instruction is done and changed privilege, mode or translations, or an event may now be due.</summary>
    Changed,

    /// <summary>The instruction switched to another task, whose flags are now the CPU's.</summary>
    TaskSwitched,

    /// <summary>A repeated string instruction did a part; RIP still names it.</summary>
    Interrupted,

    /// <summary>The instruction raised an exception and changed nothing; RIP names it.</summary>
    Fault,

    /// <summary>The instruction is done and raises an exception or software interrupt; RIP is behind it.</summary>
    Trap,

    /// <summary>HLT: done; nothing more until an event.</summary>
    Halt,

    /// <summary>The next instruction is hooked; nothing of it was executed.</summary>
    Hook,

    /// <summary>SYSCALL where the program's owner answers system calls: done, RIP is behind it.</summary>
    SystemCall,
}

/// <summary>What the handlers of one CPU tell the loop that runs them, and their scratch space.</summary>
internal unsafe struct Execution
{
    /// <summary>Why the loop was left.</summary>
    public LeaveCause Cause;

    /// <summary>Vector of the fault or trap.</summary>
    public uint Vector;

    /// <summary>Its error code.</summary>
    public uint ErrorCode;

    /// <summary>Its linear address, if it is a page fault.</summary>
    public ulong Address;

    /// <summary>Where the instruction stands that raised a trap: a fault of its delivery restarts it.</summary>
    public ulong TrapRip;

    /// <summary>INT1, which any privilege level may use.</summary>
    public bool AnyPrivilege;

    /// <summary>The instruction whose hooks were called and which is executed next, or <see cref="HookedInstruction.None"/>.</summary>
    public ulong PassedHook;

    /// <summary>The privilege of explicit data accesses.</summary>
    public AccessMode Mode;

    /// <summary>Alignment is checked: CPL 3 with CR0.AM and RFLAGS.AC. Then the TLB serves no data access.</summary>
    public bool ChecksAlignment;

    /// <summary>The change counter of the code pages that the loop knows.</summary>
    public long KnownChanges;

    /// <summary>
    /// Which operation's status flags were not computed when a translated region was left; 0 is none, and so it is whenever a handler is called
    /// that is not marked with <see cref="Marks.TakesWaitingFlags"/>.
    /// </summary>
    public ulong WaitingFlags;

    /// <summary>The first value of that operation.</summary>
    public ulong WaitingA;

    /// <summary>The second one.</summary>
    public ulong WaitingB;

    /// <summary>How often translated regions were left before an instruction, by reason.</summary>
    public fixed ulong RegionExits[4];

    /// <summary>
    /// As many instructions are executed as the loop was given. Otherwise a translated region that cannot execute a whole block any more may
    /// leave the rest to the next turn.
    /// </summary>
    public bool EndsExactly;

    /// <summary>System calls leave the loop instead of entering the guest's kernel.</summary>
    public bool SystemCallsLeave;

    /// <summary>The interpreter, for the two functions below.</summary>
    public nint Owner;

    /// <summary>
    /// Brings the machine's clock and count up to the instruction that is executed, one of many in one go: <c>Left</c> counts those
    /// behind it. From then on it is as if it ran alone.
    /// </summary>
    public delegate*<CpuState*, void> CatchUp;

    /// <summary>Whether the loop must look again before the next instruction, since the machine was called after <see cref="CatchUp"/>.</summary>
    public delegate*<CpuState*, bool> MustLeave;

    /// <summary><see cref="CatchUp"/> was called, and it did not yet go on.</summary>
    public bool CaughtUp;

    /// <summary>The bytes of an access that the TLB could not serve.</summary>
    public fixed byte Scratch[XsaveArea.LargestSize];

    /// <summary>Where a slow write goes.</summary>
    public ReservedBytes Reserved;

    /// <summary>The execution state of a CPU.</summary>
    public static Execution* Of(CpuState* cpu) => (Execution*)cpu->Execution;

    /// <summary>
    /// The end of a handler that runs often: goes straight on with the next instruction. The compiler makes a jump of the
    /// call, so handlers follow each other without a way back to the loop, and each one's jump is predicted on its own. Where
    /// it does not (unoptimised builds), the calls nest no deeper than the instructions of one go.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedInstruction* Next(CpuState* cpu, DecodedInstruction* next)
    {
        if (cpu->Left == 0)
            return next;
        cpu->Left--;
        return next->Handler(cpu, next);
    }

    /// <summary>
    /// The end of a handler that took a branch: as <see cref="Next"/>, but at times it returns to the loop, which looks at what is executed.
    /// So code is seen as often as the interpreter's time goes into it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedInstruction* Branch(CpuState* cpu, DecodedInstruction* target)
    {
        if (--cpu->BranchesLeft == 0)
            return target;
        return Next(cpu, target);
    }

    /// <summary>Leaves the loop with the instruction's work undone: it raises an exception.</summary>
    public static DecodedInstruction* Raise(CpuState* cpu, DecodedInstruction* u, uint vector, uint errorCode = 0)
    {
        Execution* execution = Of(cpu);
        execution->Cause = LeaveCause.Fault;
        execution->Vector = vector;
        execution->ErrorCode = errorCode;
        cpu->Rip = u->Rip;
        return null;
    }

    /// <summary>Leaves the loop for a memory access that faulted.</summary>
    public static DecodedInstruction* Raise(CpuState* cpu, DecodedInstruction* u, in MemoryFault fault)
    {
        Of(cpu)->Address = fault.Address;
        uint vector = fault.Vector;
        if (vector == MemoryFault.GeneralProtection && (u->Marks & Marks.Stack) != Marks.None)
            vector = Vectors.StackFault;
        return Raise(cpu, u, vector, fault.ErrorCode);
    }

    /// <summary>Leaves the loop for a check of segmentation that failed: exactly that exception.</summary>
    public static DecodedInstruction* Refuse(CpuState* cpu, DecodedInstruction* u, in MemoryFault fault)
    {
        Of(cpu)->Address = fault.Address;
        return Raise(cpu, u, fault.Vector, fault.ErrorCode);
    }

    /// <summary>Leaves the loop for an exception in the task that was just switched to: RIP is its first instruction.</summary>
    public static DecodedInstruction* RefuseInNewTask(CpuState* cpu, DecodedInstruction* u, in MemoryFault fault)
    {
        ulong rip = cpu->Rip;
        Refuse(cpu, u, fault);
        cpu->Rip = rip;
        return null;
    }

    /// <summary>Leaves the loop with the instruction done.</summary>
    public static DecodedInstruction* Leave(CpuState* cpu, ulong rip, LeaveCause cause)
    {
        Of(cpu)->Cause = cause;
        cpu->Rip = rip;
        return null;
    }
}
