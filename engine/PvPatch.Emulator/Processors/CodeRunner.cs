using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Snapshots;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// Runs vCPUs that execute x86 code, in turn on the caller's thread: each for up to <see cref="Turn"/> instructions, until
/// it halts, spins (PAUSE) or yields. The order depends on the guest alone, so with a virtual clock a run is repeatable.
/// </summary>
/// <param name="board">The board.</param>
/// <param name="vcpus">All vCPUs, the boot one first.</param>
internal sealed unsafe class CodeRunner(Board board, Vcpu[] vcpus) : IVcpuScheduler, ISavedState
{
    /// <summary>Instructions of a vCPU before the next one's turn.</summary>
    private const ulong Turn = 100_000;

    private MachineExit? _exit;
    private int _running;
    private int? _next;
    private bool _entered;
    private ulong _leftInTurn = Turn;

    public Vcpu Running => vcpus[_running];

    /// <summary>Instructions that all vCPUs completed.</summary>
    public ulong Instructions { get; private set; }

    /// <summary>Runs until an exit.</summary>
    /// <param name="instructions">At most so many, of all vCPUs together.</param>
    public MachineExit Run(ulong instructions)
    {
        ulong end = Instructions + Math.Min(instructions, ulong.MaxValue - Instructions);
        try
        {
            while (true)
            {
                if (TakeExit() is { } exit) return exit;
                if (Instructions >= end) return new MachineExit.InstructionLimit();
                if (FindRunnable()) RunTurn(end);
                else if (Idle() is { } halted) return halted;
            }
        }
        catch (Exception exception)
        {
            // A memory device or a hook: the frames between are ours and managed.
            Running.State->RunsMany = 0;
            return new MachineExit.Threw(exception);
        }
    }

    /// <summary>The run ends behind the instruction that is executed now.</summary>
    public void Exit(MachineExit exit)
    {
        _exit ??= exit;
        LeaveSoon();
    }

    /// <summary>The running vCPU leaves its turn: the interpreter looks between instructions, a repeated string instruction between its parts.</summary>
    public void LeaveSoon()
    {
        Vcpu vcpu = Running;
        Interlocked.Exchange(ref vcpu.State->EventPending, 1);
        vcpu.Interpreter!.Leave();
    }

    /// <summary>The running vCPU completed so many instructions.</summary>
    public void Passed(ulong instructions)
    {
        Instructions += instructions;
        _leftInTurn -= Math.Min(instructions, _leftInTurn);
        board.Clock.PassInstructions(instructions);
    }

    public void Pause(Vcpu vcpu) => EndTurn();

    public void Halt(Vcpu vcpu) => throw new InvalidOperationException("The interpreter tells HLT by its stop reason.");

    public void YieldTo(int from, int index)
    {
        if (from != _running || index == from || !vcpus[index].Runnable) return;
        _next = index;
        EndTurn();
    }

    /// <summary>Whose turn it is.</summary>
    public void Transfer(StateTransfer state)
    {
        state.Value(Instructions, value => Instructions = value);
        state.Value(ref _running);
        state.Value(ref _next);
        state.Value(ref _entered);
        state.Value(ref _leftInTurn);
        if ((uint)_running >= vcpus.Length || (_next is { } next && (uint)next >= vcpus.Length)) throw StateTransfer.Damaged("the turn is of a vCPU that is not there");
    }

    private void EndTurn()
    {
        _leftInTurn = 0;
        vcpus[_running].Interpreter!.Leave();
    }

    private MachineExit? TakeExit()
    {
        MachineExit? exit = _exit;
        _exit = null;
        return exit ?? (board.TakeStop() ? new MachineExit.Stopped() : null);
    }

    /// <summary>The vCPU that had its turn goes on if some of it is left; else the next one in order, or the one it yields to.</summary>
    private bool FindRunnable()
    {
        if (_leftInTurn != 0 && Running.Runnable) return true;
        int first = _next ?? _running + 1;
        _next = null;
        for (int step = 0; step < vcpus.Length; step++)
        {
            int index = (first + step) % vcpus.Length;
            if (!vcpus[index].Runnable) continue;
            SwitchTo(index);
            return true;
        }

        return false;
    }

    private void SwitchTo(int index)
    {
        _leftInTurn = Turn;
        if (index == _running) return;
        LeavePlatform();
        _running = index;
    }

    private void LeavePlatform()
    {
        if (!_entered) return;
        _entered = false;
        board.Platform.Leave(Running.State, runnable: !Running.Halted);
    }

    private void RunTurn(ulong end)
    {
        Vcpu vcpu = Running;
        if (!_entered)
        {
            _entered = true;
            board.Platform.Enter(vcpu.State);
        }

        if (vcpu.Halted) vcpu.TakeKick();
        vcpu.Halted = false;
        switch (vcpu.Interpreter!.Run(Math.Min(_leftInTurn, end - Instructions)))
        {
            case StopReason.Halted:
                vcpu.Halted = !vcpu.TakeKick();
                vcpu.SettleLazyEoi();
                break;
            case StopReason.Shutdown:
                _exit = new MachineExit.TripleFault($"vCPU {vcpu.State->Index}: neither an exception nor the double fault after it could be delivered at RIP 0x{vcpu.State->Rip:x}");
                break;
            case StopReason.Exception exception:
                _exit = new MachineExit.TripleFault($"vCPU {vcpu.State->Index}: vector {exception.Vector} at RIP 0x{vcpu.State->Rip:x} cannot be delivered in this mode");
                break;
            default:
                break;
        }
    }

    /// <summary>Nothing runs: goes to the next alarm, or waits, or finds that nothing can come any more.</summary>
    private MachineExit.Halted? Idle()
    {
        // First whether anything may still come, then whether something came: what came in between is seen.
        board.PrepareToWait();
        bool mayWake = board.HasOpenLines || board.TimersMayWake;
        foreach (Vcpu vcpu in vcpus)
        {
            if (vcpu.Runnable || board.IsStopAsked) return null;
        }

        if (!mayWake) return new MachineExit.Halted(vcpus[0].TakesInterrupts);
        LeavePlatform();
        if (!board.TimersMayWake || !board.Clock.SkipToNextAlarm()) board.Wait();
        return null;
    }
}
