using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Snapshots;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hosts.Kvm;

/// <summary>What the host keeps of one vCPU: where its shared pages lie, and since when it waits.</summary>
/// <param name="machine">The machine.</param>
/// <param name="index">The vCPU.</param>
/// <param name="clock">The clock pages' common base.</param>
internal sealed unsafe class KvmVcpu(IMachineControl machine, int index, KvmMasterClock clock) : ISavedState
{
    private const uint EoiPending = 1;

    private ulong? _runnableSince;

    /// <summary>The clock page; null while not registered.</summary>
    public PvClockVcpuTimeInfo* Clock { get; set; }

    /// <summary>The steal time record; null while not registered.</summary>
    public KvmStealTime* StealTime { get; set; }

    /// <summary>The end-of-interrupt word; null while not registered.</summary>
    public uint* Eoi { get; set; }

    /// <summary>POLL_CONTROL bit 0.</summary>
    public bool MayPoll { get; set; } = true;

    /// <summary>All but the pages, which the MSRs' values lead to.</summary>
    public void Transfer(StateTransfer state)
    {
        state.Value(ref _runnableSince);
        state.Value(MayPoll, value => MayPoll = value);
    }

    /// <summary>Writes the clock page: version odd, fields, version even.</summary>
    public void WriteClock(bool stable)
    {
        if (Clock == null) return;
        PvClockVcpuTimeInfo fields = clock.PageOf(index, stable);
        uint version = (Clock->Version & ~1u) + 1;

        // SAFETY: the page lies in RAM, checked at its registration. Volatile keeps the order the guest relies on.
        Volatile.Write(ref Clock->Version, version);
        Volatile.Write(ref Clock->TscTimestamp, fields.TscTimestamp);
        Volatile.Write(ref Clock->SystemTime, fields.SystemTime);
        Volatile.Write(ref Clock->TscToSystemMul, fields.TscToSystemMul);
        Volatile.Write(ref Clock->TscShift, fields.TscShift);
        Volatile.Write(ref Clock->Flags, fields.Flags);
        Volatile.Write(ref Clock->Version, version + 1);
    }

    /// <summary>
    /// The vCPU enters the guest: the preempted byte is exchanged with 0 in one step, a flush another vCPU asked for in it
    /// is made, and the time it was runnable but did not run is accounted.
    /// </summary>
    public void Enter(bool mayFlush)
    {
        ulong waited = _runnableSince is { } since ? clock.Nanoseconds - since : 0;
        _runnableSince = null;
        if (StealTime == null) return;
        byte preempted = Interlocked.Exchange(ref StealTime->Preempted, 0);
        if (mayFlush && (preempted & KvmStealTime.FlushTlbBit) != 0) machine.FlushTlb(index);
        AddSteal(waited);
    }

    /// <summary>The vCPU leaves the guest: preempted, whether it would run or halted.</summary>
    public void Leave(bool runnable)
    {
        _runnableSince = runnable ? clock.Nanoseconds : null;
        if (StealTime != null) Volatile.Write(ref StealTime->Preempted, KvmStealTime.PreemptedBit);
    }

    /// <summary>Sets the bit before the handler runs.</summary>
    public void OfferEoi()
    {
        if (Eoi != null) Interlocked.Or(ref *Eoi, EoiPending);
    }

    /// <summary>Takes the bit back. It was clear already: the guest ended the interrupt by it.</summary>
    public bool TakeEoi() => Eoi != null && (Interlocked.And(ref *Eoi, ~EoiPending) & EoiPending) == 0;

    private void AddSteal(ulong nanoseconds)
    {
        uint version = (StealTime->Version & ~1u) + 1;
        Volatile.Write(ref StealTime->Version, version);
        Volatile.Write(ref StealTime->Steal, StealTime->Steal + nanoseconds);
        Volatile.Write(ref StealTime->Version, version + 1);
    }
}
