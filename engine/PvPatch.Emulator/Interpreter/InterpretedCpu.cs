using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Emulator.Hooks;
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

    private readonly CpuState* _cpu;
    private readonly Execution* _execution;
    private readonly CodeCache _code;
    private readonly HookRanges<InstructionHook> _hooks;
    private readonly ICpuHost? _host;
    private readonly bool _ownsCodePages;
    private readonly bool _deliversExceptions;
    private bool _alone;
    private volatile bool _asked;

    /// <summary>Prepares a CPU, which must have its RAM and its TLB.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="systemCallsLeave">SYSCALL stops the run instead of entering the guest's kernel.</param>
    /// <param name="deliversExceptions">Exceptions go to the guest's IDT (in long mode) instead of stopping the run.</param>
    public InterpretedCpu(CpuState* cpu, bool systemCallsLeave = false, bool deliversExceptions = false)
        : this(cpu, null, new HookRanges<InstructionHook>(), systemCallsLeave, deliversExceptions)
    {
    }

    /// <summary>Prepares a CPU of a machine.</summary>
    internal InterpretedCpu(CpuState* cpu, ICpuHost host, HookRanges<InstructionHook> hooks)
        : this(cpu, host, hooks, systemCallsLeave: false, deliversExceptions: true)
    {
    }

    private InterpretedCpu(CpuState* cpu, ICpuHost? host, HookRanges<InstructionHook> hooks, bool systemCallsLeave, bool deliversExceptions)
    {
        _cpu = cpu;
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
        cpu->Execution = _execution;
        _code = new CodeCache(cpu, hooks);
    }

    /// <summary>
    /// How many instructions were completed since the interpreter was made. A repeated string instruction is one, when its
    /// last step is done; one that faults is none, one that traps (INT3, a single step) is one. Interrupts and hooks are none.
    /// </summary>
    public ulong Instructions { get; internal set; }

    /// <summary>Executes up to a number of instructions.</summary>
    public StopReason Run(ulong instructions)
    {
        ulong end = Instructions + Math.Min(instructions, ulong.MaxValue - Instructions);
        _asked = false;
        while (Instructions < end)
        {
            if (_asked)
                return new StopReason.Asked();
            Enter();
            if (_cpu->EventPending != 0 && !_execution->Shadow && _execution->PassedHook != _cpu->Rip)
            {
                if (_host == null && (_cpu->RFlags & RFlags.InterruptEnable) != 0)
                    return new StopReason.EventPending();
                if (_host != null && _host.TryTakeEvent(out byte pending))
                {
                    if (Interrupt(pending) is { } stop)
                        return stop;
                    continue;
                }
            }

            MemoryFault fetchFault = default;
            DecodedInstruction* u = ControlFlow.Known(_cpu, _cpu->Rip);
            if (u == null)
                u = _code.Find(_cpu->Rip, _execution->Mode, out fetchFault);
            if (u == null)
            {
                if (Raise(fetchFault.Vector, fetchFault.ErrorCode, fetchFault.Address, EventSource.Exception) is { } stop)
                    return stop;
                continue;
            }

            bool trap = (_cpu->RFlags & RFlags.Trap) != 0;
            bool shadow = _execution->Shadow;
            bool single = shadow || trap;
            _execution->Shadow = false;
            ulong before = Instructions;
            Execute(u, single || _alone ? 1 : AtMost(end - before));
            _host?.Passed(Instructions - before);
            bool stays = _execution->Cause is LeaveCause.NotYetDecoded or LeaveCause.Interrupted or LeaveCause.Hook;
            _alone = _execution->Cause == LeaveCause.Fault && _execution->Vector == MemoryFault.RunAlone;
            if (!stays && !_alone)
                _execution->PassedHook = HookedInstruction.None;
            if (stays)
                _execution->Shadow = shadow;
            switch (_execution->Cause)
            {
                case LeaveCause.Fault when _alone:
                    continue;
                case LeaveCause.Hook:
                    CallHooks();
                    continue;
                case LeaveCause.Fault or LeaveCause.Trap:
                    EventSource source = _execution->Cause == LeaveCause.Trap ? EventSource.Software : EventSource.Exception;
                    if (Raise(_execution->Vector, _execution->ErrorCode, _execution->Address, source) is { } stop)
                        return stop;
                    continue;
                case LeaveCause.SystemCall:
                    return new StopReason.SystemCall();
                case LeaveCause.Halt:
                    return new StopReason.Halted();
                default:
                    break;
            }

            if (trap && !stays)
            {
                _cpu->Dr[6] |= SingleStep;
                if (Raise(Vectors.Debug, 0, 0, EventSource.Exception) is { } stop)
                    return stop;
            }
        }

        return new StopReason.InstructionLimit();
    }

    /// <summary>Takes an interrupt from outside, as the interrupt controller gives it: RIP is then at its handler, or the CPU is shut down.</summary>
    public StopReason? Interrupt(byte vector)
    {
        _host?.Delivering(new EventDelivered(vector, EventSource.External, 0, 0));
        return GateDelivery.TryDeliver(_cpu, vector, 0, EventSource.External) ? null : new StopReason.Shutdown();
    }

    /// <summary>Lets the run that is going on return before its next instruction, or soon if the call comes from another thread.</summary>
    internal void Leave() => _asked = true;

    /// <summary>Releases what the interpreter holds; the CPU's state stays.</summary>
    public void Dispose()
    {
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
    }

    /// <summary>Delivers an exception to the guest, or makes it the reason to stop.</summary>
    private StopReason? Raise(uint vector, uint errorCode, ulong address, EventSource source)
    {
        bool longMode = (_cpu->Efer & EferBits.LongModeActive) != 0;
        if (!_deliversExceptions || !longMode)
            return new StopReason.Exception(vector, errorCode, address);
        if (source == EventSource.Exception && vector == Vectors.PageFault)
            _cpu->Cr2 = address;
        _host?.Delivering(new EventDelivered((byte)vector, source, errorCode, address));
        return GateDelivery.TryDeliver(_cpu, vector, errorCode, source) ? null : new StopReason.Shutdown();
    }

    private ulong AtMost(ulong left)
    {
        ulong most = Math.Min(Slice, left);
        return _host == null ? most : Math.Min(most, Math.Max(1, _host.Horizon));
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
        _execution->Mode = AccessModes.Of(_cpu);
        _cpu->DataTlb = Tlb.Table(_cpu, _execution->Mode);
        _cpu->JumpCache = _code.JumpCache(_execution->Mode == AccessMode.User);
        _code.FollowTranslations();
        if (_cpu->CodePages->Changes != _execution->KnownChanges)
        {
            _execution->KnownChanges = _cpu->CodePages->Changes;
            _code.ForgetAddresses();
        }
    }

    /// <summary>The loop: every turn is one instruction. It is compiled once for good, since a loop that is profiled first is slower for long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Execute(DecodedInstruction* u, ulong atMost)
    {
        _execution->Cause = LeaveCause.None;
        CpuState* state = _cpu;
        state->RunsMany = atMost == 1 ? 0u : 1u;
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
            _cpu->Rip = u->Rip;
        else if (_execution->Cause is LeaveCause.Fault or LeaveCause.NotYetDecoded or LeaveCause.Interrupted or LeaveCause.Hook)
            left++;
        state->RunsMany = 0;
        Instructions += atMost - left;
    }
}
