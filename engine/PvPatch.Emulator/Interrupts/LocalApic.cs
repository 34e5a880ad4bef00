using System.Numerics;
using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interrupts;

/// <summary>
/// One vCPU's local APIC: acceptance and priorities of interrupts (Intel SDM vol. 3, 10.8). Its registers are reached
/// through <see cref="X2ApicRegisters"/>. Interrupts may be raised from any thread; the rest belongs to the thread that
/// runs the vCPU. The task priority class is CR8 itself.
/// </summary>
public sealed unsafe class LocalApic : ISavedState
{
    private const uint SoftwareEnable = 1u << 8;

    private readonly CpuState* _cpu;
    private readonly Action _signal;
    private uint _spuriousVector = 0xff;
    private uint _taskSubclass;
    private bool _spuriousWaits;

    /// <summary>Makes the APIC of a vCPU as it is after reset.</summary>
    /// <param name="cpu">The vCPU.</param>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="tsc">The vCPU's time stamp counter.</param>
    /// <param name="signal">Called after an interrupt was accepted, from the thread that raised it.</param>
    public LocalApic(CpuState* cpu, MachineClock clock, TimeStampCounter tsc, Action signal)
    {
        _cpu = cpu;
        _signal = signal;
        Timer = new ApicTimer(clock, tsc, Raise);
    }

    /// <summary>IRR: accepted, not yet delivered.</summary>
    internal VectorSet Requested { get; } = new();

    /// <summary>ISR: delivered, not yet ended.</summary>
    internal VectorSet InService { get; } = new();

    /// <summary>The timer.</summary>
    internal ApicTimer Timer { get; }

    /// <summary>Whether the APIC is switched on by bit 8 of its spurious vector register.</summary>
    internal bool IsEnabled => (_spuriousVector & SoftwareEnable) != 0;

    /// <summary>Spurious interrupt vector register. Switching the APIC off masks its timer (SDM 10.4.7.2).</summary>
    internal uint SpuriousVector
    {
        get => _spuriousVector;
        set
        {
            _spuriousVector = value;
            if (!IsEnabled) Timer.Lvt |= ApicTimer.Masked;
        }
    }

    /// <summary>Error status: bit 5 sent, bit 6 received an illegal vector; latched until the next write.</summary>
    internal uint ErrorStatus { get; set; }

    /// <summary>TPR: the class is CR8.</summary>
    internal uint TaskPriority
    {
        get => (uint)(_cpu->Cr8 << 4) | _taskSubclass;
        set
        {
            bool couldDeliver = HasDeliverable;
            _cpu->Cr8 = value >> 4;
            _taskSubclass = value & 15;
            if (couldDeliver && !HasDeliverable) _spuriousWaits = true;
        }
    }

    /// <summary>PPR: what a request's class must exceed (SDM 10.8.3.1).</summary>
    internal uint ProcessorPriority
    {
        get
        {
            int inService = InService.Highest();
            uint serviceClass = inService < 0 ? 0 : (uint)inService & 0xf0;
            return TaskPriority >> 4 >= serviceClass >> 4 ? TaskPriority : serviceClass;
        }
    }

    /// <summary>Whether an interrupt waits whose priority is high enough now, or the spurious one.</summary>
    public bool HasDeliverable => _spuriousWaits || HighestDeliverable() >= 0;

    /// <summary>Accepts a fixed interrupt. A vector that is requested already becomes one with it; one below 16 is an error.</summary>
    public void Raise(byte vector)
    {
        if (!IsEnabled) return;
        if (vector < 16)
        {
            ErrorStatus |= 1u << 6;
            return;
        }

        Requested.Add(vector);
        _signal();
    }

    /// <summary>INTA: takes the interrupt of the highest priority into service.</summary>
    public bool TryAcknowledge(out byte vector)
    {
        int highest = HighestDeliverable();
        if (highest >= 0)
        {
            _spuriousWaits = false;
            vector = (byte)highest;
            Requested.Remove(vector);
            InService.Add(vector);
            return true;
        }

        // The request was masked by a higher task priority after INTR was asserted: the spurious vector answers, which is
        // never in service and wants no EOI (SDM 10.9).
        vector = (byte)SpuriousVector;
        bool spurious = _spuriousWaits;
        _spuriousWaits = false;
        return spurious;
    }

    /// <summary>Whether one interrupt is in service and none is requested: its EOI may be told lazily.</summary>
    public bool IsQuietButForOne(byte vector) => InService.Highest() == vector && InServiceCount == 1 && Requested.Highest() < 0;

    /// <summary>EOI: the interrupt of the highest priority in service has ended.</summary>
    public void EndOfInterrupt()
    {
        int highest = InService.Highest();
        if (highest >= 0) InService.Remove((byte)highest);
    }

    /// <summary>What is requested and in service, and its registers.</summary>
    public void Transfer(StateTransfer state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Value(ref _spuriousVector);
        state.Value(ref _taskSubclass);
        state.Value(ref _spuriousWaits);
        state.Value(ErrorStatus, value => ErrorStatus = value);
        Requested.Transfer(state);
        InService.Transfer(state);
        Timer.Transfer(state);
    }

    /// <summary>How many vectors are in service.</summary>
    private int InServiceCount
    {
        get
        {
            int count = 0;
            for (int word = 0; word < 8; word++) count += BitOperations.PopCount(InService.Word(word));
            return count;
        }
    }

    private int HighestDeliverable()
    {
        int highest = Requested.Highest();
        return highest >> 4 > (int)(ProcessorPriority >> 4) ? highest : -1;
    }

    /// <summary>INIT: everything as after reset but the id.</summary>
    public void Reset()
    {
        Requested.Clear();
        InService.Clear();
        Timer.Lvt = ApicTimer.Masked;
        Timer.InitialCount = 0;
        SpuriousVector = 0xff;
        ErrorStatus = 0;
        _taskSubclass = 0;
        _spuriousWaits = false;
    }
}
