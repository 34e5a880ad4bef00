using System.Runtime.InteropServices;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Devices;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator;

/// <summary>
/// A simulated x86-64 machine whose guest is C#: the guest's code runs on a host thread and reaches the machine through
/// the <see cref="CpuState"/> of its vCPU. A process may have many machines; they share nothing.
/// </summary>
public sealed unsafe class Machine : IDisposable
{
    private const int ThreadStackBytes = 16 << 20;

    private readonly Board _board;
    private readonly GCHandle _handle;
    private readonly Lock _oneRun = new();
    private readonly SemaphoreSlim _workReady = new(0);
    private readonly SemaphoreSlim _exitReady = new(0);
    private readonly Thread _thread;
    private Action? _work;
    private MachineExit? _exit;
    private MachineExit? _off;
    private bool _disposed;

    /// <summary>Builds a machine; its vCPUs stand at reset.</summary>
    public Machine(MachineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Cpus, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Cpus, MachineOptions.MaxCpus, nameof(options));
        Memory = new PhysicalMemory(options.RamSize);
        Clock = options.Clock ?? new HostClock();
        Console = new SerialPort(options.Console);
        _board = new Board(Memory, Clock, options.WallClock, options.Platform, options.Cpus, new RandomSource(options.RandomSeed), new ExitSignal(Publish));
        AddDevices(options.WallClock);
        _handle = GCHandle.Alloc(this, GCHandleType.Weak);
        for (int index = 0; index < options.Cpus; index++) Cpu(index)->Machine = GCHandle.ToIntPtr(_handle);
        _thread = new Thread(RunWork, ThreadStackBytes) { IsBackground = true, Name = "vCPU" };
        _thread.Start();
    }

    /// <summary>The machine's RAM.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>The machine's clock.</summary>
    public MachineClock Clock { get; }

    /// <summary>The guest's console, where its input goes in.</summary>
    public SerialPort Console { get; }

    /// <summary>The name of what stands under the guest.</summary>
    public string PlatformName => _board.Platform.Name;

    /// <summary>How many vCPUs it has.</summary>
    public int CpuCount => _board.CpuCount;

    /// <summary>The state of a vCPU; 0 is the boot one. Good until the machine is disposed.</summary>
    public CpuState* Cpu(int index) => _board.Cpu(index);

    /// <summary>
    /// Runs guest code on the boot vCPU's thread, which is the same for all calls, and waits until the machine stops.
    /// After any exit but <see cref="MachineExit.Returned"/> the machine is off: further calls return that exit.
    /// </summary>
    public MachineExit Run(Action guest)
    {
        ArgumentNullException.ThrowIfNull(guest);
        if (Thread.CurrentThread == _thread) throw new InvalidOperationException("A guest cannot run its own machine.");
        lock (_oneRun)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_off != null) return _off;
            _work = guest;
            _workReady.Release();
            _exitReady.Wait();
            MachineExit exit = _exit!;
            if (exit is not MachineExit.Returned) _off = exit;
            return exit;
        }
    }

    /// <summary>
    /// Opens a line by which the owner interrupts vCPUs from outside, as a device would. While one is open a machine that
    /// waits in HLT waits on; with none open it knows that nothing can wake it.
    /// </summary>
    public InterruptLine OpenLine() => new(_board);

    /// <summary>Frees the machine. Waits for a run to end. A guest that is off keeps its sleeping thread, nothing else.</summary>
    public void Dispose()
    {
        if (Thread.CurrentThread == _thread) throw new InvalidOperationException("A guest cannot dispose its own machine.");
        lock (_oneRun)
        {
            if (_disposed) return;
            _disposed = true;
            _work = null;
            _workReady.Release();
            if (_off == null) _thread.Join();
            Clock.Dispose();
            _board.Dispose();
            _handle.Free();
            Memory.Dispose();
        }
    }

    private void AddDevices(TimeProvider wallClock)
    {
        PortBus ports = _board.Ports;
        ports.Add(Console);
        ports.Add(new PostCode());
        ports.Add(new InterruptController());
        ports.Add(new IntervalTimer(Clock));
        ports.Add(new RealTimeClock(wallClock));
        ports.Add(new PowerControl(_board.Exit));
        ports.Add(new PanicPort(() => Console.LastLines, _board.Exit));
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
            _board.Scheduler.Start();
            guest();
            _board.Scheduler.Stop();
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
