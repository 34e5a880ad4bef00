using System.Runtime.InteropServices;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Devices;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Interrupts;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;
using PvPatch.Engine.Ops;

namespace PvPatch.Emulator.Processors;

/// <summary>What the vCPUs sit on: memory, clock, ports, the platform, and the wires between them.</summary>
internal sealed unsafe class Board : IMachineControl, IApicBus, ISavedState, IDisposable
{
    private readonly CpuState* _states;
    private readonly SensitiveOps* _ops;
    private readonly Vcpu[] _vcpus;
    private readonly MemoryWatches _watches;
    private readonly ExitCauses _exitOn;
    private GuestThread? _guest;
    private readonly ManualResetEventSlim _wake = new();
    private int _openLines;
    private int _stopAsked;

    public Board(PhysicalMemory memory, MachineClock clock, TimeProvider wallClock, IPlatform platform, int cpuCount, RandomSource random, InterruptController interrupts, ExitCauses exitOn)
    {
        Memory = memory;
        Clock = clock;
        WallClock = wallClock;
        Platform = platform;
        Random = random;
        Interrupts = interrupts;
        interrupts.Requested = () => Vcpu(0).Signal();
        _watches = new MemoryWatches(WatchesChanged);
        Hooks = new MachineHooks(_watches, HooksChanged);
        ProcessorId = new ProcessorId(clock.Frequency, cpuCount);

        // SAFETY: both blocks are zeroed, sized for what they hold and freed in Dispose alone; states start on cache lines.
        nuint stateBytes = (nuint)(sizeof(CpuState) * cpuCount);
        _states = (CpuState*)NativeMemory.AlignedAlloc(stateBytes, 64);
        NativeMemory.Clear(_states, stateBytes);
        _ops = (SensitiveOps*)NativeMemory.AllocZeroed((nuint)sizeof(SensitiveOps));
        Sensitive = new SensitiveTable(_ops, Filled());

        _vcpus = new Vcpu[cpuCount];
        for (int index = 0; index < cpuCount; index++)
        {
            _states[index].Ram = memory.Base;
            _states[index].RamSize = memory.Size;
            _states[index].Memory = memory.Handle;
            _states[index].Sensitive = _ops;
            _vcpus[index] = new Vcpu(this, &_states[index], index);
        }

        Scheduler = new VcpuScheduler(this, _vcpus);
        _exitOn = exitOn;
        if (exitOn.HasFlag(ExitCauses.UnclaimedPort)) Ports.Unclaimed = UnclaimedPort;
        if ((exitOn & (ExitCauses.UnclaimedMemory | ExitCauses.RomWrite)) != ExitCauses.None) memory.Unclaimed = UnclaimedMemory;
        clock.AfterAlarms = Wake;
        if (memory.Size <= LocalApicPage.Address) memory.AddDevice(LocalApicPage.Address, LocalApicPage.Size, new LocalApicPage(this));
        platform.Attach(this);
    }

    public PhysicalMemory Memory { get; }

    public MachineClock Clock { get; }

    public TimeProvider WallClock { get; }

    public IPlatform Platform { get; }

    public RandomSource Random { get; }

    public InterruptController Interrupts { get; }

    public PortBus Ports { get; } = new();

    public ProcessorId ProcessorId { get; }

    public MachineHooks Hooks { get; }

    /// <summary>What answers sensitive instructions.</summary>
    public SensitiveTable Sensitive { get; }

    public IVcpuScheduler Scheduler { get; private set; }

    /// <summary>What runs x86 code; null for a C# guest.</summary>
    public CodeRunner? Code { get; private set; }

    public int CpuCount => _vcpus.Length;

    /// <summary>Whether somebody outside the machine may still interrupt it.</summary>
    public bool HasOpenLines => Volatile.Read(ref _openLines) != 0;

    public CpuState* Cpu(int index) => Vcpu(index).State;

    public Vcpu Vcpu(int index) => _vcpus[index];

    public ulong GuestTsc(int index, ulong now) => Vcpu(index).Tsc.At(now);

    public void Kick(int index) => Vcpu(index).Kick();

    public void Interrupt(int index, byte vector) => Vcpu(index).Apic.Raise(vector);

    public void Nmi(int index) => Vcpu(index).RaiseNmi();

    public void FlushTlb(int index) => Tlb.Flush(Cpu(index));

    public void YieldTo(CpuState* from, int index) => Scheduler.YieldTo(from->Index, index);

    /// <summary>Whether an alarm is set and some vCPU takes interrupts.</summary>
    public bool TimersMayWake => Clock.HasAlarm && _vcpus.Any(vcpu => vcpu.Started && vcpu.TakesInterrupts);

    /// <summary>The machine's guest is x86 code.</summary>
    public CodeRunner ExecuteCode(ExecutionTier tier, SensitiveBinding binding)
    {
        var sensitive = new SensitiveCalls(() => Sensitive, binding);
        CodePageMap* map = CodePages.Allocate(Memory.Top);
        Memory.CodePages = map;
        foreach (Vcpu vcpu in _vcpus)
        {
            CodePages.Join(vcpu.State, map);
            vcpu.ExecuteCode(Hooks.Instructions, sensitive, tier);
        }

        Vcpu(0).WireLegacyInterrupts();
        Code = new CodeRunner(this, _vcpus);
        Scheduler = Code;
        return Code;
    }

    /// <summary>The machine's guest is C#.</summary>
    public GuestThread StartGuestThread() => _guest = new GuestThread((VcpuScheduler)Scheduler);

    /// <summary>Whether the owner wants the run to end.</summary>
    public bool IsStopAsked => Volatile.Read(ref _stopAsked) != 0;

    /// <summary>Uses up the owner's wish.</summary>
    public bool TakeStop() => Interlocked.Exchange(ref _stopAsked, 0) != 0;

    /// <summary>The run that is going on ends, or the next one at its start. Any thread.</summary>
    public void Stop()
    {
        Interlocked.Exchange(ref _stopAsked, 1);
        Code?.LeaveSoon();
        Wake();
    }

    public void Exit(MachineExit exit)
    {
        if (Code != null) Code.Exit(exit);
        else _guest?.Exit(exit);
    }

    public void Send(int from, IpiMessage message)
    {
        foreach (Vcpu vcpu in _vcpus)
        {
            if (!message.Reaches(from, vcpu.State->Index)) continue;
            switch (message.Delivery)
            {
                case IpiDelivery.Fixed: vcpu.Apic.Raise(message.Vector); break;
                case IpiDelivery.LowestPriority: vcpu.Apic.Raise(message.Vector); return;
                case IpiDelivery.Nmi: vcpu.RaiseNmi(); break;
                case IpiDelivery.Init when vcpu.State->Index != 0: vcpu.Init(); break;
                case IpiDelivery.StartUp: vcpu.StartUp(message.Vector); break;
                default: break; // No system management mode; INIT of the boot CPU would be a reset.
            }
        }
    }

    /// <summary>Forgets wake-ups so far; what was recorded before is still found by looking.</summary>
    public void PrepareToWait() => _wake.Reset();

    /// <summary>Waits until <see cref="Wake"/> was called after <see cref="PrepareToWait"/>.</summary>
    public void Wait() => _wake.Wait();

    /// <summary>Wakes the vCPUs' thread if it waits.</summary>
    public void Wake() => _wake.Set();

    public void LineOpened() => Interlocked.Increment(ref _openLines);

    public void LineClosed()
    {
        Interlocked.Decrement(ref _openLines);
        Wake();
    }

    public void Dispose()
    {
        foreach (Vcpu vcpu in _vcpus) vcpu.Dispose();
        if (Memory.CodePages != null) CodePages.Free(Memory.CodePages);
        Memory.CodePages = null;
        _watches.Dispose();
        NativeMemory.AlignedFree(_states);
        NativeMemory.Free(_ops);
    }

    /// <summary>All state of a machine that executes x86 code, but its RAM.</summary>
    public void Transfer(StateTransfer state)
    {
        state.Same(CpuCount, "the number of vCPUs");
        state.Same(Platform.Name, "what stands under the guest");
        state.Same(string.Join(", ", Memory.Regions.Select(region => $"{region.Kind} 0x{region.Start:x} to 0x{region.End - 1:x}")), "physical memory");
        Clock.Transfer(state);
        Random.Transfer(state);
        foreach (Vcpu vcpu in _vcpus) vcpu.Transfer(state);
        Code!.Transfer(state);
        Random.Transfer(state);
        foreach (object part in (IEnumerable<object>)[Platform, .. Ports.Devices, .. Memory.Regions.Select(region => region.Device).OfType<IMemoryDevice>()])
        {
            state.Same(part.GetType().Name, "a device");
            (part as ISavedState)?.Transfer(state);
        }
    }

    /// <summary>A hypercall that the platform does not know: whether the owner answers it.</summary>
    public bool AsksOwner(CpuState* cpu)
    {
        if (!_exitOn.HasFlag(ExitCauses.Hypercall)) return false;
        Exit(new MachineExit.Hypercall(cpu->Index, cpu->Rax));
        return true;
    }

    /// <summary>The machine's own targets, the platform's over them, and what calls hooks over those while there are any.</summary>
    private Dictionary<string, PvTarget> Filled()
    {
        var targets = new Dictionary<string, PvTarget>(MachineOps.Targets, StringComparer.Ordinal);
        Platform.Fill(targets);
        if (Hooks.HasPorts) Put(MachineOps.PortHooks);
        if (Hooks.HasMsrs) Put(MachineOps.MsrHooks);
        return targets;

        void Put(IReadOnlyDictionary<string, PvTarget> over)
        {
            foreach ((string op, PvTarget target) in over) targets[op] = target;
        }
    }

    private void HooksChanged() => Sensitive.Install(Filled());

    private void UnclaimedPort(ushort port, uint size, uint? written) =>
        Exit(new MachineExit.UnclaimedPort(Scheduler.Running.State->Index, port, (int)size, written));

    private void UnclaimedMemory(UnclaimedAccess access)
    {
        if (_exitOn.HasFlag(access.InRom ? ExitCauses.RomWrite : ExitCauses.UnclaimedMemory))
            Exit(new MachineExit.UnclaimedMemory(Scheduler.Running.State->Index, access));
    }

    private void WatchesChanged()
    {
        foreach (Vcpu vcpu in _vcpus)
        {
            vcpu.State->Watches = _watches.Handle;
            Tlb.Flush(vcpu.State);
        }
    }
}
