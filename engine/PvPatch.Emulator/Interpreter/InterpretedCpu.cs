using System.Diagnostics;
using System.Runtime.InteropServices;
using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Instructions;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Interpreter;

/// <summary>
/// Executes guest code on one CPU, instruction by instruction: the reference that everything faster is compared with.
/// Between two calls of <see cref="Run"/> all state is architectural in <see cref="CpuState"/> and may be changed.
/// </summary>
public sealed unsafe class InterpretedCpu : IDisposable
{
    /// <summary>Instructions between two looks at whether translated code is executed, for the statistics.</summary>
    private const ulong LookInterval = 65537;

    /// <summary>Branches outside of translated code between two looks at where execution is.</summary>
    private const ulong BranchInterval = 1637;

    /// <summary>Instructions between two looks at what other threads changed: fewer where so many calls of handlers would nest.</summary>
    private static readonly ulong Slice = HandlerChain.Nests ? 4096 : LookInterval;

    /// <summary>DR6.BS.</summary>
    private const ulong SingleStep = 1 << 14;

    /// <summary>DR7.GD, which entering a #DB handler clears.</summary>
    private const ulong GeneralDetect = 1 << 13;

    private const Interruptibility Shadow = Interruptibility.BlockedBySti | Interruptibility.BlockedByMovSs;

    private readonly CpuState* _cpu;
    private readonly Execution* _execution;
    private readonly CodeCache _code;
    private readonly HotCode _hot;
    private readonly HookRanges<InstructionHook> _hooks;
    private readonly ICpuHost? _host;
    private readonly bool _ownsCodePages;
    private readonly bool _deliversExceptions;
    private readonly ExecutionTier _tier;
    private readonly long[] _ticks = new long[2];
    private readonly ulong _branchInterval;
    private ulong _untilLook = LookInterval;
    private long _lastLook = Stopwatch.GetTimestamp();
    private readonly GCHandle _self;
    private ulong _atMost;
    private ulong _behindSlice;
    private ulong _told;
    private bool _alone;
    private bool _looksAgain;
    private volatile bool _asked;

    /// <summary>Prepares a CPU, which must have its RAM and its TLB.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="systemCallsLeave">SYSCALL stops the run instead of entering the guest's kernel.</param>
    /// <param name="deliversExceptions">Exceptions go to the guest's interrupt table instead of stopping the run.</param>
    /// <param name="tier">What executes the instructions.</param>
    /// <param name="sensitive">How translated code calls the sensitive ops; without it the interpreter executes their instructions.</param>
    public InterpretedCpu(CpuState* cpu, bool systemCallsLeave = false, bool deliversExceptions = false, ExecutionTier tier = ExecutionTier.Interpreted, SensitiveCalls? sensitive = null)
        : this(cpu, null, new HookRanges<InstructionHook>(), sensitive, systemCallsLeave, deliversExceptions, tier)
    {
    }

    /// <summary>Prepares a CPU of a machine.</summary>
    internal InterpretedCpu(CpuState* cpu, ICpuHost host, HookRanges<InstructionHook> hooks, SensitiveCalls sensitive, ExecutionTier tier)
        : this(cpu, host, hooks, sensitive, systemCallsLeave: false, deliversExceptions: true, tier)
    {
    }

    private InterpretedCpu(CpuState* cpu, ICpuHost? host, HookRanges<InstructionHook> hooks, SensitiveCalls? sensitive, bool systemCallsLeave, bool deliversExceptions, ExecutionTier tier)
    {
        _cpu = cpu;
        _tier = tier;
        _branchInterval = tier == ExecutionTier.Automatic ? BranchInterval : ulong.MaxValue;
        _host = host;
        _hooks = hooks;
        _deliversExceptions = deliversExceptions;
        // SAFETY: zeroed memory is a valid state; Dispose releases it.
        _execution = (Execution*)NativeMemory.AllocZeroed((nuint)sizeof(Execution));
        _execution->SystemCallsLeave = systemCallsLeave;
        _execution->PassedHook = HookedInstruction.None;
        _ownsCodePages = cpu->CodePages == null;
        if (_ownsCodePages)
            CodePages.Join(cpu, CodePages.Allocate(cpu->RamSize));
        _self = GCHandle.Alloc(this, GCHandleType.Weak);
        _execution->Owner = GCHandle.ToIntPtr(_self);
        _execution->CatchUp = &CatchUp;
        _execution->MustLeave = &MustLeave;
        cpu->Execution = _execution;
        _code = new CodeCache(cpu, hooks, sensitive);
        _hot = new HotCode(cpu, _code, hooks, sensitive);
    }

    /// <summary>
    /// How many instructions were completed since the interpreter was made. A repeated string instruction is one, when its
    /// last step is done; one that faults is none, one that traps (INT3, a single step) is one. Interrupts and hooks are none.
    /// </summary>
    public ulong Instructions { get; internal set; }

    /// <summary>Who is called before instructions.</summary>
    internal HookRanges<InstructionHook> Hooks => _hooks;

    /// <summary>What becomes of the code at the next instruction, which was fetched.</summary>
    internal ExplainedRegion Explain() => _hot.Explain(_cpu->Rip, AccessModes.Of(_cpu));

    /// <summary>Where the translated code that is there now calls sensitive ops.</summary>
    public PatchReport SensitiveSites => PatchReport.Of(_code.SensitiveSites);

    /// <summary>What the translator did so far.</summary>
    public TranslationStatistics Translation => new(
        _hot.Translations.Regions,
        _hot.Translations.Instructions,
        _hot.Translations.Kept,
        _hot.Translations.CompileTime,
        Stopwatch.GetElapsedTime(0, _ticks[1]),
        Stopwatch.GetElapsedTime(0, _ticks[0]),
        _execution->RegionExits[(int)ExitReason.Memory],
        _execution->RegionExits[(int)ExitReason.Instruction],
        _execution->RegionExits[(int)ExitReason.Budget],
        _execution->RegionExits[(int)ExitReason.Target]);

    /// <summary>Guest instructions in translated code at which all of it is forgotten and its memory given back.</summary>
    public int TranslationLimit
    {
        get => _hot.Translations.MostInstructions;
        set => _hot.Translations.MostInstructions = value;
    }

    /// <summary>Executes up to a number of instructions.</summary>
    public StopReason Run(ulong instructions)
    {
        ulong end = Instructions + Math.Min(instructions, ulong.MaxValue - Instructions);
        _asked = false;
        while (true)
        {
            if (TrapIsDue)
            {
                if (RaiseTrap() is { } stop)
                    return stop;
                continue;
            }

            if (Instructions >= end)
                return new StopReason.InstructionLimit();
            if (_asked)
                return new StopReason.Asked();
            Enter();
            if (_cpu->EventPending != 0 && (_cpu->Interruptibility & Shadow) == Interruptibility.None && _execution->PassedHook != _cpu->Rip)
            {
                if (_host == null && (_cpu->RFlags & RFlags.InterruptEnable) != 0)
                    return new StopReason.EventPending();
                if (_host != null && _host.TryTakeEvent(out byte vector))
                {
                    if (Interrupt(vector) is { } stop)
                        return stop;
                    continue;
                }
            }

            if (Step(end - Instructions) is { } reason)
                return reason;
        }
    }

    /// <summary>
    /// Takes an interrupt from outside, as the interrupt controller gives it: RIP is then at its handler, or the CPU is shut down.
    /// </summary>
    public StopReason? Interrupt(byte vector) => Deliver(vector, 0, 0, EventSource.External);

    /// <summary>Lets the run that is going on return before its next instruction, or soon if the call comes from another thread.</summary>
    internal void Leave() => _asked = true;

    /// <summary>Somebody who may change anything was called by a sensitive instruction: what the loop holds is looked at before the next one.</summary>
    internal void LookAgain() => _looksAgain = true;

    /// <summary>Releases what the interpreter holds; the CPU's state stays.</summary>
    public void Dispose()
    {
        _hot.Dispose();
        _code.Dispose();
        _cpu->Execution = null;
        _cpu->JumpCache = null;
        _cpu->DataTlb = null;
        if (_ownsCodePages)
        {
            CodePages.Free(_cpu->CodePages);
            _cpu->CodePages = null;
        }

        // SAFETY: the constructor made the block.
        NativeMemory.Free(_execution);
        _self.Free();
    }

    /// <summary>Whether a debug trap of an instruction that is done waits for nothing more.</summary>
    private bool TrapIsDue => _cpu->PendingDebug != 0 && (_cpu->Interruptibility & Interruptibility.BlockedByMovSs) == Interruptibility.None;

    /// <summary>
    /// Whether there is something to do before or after each single instruction: single step, an instruction that is resumed, a
    /// shadow, breakpoints.
    /// </summary>
    private bool Stepwise =>
        (_cpu->RFlags & (RFlags.Trap | RFlags.Resume)) != 0 || (_cpu->Interruptibility & Shadow) != Interruptibility.None || Breakpoints.AnyEnabled(_cpu);

    /// <summary>Executes a slice, or one instruction with all that debugging asks for (Intel SDM vol. 3, 6.9 and 17.3).</summary>
    private StopReason? Step(ulong atMost)
    {
        bool stepwise = Stepwise;
        bool resumes = (_cpu->RFlags & RFlags.Resume) != 0;
        Interruptibility shadow = _cpu->Interruptibility & Shadow;
        if (stepwise && !resumes && (shadow & Interruptibility.BlockedByMovSs) == Interruptibility.None && Breakpoints.AtInstruction(_cpu, _code.Linear(_cpu->Rip)) is var hits and not 0)
        {
            _cpu->Dr[6] |= hits;
            return Raise(Vectors.Debug, 0, 0, EventSource.Exception);
        }

        MemoryFault fetchFault = default;
        DecodedInstruction* u = ControlFlow.Known(_cpu, _cpu->Rip);
        if (u == null)
            u = _code.Find(_cpu->Rip, _execution->Mode, isSought: _execution->Cause is LeaveCause.IndirectLookup, out fetchFault);
        if (u == null)
            return Raise(fetchFault.Vector, fetchFault.ErrorCode, fetchFault.Address, EventSource.Exception);

        bool traps = (_cpu->RFlags & RFlags.Trap) != 0;
        ulong pending = _cpu->PendingDebug;
        _cpu->Interruptibility &= ~Shadow;
        _cpu->RFlags &= ~RFlags.Resume;
        ulong before = Instructions;
        if (_tier == ExecutionTier.Translated && !stepwise && !_alone)
            _hot.Translate(_cpu->Rip, _execution->Mode, atOnce: true);
        Execute(u, AtMost(stepwise || _alone ? 1 : atMost));
        _host?.Passed(Instructions - before - _told);
        if (_tier == ExecutionTier.Automatic)
            Look(Instructions - before);
        LeaveCause cause = _execution->Cause;
        _alone = cause is LeaveCause.Fault && _execution->Vector == MemoryFault.RunAlone;
        bool undone = _alone || cause is LeaveCause.NotYetDecoded or LeaveCause.Hook;
        if (!undone && cause is not LeaveCause.Interrupted)
            _execution->PassedHook = HookedInstruction.None;
        if (undone || cause is LeaveCause.Fault)
            _cpu->PendingDebug = pending;
        if (undone)
        {
            // Nothing was executed, so nothing that waits for an instruction is over.
            _cpu->Interruptibility |= shadow;
            _cpu->RFlags |= resumes ? RFlags.Resume : 0;
            if (cause is LeaveCause.Hook)
                CallHooks();
            return null;
        }

        if (cause is LeaveCause.Fault)
            return Raise(_execution->Vector, _execution->ErrorCode, _execution->Address, EventSource.Exception);
        if (cause is LeaveCause.Trap)
            return Raise(_execution->Vector, 0, 0, _execution->AnyPrivilege ? EventSource.PrivilegedSoftware : EventSource.Software);

        // Between two steps of a repeated instruction RF is set, so that its own breakpoint does not hit again (17.3.1.1).
        if (cause is LeaveCause.Interrupted)
            _cpu->RFlags |= RFlags.Resume;
        if (traps && cause is not LeaveCause.TaskSwitched && (_cpu->Interruptibility & Interruptibility.BlockedByMovSs) == Interruptibility.None)
            _cpu->PendingDebug |= SingleStep;
        return cause switch
        {
            LeaveCause.SystemCall => new StopReason.SystemCall(),
            LeaveCause.Halt when !TrapIsDue => new StopReason.Halted(),
            _ => null,
        };
    }

    /// <summary>Raises #DB for what the last instruction left pending.</summary>
    private StopReason? RaiseTrap()
    {
        _cpu->Dr[6] |= _cpu->PendingDebug;
        _cpu->PendingDebug = 0;
        return Raise(Vectors.Debug, 0, 0, EventSource.Exception);
    }

    /// <summary>Delivers an exception or software interrupt to the guest, or makes it the reason to stop.</summary>
    private StopReason? Raise(uint vector, uint errorCode, ulong address, EventSource source)
    {
        if (!_deliversExceptions)
            return new StopReason.Exception(vector, errorCode, address);
        if (source == EventSource.Exception && vector == Vectors.PageFault)
            _cpu->Cr2 = address;
        if (vector == Vectors.Debug && source != EventSource.Software)
            _cpu->Dr[7] &= ~GeneralDetect;
        return Deliver(vector, errorCode, address, source);
    }

    private StopReason.Shutdown? Deliver(uint vector, uint errorCode, ulong address, EventSource source)
    {
        _host?.Delivering(new EventDelivered((byte)vector, source, errorCode, address));
        return GateDelivery.TryDeliver(_cpu, vector, errorCode, source, _execution->TrapRip) ? null : new StopReason.Shutdown();
    }

    /// <summary>So many instructions were executed: at times what is executed then is translated, if it is often.</summary>
    private void Look(ulong executed)
    {
        if (_cpu->BranchesLeft == 0)
            _hot.Translate(_cpu->Rip, _execution->Mode, atOnce: false);

        // A region may leave some, see Execution.EndsExactly.
        _untilLook -= Math.Min(executed, _untilLook);
        if (_untilLook > 2 * RegionCompiler.MostInstructions)
            return;
        _untilLook = LookInterval;
        long now = Stopwatch.GetTimestamp();
        _ticks[_hot.IsTranslated(_cpu->Rip, _execution->Mode) ? 1 : 0] += now - _lastLook;
        _lastLook = now;
    }

    private ulong AtMost(ulong left)
    {
        ulong limit = _host == null ? left : Math.Min(left, Math.Max(1, _host.Horizon));
        _execution->EndsExactly = limit <= _untilLook;
        return Math.Min(_untilLook, limit);
    }

    /// <summary>A hook may stop the run; the instruction is then executed first when it goes on, without another call.</summary>
    private void CallHooks()
    {
        _execution->PassedHook = _cpu->Rip;
        _alone = true;
        foreach (HookRange<InstructionHook> range in _hooks.All)
        {
            if (range.Touches(_execution->PassedHook, _execution->PassedHook))
                range.Hook(_cpu);
        }
    }

    /// <summary>Brings what handlers use into line with privilege, mode, translations and code as they are now.</summary>
    private void Enter()
    {
        _code.FollowHooks();
        _code.FollowSensitive();
        _hot.FollowTranslator();
        _execution->Mode = AccessModes.Of(_cpu);
        bool user = _execution->Mode == AccessMode.User;
        _execution->ChecksAlignment = user && (_cpu->RFlags & RFlags.AlignmentCheck) != 0 && (_cpu->Cr0 & Cr0Bits.AlignmentMask) != 0;
        _cpu->DataTlb = _execution->ChecksAlignment ? Tlb.Nothing(_cpu) : Tlb.Table(_cpu, _execution->Mode);
        _code.Serve(user);
        _code.FollowTranslations();
        if (_cpu->CodePages->Changes != _execution->KnownChanges)
        {
            _execution->KnownChanges = _cpu->CodePages->Changes;
            _code.ForgetAddresses();
        }
    }

    private static InterpretedCpu Of(CpuState* cpu) => (InterpretedCpu)GCHandle.FromIntPtr(Execution.Of(cpu)->Owner).Target!;

    private static void CatchUp(CpuState* cpu)
    {
        InterpretedCpu owner = Of(cpu);
        ulong done = owner._atMost - owner._behindSlice - cpu->Left - 1;
        owner._host?.Passed(done - owner._told);
        owner._told = done;
        owner._looksAgain = false;
        owner._execution->CaughtUp = true;
        cpu->RunsMany = 0;
    }

    /// <summary>
    /// Whether what <see cref="Enter"/> and <see cref="Run"/> found is no longer so: an event is pending, the run is to end, an alarm is due
    /// before it would, or hooks, targets, translations or code changed.
    /// </summary>
    private static bool MustLeave(CpuState* cpu)
    {
        InterpretedCpu owner = Of(cpu);
        return cpu->EventPending != 0 || owner._asked || owner._looksAgain || owner._code.IsStale ||
            cpu->CodePages->Changes != owner._execution->KnownChanges ||
            (owner._host != null && owner._host.Horizon <= owner._behindSlice + cpu->Left);
    }

    /// <summary>
    /// The loop: every turn is one instruction, or many that follow each other by themselves. It is compiled once for good, since a
    /// loop that is profiled first is slower for long.
    /// </summary>
    private void Execute(DecodedInstruction* u, ulong atMost)
    {
        _execution->Cause = LeaveCause.None;
        _execution->CaughtUp = false;
        CpuState* state = _cpu;
        state->RunsMany = atMost == 1 ? 0u : 1u;
        if (state->BranchesLeft == 0)
            state->BranchesLeft = _branchInterval;
        ulong left = atMost;
        _atMost = atMost;
        _told = 0;
        do
        {
            ulong slice = Math.Min(Slice, left);
            _behindSlice = left - slice;
            state->Left = slice;
            while (u != null && state->Left != 0 && state->BranchesLeft != 0)
            {
                // Most handlers go on by themselves.
                state->Left--;
                u = u->Handler(state, u);
            }

            if (u == null && _execution->Cause is LeaveCause.Fault or LeaveCause.NotYetDecoded or LeaveCause.Interrupted or LeaveCause.Hook)
                state->Left++;
            left -= slice - state->Left;
        }
        while (u != null && left != 0 && state->BranchesLeft != 0 && state->EventPending == 0 && !_asked);

        if (u != null)
            _cpu->Rip = u->Rip;
        state->RunsMany = 0;
        Instructions += atMost - left;
    }
}
