using PvPatch.Emulator.Exits;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// Shares the machine's one host thread among its vCPUs, as an overcommitted host does. The boot vCPU runs ordinary code;
/// each other vCPU has a slice function (see <see cref="Vcpu.StartUp"/>) that is called, nested on the boot vCPU's stack,
/// when the boot vCPU executes PAUSE, halts or yields, and that returns at the end of its slice. While one runs the others
/// are preempted and the platform is told so: it accounts steal time and keeps the preempted byte. HLT in a slice marks the
/// vCPU halted and returns: it gets its next slice when an event or a kick woke it.
/// </summary>
/// <param name="board">The board.</param>
/// <param name="vcpus">All vCPUs, the boot one first.</param>
internal sealed unsafe class VcpuScheduler(Board board, Vcpu[] vcpus) : IVcpuScheduler
{
    /// <summary>PAUSEs in one slice after which the vCPU is held to wait for somebody who cannot run.</summary>
    private const int MaxPausesInSlice = 10_000_000;

    private readonly Vcpu _boot = vcpus[0];
    private int _running;
    private int _last;
    private int _pausesInSlice;

    public Vcpu Running => vcpus[_running];

    /// <summary>The boot vCPU starts to run guest code.</summary>
    public void Start()
    {
        _running = 0;
        board.Platform.Enter(_boot.State);
    }

    /// <summary>The guest's code came back to the owner.</summary>
    public void Stop() => board.Platform.Leave(_boot.State, runnable: false);

    /// <summary>PAUSE.</summary>
    public void Pause(Vcpu vcpu)
    {
        board.Clock.Read();
        if (vcpu != _boot) CountPause(vcpu);
        else GiveSlice(bootRunnable: true);
    }

    /// <summary>HLT.</summary>
    public void Halt(Vcpu vcpu)
    {
        if (vcpu == _boot) HaltBoot();
        else if (vcpu.TakeKick() || vcpu.CanWake) vcpu.TakeEvents();
        else vcpu.Halted = true;
    }

    /// <summary>A directed yield: another vCPU runs for a slice if it can.</summary>
    public void YieldTo(int from, int index)
    {
        if (from != 0 || _running != 0 || index == 0 || !vcpus[index].Runnable) return;
        RunSlice(vcpus[index], bootRunnable: true);
    }

    private void HaltBoot()
    {
        while (true)
        {
            // First whether anything may still come, then whether something came: what came in between is seen.
            board.PrepareToWait();
            bool mayWake = board.HasOpenLines || board.TimersMayWake;
            if (_boot.TakeKick() || _boot.CanWake) break;
            if (GiveSlice(bootRunnable: false)) continue;
            if (!mayWake) board.Exit(new MachineExit.Halted(_boot.TakesInterrupts));
            if (board.TimersMayWake && board.Clock.SkipToNextAlarm()) continue;
            board.Platform.Leave(_boot.State, runnable: false);
            board.Wait();
            board.Platform.Enter(_boot.State);
        }

        _boot.TakeEvents();
    }

    /// <summary>Gives the next runnable vCPU, in turn, a slice. False: there is none.</summary>
    private bool GiveSlice(bool bootRunnable)
    {
        if (_running != 0) return false;
        for (int step = 1; step <= vcpus.Length; step++)
        {
            int next = (_last + step) % vcpus.Length;
            if (next == 0 || !vcpus[next].Runnable) continue;
            _last = next;
            RunSlice(vcpus[next], bootRunnable);
            return true;
        }

        return false;
    }

    private void RunSlice(Vcpu vcpu, bool bootRunnable)
    {
        _running = vcpu.State->Index;
        _pausesInSlice = 0;
        board.Platform.Leave(_boot.State, bootRunnable);
        board.Platform.Enter(vcpu.State);
        vcpu.RunSlice();
        board.Clock.PassSlice();
        board.Platform.Leave(vcpu.State, runnable: !vcpu.Halted);
        board.Platform.Enter(_boot.State);
        _running = 0;
    }

    private void CountPause(Vcpu vcpu)
    {
        if (++_pausesInSlice < MaxPausesInSlice) return;
        board.Exit(new MachineExit.Stuck($"vCPU {vcpu.State->Index} executed {_pausesInSlice} PAUSEs in one slice; what it waits for cannot happen before the slice ends"));
    }
}
