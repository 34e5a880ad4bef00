using System.Runtime.InteropServices;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Hooks;
using PvPatch.Emulator.Interpreter;
using PvPatch.Emulator.Interrupts;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;
using PvPatch.Emulator.Translator;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The managed part of one CPU: its APIC, its time stamp counter, its MSRs, and what it does next.
/// <para>
/// <b>Pending events, without lost wake-ups.</b> Whoever raises an event, in any thread, first records it (an IRR bit, the
/// NMI flag, the kick flag), then sets <see cref="CpuState.EventPending"/>, then wakes the halted thread. The vCPU's thread
/// first clears EventPending (with a full fence), then looks at what is recorded. So a record made after the look finds
/// its EventPending set after the clearing; at worst the guest looks once more for nothing. When a record cannot be
/// delivered yet because IF is clear, EventPending is set again, so that the guest's next "enable interrupts" sees it; when
/// it waits for a lower priority, the EOI or task priority write that lowers it looks again.
/// </para>
/// </summary>
internal sealed unsafe class Vcpu : ICpuHost, ISavedState, IDisposable
{
    private readonly EventDelivery _delivery;
    private readonly X2ApicRegisters _apicRegisters;
    private readonly GCHandle _handle;
    private int _nmiWaits;
    private int _kicked;
    private bool _eoiOffered;

    public Vcpu(Board board, CpuState* state, int index)
    {
        Board = board;
        State = state;
        state->Index = index;
        Started = index == 0;
        Tsc = new TimeStampCounter(board.Clock);
        Apic = new LocalApic(state, board.Clock, Tsc, Signal);
        _apicRegisters = new X2ApicRegisters(state, Apic, board);
        Msrs = new ProcessorMsrs(state, Tsc, Apic, _apicRegisters);
        _delivery = new EventDelivery(state, story => board.Exit(new MachineExit.TripleFault(story)));
        _handle = GCHandle.Alloc(this);
        state->Vcpu = GCHandle.ToIntPtr(_handle);
        Tlb.Allocate(state);
        ResetState.Apply(state);
    }

    public Board Board { get; }

    public CpuState* State { get; }

    public TimeStampCounter Tsc { get; }

    public LocalApic Apic { get; }

    public ProcessorMsrs Msrs { get; }

    /// <summary>What executes x86 code on it; null where the guest is C#.</summary>
    public InterpretedCpu? Interpreter { get; private set; }

    /// <summary>The address of the function that runs a slice of this vCPU of a C# guest; 0 before the start-up message.</summary>
    public ulong SliceFunction { get; private set; }

    /// <summary>Whether it runs: the boot vCPU from the beginning, the others after their start-up message.</summary>
    public bool Started { get; private set; }

    /// <summary>Executed HLT and nothing woke it yet.</summary>
    public bool Halted { get; set; }

    /// <summary>Whether it would run if it had a host thread.</summary>
    public bool Runnable => Started && (!Halted || CanWake);

    /// <summary>Whether something would end a HLT now.</summary>
    public bool CanWake
        => Volatile.Read(ref _kicked) != 0
            || NmiDeliverable
            || (TakesInterrupts && (Apic.HasDeliverable || HasLegacyRequest));

    /// <summary>Whether RFLAGS.IF is set.</summary>
    public bool TakesInterrupts => (State->RFlags & RFlags.InterruptEnable) != 0;

    /// <summary>Whether the interrupt controller asks, and the APIC lets it through: by LINT0, or being switched off.</summary>
    private bool HasLegacyRequest => State->Index == 0 && _apicRegisters.PassesLegacyInterrupts && Board.Interrupts.HasRequest;

    private bool NmiDeliverable => Volatile.Read(ref _nmiWaits) != 0 && (State->Interruptibility & Interruptibility.BlockedByNmi) == Interruptibility.None;

    /// <summary>The vCPU a state belongs to.</summary>
    public static Vcpu Of(CpuState* cpu) => (Vcpu)GCHandle.FromIntPtr(cpu->Vcpu).Target!;

    /// <summary>Wakes it out of HLT, now or at its next one. Any thread.</summary>
    public void Kick()
    {
        Interlocked.Exchange(ref _kicked, 1);
        Board.Wake();
    }

    /// <summary>Uses up a kick.</summary>
    public bool TakeKick() => Interlocked.Exchange(ref _kicked, 0) != 0;

    /// <summary>Sends it an NMI. Any thread.</summary>
    public void RaiseNmi()
    {
        Interlocked.Exchange(ref _nmiWaits, 1);
        Signal();
    }

    /// <summary>INIT: back to the state after reset, waiting for a start-up message.</summary>
    public void Init()
    {
        SliceFunction = 0;
        Started = false;
        Halted = false;
        _apicRegisters.Reset();
        ResetState.Apply(State);
        Interpreter?.Leave();
    }

    /// <summary>It executes x86 code from now on.</summary>
    public void ExecuteCode(HookRanges<InstructionHook> hooks, SensitiveCalls sensitive, ExecutionTier tier) =>
        Interpreter = new InterpretedCpu(State, this, hooks, sensitive, tier);

    /// <summary>
    /// Start-up message: x86 code starts in real mode at the page it names. In a C# guest that page starts with the address
    /// of the vCPU's slice function, a <c>delegate* managed&lt;CpuState*, void&gt;</c>. Ignored, as on hardware, unless the
    /// vCPU waits for one.
    /// </summary>
    public void StartUp(byte page)
    {
        if (Started) return;
        if (Interpreter != null)
        {
            ResetState.StartInRealMode(State, page);
            Started = true;
        }
        else if (Board.Memory.TryRead(page * PhysicalMemory.PageSize, out ulong function))
        {
            SliceFunction = function;
            Started = function != 0;
        }
    }

    /// <summary>Calls the slice function.</summary>
    public void RunSlice()
    {
        Halted = false;
        TakeKick();
        if (State->EventPending != 0) TakeEvents();

        // SAFETY: the guest put the address of a managed method of this shape into its start record.
        ((delegate* managed<CpuState*, void>)SliceFunction)(State);
    }

    /// <summary>A register of its APIC in memory.</summary>
    public uint ReadApicPage(uint offset) => _apicRegisters.ReadPage(offset);

    /// <summary>A write to a register of its APIC in memory.</summary>
    public void WriteApicPage(uint offset, uint value)
    {
        _apicRegisters.WritePage(offset, value);
        PrioritiesChanged();
    }

    /// <summary>LINT0 leads the interrupt controller's requests to it, as firmware leaves the boot CPU (virtual wire mode).</summary>
    public void WireLegacyInterrupts() => _apicRegisters.WireLegacyInterrupts();

    /// <summary>Raises an exception and, once its handler returned, takes what waits.</summary>
    public void RaiseException(byte vector, uint errorCode)
    {
        Deliver(vector, errorCode);
        TakeEvents();
    }

    /// <summary>Delivers all events that may be delivered now to a C# guest.</summary>
    public void TakeEvents()
    {
        while (TryTake(out byte vector)) Deliver(vector, 0);
    }

    bool ICpuHost.TryTakeEvent(out byte vector)
    {
        bool taken = TryTake(out vector);
        if (taken) Interlocked.Exchange(ref State->EventPending, 1); // There may be more.
        return taken;
    }

    ulong ICpuHost.Horizon => Board.Clock.InstructionsToNextAlarm;

    void ICpuHost.Passed(ulong instructions) => Board.Code!.Passed(instructions);

    void ICpuHost.Delivering(EventDelivered delivery) => Board.Hooks.Delivering(State, delivery);

    /// <summary>A register that decides what is deliverable was written.</summary>
    public void PrioritiesChanged()
    {
        SettleLazyEoi();
        if (Apic.HasDeliverable || HasLegacyRequest) Interlocked.Exchange(ref State->EventPending, 1);
    }

    /// <summary>Takes note of an end of interrupt the guest told by the shared word, and takes the offer back.</summary>
    public void SettleLazyEoi()
    {
        if (!_eoiOffered) return;
        _eoiOffered = false;
        if (Board.Platform.TakeLazyEoi(State)) Apic.EndOfInterrupt();
    }

    /// <summary>The vCPU goes back to a C# guest: what became deliverable is delivered first. The interpreter looks itself.</summary>
    public void Resume()
    {
        if (State->EventPending != 0 && Interpreter == null) TakeEvents();
    }

    /// <summary>MOV to a control register. Returns the exception's vector, 0 when it was written.</summary>
    public uint WriteControlRegister(uint number, ulong value)
    {
        if (number != 8 || value > 15) return ControlRegisters.Write(State, number, value);
        Apic.TaskPriority = (uint)value << 4;
        PrioritiesChanged();
        return 0;
    }

    /// <summary>All of a vCPU that executes x86 code.</summary>
    public void Transfer(StateTransfer state)
    {
        CpuStateTransfer.Transfer(State, state);
        state.Value(ref _nmiWaits);
        state.Value(ref _kicked);
        state.Value(ref _eoiOffered);
        state.Value(Started, value => Started = value);
        state.Value(Halted, value => Halted = value);
        state.Value(Tsc.Offset, value => Tsc.Offset = value);
        Msrs.Transfer(state);
        Apic.Transfer(state);
        _apicRegisters.Transfer(state);
    }

    /// <summary>An exception of the host stops the machine.</summary>
    public void Fail(Exception exception) => Board.Exit(new MachineExit.Threw(exception));

    public void Dispose()
    {
        Interpreter?.Dispose();
        Tlb.Free(State);
        _handle.Free();
    }

    /// <summary>The next event that may be delivered now: NMI before interrupts, those by priority.</summary>
    private bool TryTake(out byte vector)
    {
        Interlocked.Exchange(ref State->EventPending, 0);
        SettleLazyEoi();
        vector = (byte)Vectors.Nmi;
        if (NmiDeliverable)
        {
            Interlocked.Exchange(ref _nmiWaits, 0);
            State->Interruptibility |= Interruptibility.BlockedByNmi;
            return true;
        }

        // Nothing tells when IRET unblocks it, so it is looked for at each occasion.
        if (Volatile.Read(ref _nmiWaits) != 0) Interlocked.Exchange(ref State->EventPending, 1);

        bool legacy = !Apic.HasDeliverable && HasLegacyRequest;
        if (!legacy && !Apic.HasDeliverable) return false;
        if (!TakesInterrupts)
        {
            Interlocked.Exchange(ref State->EventPending, 1);
            return false;
        }

        if (legacy)
        {
            vector = Board.Interrupts.Acknowledge();
            return true;
        }

        if (!Apic.TryAcknowledge(out vector)) return false;
        OfferLazyEoi(vector);
        return true;
    }

    private void OfferLazyEoi(byte vector)
    {
        if (!Apic.IsQuietButForOne(vector)) return;
        _eoiOffered = true;
        Board.Platform.OfferLazyEoi(State);
    }

    /// <summary>Runs a handler. Its IRET unblocks NMIs (SDM vol. 3, 6.7.1).</summary>
    private void Deliver(byte vector, uint errorCode)
    {
        _delivery.Deliver(vector, errorCode);
        State->Interruptibility &= ~Interruptibility.BlockedByNmi;
    }

    /// <summary>Something was recorded that may be an event. Any thread.</summary>
    public void Signal()
    {
        Interlocked.Exchange(ref State->EventPending, 1);
        Board.Wake();
    }
}
