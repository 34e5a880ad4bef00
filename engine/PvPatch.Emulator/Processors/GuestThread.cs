using PvPatch.Emulator.Exits;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The host thread that a C# guest runs on, the same for all its calls. Below the guest's code lie unmanaged frames that no
/// exception may cross, so a machine that stops in the middle of an instruction tells its exit and lets the thread sleep
/// for ever; it is a background thread and holds nothing.
/// </summary>
internal sealed class GuestThread : IDisposable
{
    private const int StackBytes = 16 << 20;

    private readonly VcpuScheduler _scheduler;
    private readonly SemaphoreSlim _workReady = new(0);
    private readonly SemaphoreSlim _exitReady = new(0);
    private readonly Thread _thread;
    private Action? _work;
    private MachineExit? _exit;
    private bool _ended;

    public GuestThread(VcpuScheduler scheduler)
    {
        _scheduler = scheduler;
        _thread = new Thread(RunWork, StackBytes) { IsBackground = true, Name = "vCPU" };
        _thread.Start();
    }

    /// <summary>Whether the caller is the guest itself.</summary>
    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Runs guest code and waits until the machine stops.</summary>
    public MachineExit Run(Action guest)
    {
        _work = guest;
        _workReady.Release();
        _exitReady.Wait();
        _ended = _exit is not MachineExit.Returned;
        return _exit!;
    }

    /// <summary>Stops the machine from the guest's own thread; does not return there.</summary>
    public void Exit(MachineExit exit)
    {
        Publish(exit);
        if (IsCurrent) Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>Ends the thread, unless it sleeps.</summary>
    public void Dispose()
    {
        _work = null;
        _workReady.Release();
        if (_ended) return;
        _thread.Join();
        _workReady.Dispose();
        _exitReady.Dispose();
    }

    private void RunWork()
    {
        while (true)
        {
            _workReady.Wait();
            if (_work is not { } work) return;
            _work = null;
            MachineExit exit = RunGuest(work);
            Publish(exit);
            if (exit is not MachineExit.Returned) return;
        }
    }

    private MachineExit RunGuest(Action guest)
    {
        try
        {
            _scheduler.Start();
            guest();
            _scheduler.Stop();
            return new MachineExit.Returned();
        }
        catch (Exception exception)
        {
            return new MachineExit.Threw(exception);
        }
    }

    private void Publish(MachineExit exit)
    {
        _exit = exit;
        _exitReady.Release();
    }
}
