using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Snapshots;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hosts.Kvm;

/// <summary>KVM's MSRs: registrations of shared pages, per vCPU but the wall clock's.</summary>
internal sealed unsafe class KvmMsrs(KvmHost host, IMachineControl machine, KvmVcpu[] vcpus, KvmMasterClock clock) : ISavedState
{
    private readonly ulong[,] _values = new ulong[vcpus.Length, (int)(KvmMsr.MigrationControl - KvmMsr.WallClockNew) + 1];

    /// <summary>MIGRATION_CONTROL bit 0.</summary>
    public bool MigrationReady { get; private set; }

    public MsrAnswer Read(int cpu, uint msr, out ulong value)
    {
        value = 0;
        uint known = Canonical(msr);
        if (known == 0) return MsrAnswer.Native;
        if (!host.Offers(FeatureOf(msr))) return MsrAnswer.Fault;
        value = known switch
        {
            KvmMsr.PollControl => vcpus[cpu].MayPoll ? 1ul : 0,
            KvmMsr.MigrationControl => MigrationReady ? 1ul : 0,
            KvmMsr.AsyncPfAck => 0,
            KvmMsr.WallClockNew => _values[0, 0],
            _ => _values[cpu, known - KvmMsr.WallClockNew],
        };
        return MsrAnswer.Done;
    }

    public MsrAnswer Write(int cpu, uint msr, ulong value)
    {
        uint known = Canonical(msr);
        if (known == 0) return MsrAnswer.Native;
        if (!host.Offers(FeatureOf(msr))) return MsrAnswer.Fault;
        bool accepted = known switch
        {
            KvmMsr.WallClockNew => WriteWallClock(value),
            KvmMsr.SystemTimeNew => RegisterClock(cpu, value),
            KvmMsr.AsyncPfEn => AcceptsAsyncPf(value),
            KvmMsr.StealTime => RegisterStealTime(cpu, value),
            KvmMsr.PvEoiEn => RegisterEoi(cpu, value),
            KvmMsr.PollControl => value <= 1 && SetPolling(cpu, value),
            KvmMsr.AsyncPfInt => value <= byte.MaxValue,
            KvmMsr.AsyncPfAck => true,
            _ => value <= 1 && SetMigration(value),
        };
        if (!accepted) return MsrAnswer.Fault;
        _values[known == KvmMsr.WallClockNew ? 0 : cpu, known - KvmMsr.WallClockNew] = value;
        return MsrAnswer.Done;
    }

    /// <summary>The MSRs' values; the shared pages are found again by them.</summary>
    public void Transfer(StateTransfer state)
    {
        clock.Transfer(state);
        state.Value(MigrationReady, value => MigrationReady = value);
        for (int cpu = 0; cpu < vcpus.Length; cpu++)
        {
            for (int msr = 0; msr < _values.GetLength(1); msr++) state.Value(ref _values[cpu, msr]);
            vcpus[cpu].Transfer(state);
            if (state.IsRestoring) FindPages(cpu);
        }
    }

    private void FindPages(int cpu)
    {
        ulong Registered(uint msr) => _values[cpu, msr - KvmMsr.WallClockNew];
        if (!TryPage(Registered(KvmMsr.SystemTimeNew), alignment: 4, sizeof(PvClockVcpuTimeInfo), out byte* time)
            || !TryPage(Registered(KvmMsr.StealTime), alignment: 64, sizeof(KvmStealTime), out byte* steal)
            || !TryPage(Registered(KvmMsr.PvEoiEn), alignment: 4, sizeof(uint), out byte* eoi))
        {
            throw StateTransfer.Damaged($"a page that vCPU {cpu} shares with KVM is no RAM");
        }

        vcpus[cpu].Clock = (PvClockVcpuTimeInfo*)time;
        vcpus[cpu].StealTime = (KvmStealTime*)steal;
        vcpus[cpu].Eoi = (uint*)eoi;
    }

    /// <summary>The new number of an MSR with two, 0 for one that is not KVM's.</summary>
    private static uint Canonical(uint msr) => msr switch
    {
        KvmMsr.WallClock => KvmMsr.WallClockNew,
        KvmMsr.SystemTime => KvmMsr.SystemTimeNew,
        >= KvmMsr.WallClockNew and <= KvmMsr.MigrationControl => msr,
        _ => 0,
    };

    private static KvmFeatures FeatureOf(uint msr) => msr switch
    {
        KvmMsr.WallClock or KvmMsr.SystemTime => KvmFeatures.Clocksource,
        KvmMsr.WallClockNew or KvmMsr.SystemTimeNew => KvmFeatures.Clocksource2,
        KvmMsr.AsyncPfEn => KvmFeatures.AsyncPf,
        KvmMsr.StealTime => KvmFeatures.StealTime,
        KvmMsr.PvEoiEn => KvmFeatures.PvEoi,
        KvmMsr.PollControl => KvmFeatures.PollControl,
        KvmMsr.AsyncPfInt or KvmMsr.AsyncPfAck => KvmFeatures.AsyncPfInt,
        _ => KvmFeatures.MigrationControl,
    };

    /// <summary>The time of day at which the machine's clock was 0, written once, now.</summary>
    private bool WriteWallClock(ulong address)
    {
        if (!machine.Memory.Contains(address, (ulong)sizeof(PvClockWallClock))) return true; // KVM ignores what it cannot reach.
        TimeSpan sinceEpoch = machine.WallClock.GetUtcNow() - DateTimeOffset.UnixEpoch;
        ulong boot = (ulong)sinceEpoch.Ticks * 100 - clock.Nanoseconds;

        // SAFETY: the record lies in RAM, as just checked.
        var page = (PvClockWallClock*)machine.Memory.Pointer(address, (ulong)sizeof(PvClockWallClock));
        uint version = (page->Version & ~1u) + 1;
        Volatile.Write(ref page->Version, version);
        Volatile.Write(ref page->Seconds, (uint)(boot / 1_000_000_000));
        Volatile.Write(ref page->Nanoseconds, (uint)(boot % 1_000_000_000));
        Volatile.Write(ref page->Version, version + 1);
        return true;
    }

    private bool RegisterClock(int cpu, ulong value)
    {
        if (!TryPage(value, alignment: 4, sizeof(PvClockVcpuTimeInfo), out byte* page)) return false;
        vcpus[cpu].Clock = (PvClockVcpuTimeInfo*)page;
        if (cpu == 0) clock.Restart();
        bool stable = host.Offers(KvmFeatures.ClocksourceStable);
        foreach (KvmVcpu vcpu in vcpus) vcpu.WriteClock(stable);
        return true;
    }

    private bool RegisterStealTime(int cpu, ulong value)
    {
        if ((value & KvmMsr.StealTimeReserved) != 0) return false;
        if (!TryPage(value, alignment: 64, sizeof(KvmStealTime), out byte* page)) return false;
        vcpus[cpu].StealTime = (KvmStealTime*)page;
        return true;
    }

    private bool RegisterEoi(int cpu, ulong value)
    {
        if (!TryPage(value, alignment: 4, sizeof(uint), out byte* page)) return false;
        vcpus[cpu].Eoi = (uint*)page;
        return true;
    }

    /// <summary>The bits KVM takes; this host never pages a guest out, so no event ever comes.</summary>
    private bool AcceptsAsyncPf(ulong value)
    {
        if ((value & KvmMsr.AsyncPfReserved) != 0 || (value & KvmMsr.AsyncPfDeliveryAsVmexit) != 0) return false;
        if ((value & KvmMsr.AsyncPfDeliveryAsInt) != 0 && !host.Offers(KvmFeatures.AsyncPfInt)) return false;
        return (value & KvmMsr.Enable) == 0 || machine.Memory.Contains(value & ~0x3ful, (ulong)sizeof(KvmAsyncPfData));
    }

    private bool SetPolling(int cpu, ulong value)
    {
        vcpus[cpu].MayPoll = value != 0;
        return true;
    }

    private bool SetMigration(ulong value)
    {
        MigrationReady = value != 0;
        return true;
    }

    /// <summary>The page a registration names: null if it is switched off. False: not aligned or not memory, #GP.</summary>
    private bool TryPage(ulong value, ulong alignment, int size, out byte* page)
    {
        page = null;
        if ((value & KvmMsr.Enable) == 0) return true;
        ulong address = value & ~KvmMsr.Enable;
        if (address % alignment != 0 || !machine.Memory.Contains(address, (ulong)size)) return false;

        // SAFETY: the page lies in RAM, as just checked, and the host uses it only while the machine's memory lives.
        page = machine.Memory.Pointer(address, (ulong)size);
        return true;
    }
}
