using System.Runtime.InteropServices;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Devices;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Reports;

namespace PvPatch.Emulator;

/// <summary>
/// A simulated x86-64 machine. Its guest is x86 code in its memory (<see cref="Run(ulong)"/>), or C# code on a host thread
/// that reaches the machine through the <see cref="CpuState"/> of its vCPU (<see cref="Run(Action)"/>); the first run
/// decides which. A process may have many machines; they share nothing.
/// </summary>
public sealed unsafe class Machine : IDisposable
{
    private readonly Board _board;
    private readonly InterruptController _interrupts;
    private readonly GCHandle _handle;
    private readonly Lock _oneRun = new();
    private readonly ExecutionTier _tier;
    private readonly SensitiveBinding _sensitive;
    private GuestThread? _guest;
    private MachineExit? _off;
    private bool _disposed;

    /// <summary>Builds a machine; its vCPUs stand at reset.</summary>
    public Machine(MachineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Cpus, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Cpus, MachineOptions.MaxCpus, nameof(options));
        _tier = options.Tier;
        _sensitive = options.Sensitive;
        Memory = new PhysicalMemory(options.RamSize);
        Clock = options.Clock ?? new HostClock();
        _interrupts = new InterruptController();
        Console = new SerialPort(options.Console, _interrupts);
        _board = new Board(Memory, Clock, options.WallClock, options.Platform, options.Cpus, new RandomSource(options.RandomSeed), _interrupts, options.ExitOn);
        AddDevices(options.WallClock);
        _handle = GCHandle.Alloc(this, GCHandleType.Weak);
        for (int index = 0; index < options.Cpus; index++) Cpu(index)->Machine = GCHandle.ToIntPtr(_handle);
    }

    /// <summary>The machine's physical memory. Regions are added before the first run.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>The machine's clock.</summary>
    public MachineClock Clock { get; }

    /// <summary>The ports and the devices behind them.</summary>
    public PortBus Ports => _board.Ports;

    /// <summary>The guest's console, where its input goes in.</summary>
    public SerialPort Console { get; }

    /// <summary>Calls from the middle of a run.</summary>
    public MachineHooks Hooks => _board.Hooks;

    /// <summary>The name of what stands under the guest.</summary>
    public string PlatformName => _board.Platform.Name;

    /// <summary>How many vCPUs it has.</summary>
    public int CpuCount => _board.CpuCount;

    /// <summary>
    /// Instructions of x86 code that all vCPUs completed. A repeated string instruction is one, when its last step is done;
    /// one that faults is none, one that traps is one; interrupts and hooks are none.
    /// </summary>
    public ulong Instructions => _board.Code?.Instructions ?? 0;

    /// <summary>What answers the guest's sensitive instructions.</summary>
    public SensitiveTable Sensitive => _board.Sensitive;

    /// <summary>Where the translated code that there is now calls sensitive ops, and how.</summary>
    public PatchReport SensitiveSites => PatchReport.Of(Enumerable.Range(0, CpuCount).SelectMany(index => _board.Vcpu(index).Interpreter?.SensitiveSites.Sites ?? []));

    /// <summary>What becomes of the x86 code at a vCPU's next instruction when it is translated; nothing of it is executed.</summary>
    /// <exception cref="InvalidOperationException">No x86 code was run yet, or it is no 64-bit code in RAM that was fetched from before.</exception>
    public ExplainedRegion Explain(int index) =>
        (_board.Vcpu(index).Interpreter ?? throw new InvalidOperationException("The machine ran no x86 code yet.")).Explain();

    /// <summary>The state of a vCPU; 0 is the boot one. Good until the machine is disposed; changed between runs or by hooks.</summary>
    public CpuState* Cpu(int index) => _board.Cpu(index);

    /// <summary>
    /// Runs x86 code on the caller's thread, from where the vCPUs stand, until an exit. After <see cref="MachineExit.PoweredOff"/>,
    /// <see cref="MachineExit.Panicked"/>, <see cref="MachineExit.TripleFault"/> and <see cref="MachineExit.Threw"/> the
    /// machine is off: further calls return that exit.
    /// </summary>
    /// <param name="instructions">At most so many, of all vCPUs together.</param>
    public MachineExit Run(ulong instructions = ulong.MaxValue)
    {
        lock (_oneRun)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_guest != null) throw new InvalidOperationException("The guest of this machine is C# code.");
            if (_off != null) return _off;
            MachineExit exit = (_board.Code ?? _board.ExecuteCode(_tier, _sensitive)).Run(instructions);
            if (exit is MachineExit.PoweredOff or MachineExit.Panicked or MachineExit.TripleFault or MachineExit.Threw) _off = exit;
            return exit;
        }
    }

    /// <summary>
    /// Runs guest code on the boot vCPU's thread, which is the same for all calls, and waits until the machine stops.
    /// After any exit but <see cref="MachineExit.Returned"/> the machine is off: further calls return that exit.
    /// </summary>
    public MachineExit Run(Action guest)
    {
        ArgumentNullException.ThrowIfNull(guest);
        if (_guest is { IsCurrent: true }) throw new InvalidOperationException("A guest cannot run its own machine.");
        lock (_oneRun)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_board.Code != null) throw new InvalidOperationException("The guest of this machine is x86 code.");
            if (_off != null) return _off;
            _guest ??= _board.StartGuestThread();
            MachineExit exit = _guest.Run(guest);
            if (exit is not MachineExit.Returned) _off = exit;
            return exit;
        }
    }

    /// <summary>
    /// Ends the run of x86 code that is going on with <see cref="MachineExit.Stopped"/>, from a hook or from any thread; the next
    /// run at its start, if none is going on.
    /// </summary>
    public void Stop() => _board.Stop();

    /// <summary>
    /// Writes all state of a machine that runs x86 code to a stream: vCPUs, RAM, devices, clock. It goes on from there in any
    /// machine that is built alike, exactly as it would here. Both forget what their TLBs hold. Hooks and ROM are not saved.
    /// </summary>
    /// <exception cref="SnapshotException">The guest is C# code.</exception>
    public void Save(Stream target)
    {
        ArgumentNullException.ThrowIfNull(target);
        lock (_oneRun)
        {
            PrepareForSnapshot();
            for (int index = 0; index < CpuCount; index++) _board.FlushTlb(index);
            MachineSnapshot.Save(_board, target);
        }
    }

    /// <summary>
    /// Replaces all state by what <see cref="Save"/> wrote, from where the stream stands. The machine must be built as the saved
    /// one was: vCPUs, memory regions, devices, platform, kind and frequency of the clock. A machine that was off is on again.
    /// </summary>
    /// <exception cref="SnapshotException">It cannot be restored; the machine is as it was.</exception>
    public void Restore(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        lock (_oneRun)
        {
            PrepareForSnapshot();
            MachineSnapshot.Restore(_board, source);
            _off = null;
        }
    }

    /// <summary>
    /// Opens a line by which the owner interrupts vCPUs from outside, as a device would. While one is open a machine that
    /// waits in HLT waits on; with none open it knows that nothing can wake it.
    /// </summary>
    public InterruptLine OpenLine() => new(_board);

    /// <summary>Frees the machine. Waits for a run to end. A C# guest that is off keeps its sleeping thread, nothing else.</summary>
    public void Dispose()
    {
        if (_guest is { IsCurrent: true }) throw new InvalidOperationException("A guest cannot dispose its own machine.");
        lock (_oneRun)
        {
            if (_disposed) return;
            _disposed = true;
            _guest?.Dispose();
            Clock.Dispose();
            _board.Dispose();
            _handle.Free();
            Memory.Dispose();
        }
    }

    private void PrepareForSnapshot()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_guest != null) throw new SnapshotException(SnapshotError.ManagedGuest, "its state is on the host's stacks");
        if (_board.Code == null) _board.ExecuteCode(_tier, _sensitive);
    }

    private void AddDevices(TimeProvider wallClock)
    {
        PortBus ports = _board.Ports;
        ports.Add(Console);
        ports.Add(new PostCode());
        ports.Add(_interrupts);
        ports.Add(new IntervalTimer(Clock, _interrupts));
        ports.Add(new RealTimeClock(wallClock));
        ports.Add(new PowerControl(_board.Exit));
        ports.Add(new PanicPort(() => Console.LastLines, _board.Exit));
    }
}
