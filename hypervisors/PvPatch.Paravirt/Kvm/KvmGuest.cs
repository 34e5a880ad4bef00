using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Detection.Cpuid;
using PvPatch.Paravirt.Guests;
using PvPatch.Paravirt.Layout;
using PvPatch.Paravirt.Log;
using PvPatch.Paravirt.QueuedLocks;
using PvPatch.Paravirt.Wrappers;
using static PvPatch.Engine.Ops.PvTarget;

namespace PvPatch.Paravirt.Kvm;

/// <summary>A kernel on KVM: which ops it replaces, as the host's feature bits allow, and what it registers (Linux: arch/x86/kernel/kvm.c).</summary>
public sealed unsafe class KvmGuest : IHypervisorGuest
{
    /// <inheritdoc/>
    public HypervisorKind Kind => HypervisorKind.Kvm;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, PvTarget> Targets(ICpuidSource cpuid, uint leaves, int cpuCount)
    {
        (KvmFeatures features, KvmHints hints) = Features(cpuid, leaves);
        return Targets(features, hints, cpuCount);
    }

    /// <inheritdoc/>
    public void InitPlatform(CpuState* cpu, ICpuidSource cpuid, uint leaves)
    {
        (KvmFeatures features, KvmHints hints) = Features(cpuid, leaves);
        KvmPerCpu* shared = KvmPerCpu.Of(cpu, 0);
        shared->Features = features;
        shared->Hints = hints;
        if (HasClock(features))
            KvmClock.Start(cpu, features);
    }

    /// <summary>The ops that KVM's guest side installs over the native ones.</summary>
    /// <param name="features">CPUID 0x40000001 EAX.</param>
    /// <param name="hints">CPUID 0x40000001 EDX.</param>
    /// <param name="cpuCount">CPUs of the machine: some ops are of use only with more than one.</param>
    public static IReadOnlyDictionary<string, PvTarget> Targets(KvmFeatures features, KvmHints hints, int cpuCount)
    {
        var targets = new Dictionary<string, PvTarget>(StringComparer.Ordinal)
        {
            ["init.guest_late_init"] = Method(GuestLateInit),
            ["init.banner"] = Method(Banner),
        };
        bool Has(KvmFeatures feature) => (features & feature) != KvmFeatures.None;
        bool mayBePreempted = !hints.HasFlag(KvmHints.Realtime) && cpuCount > 1;

        if (HasClock(features))
        {
            targets["time.sched_clock"] = Method(KvmClock.SchedClock);
            targets["time.get_wallclock"] = Method(KvmClock.GetWallclock);
            targets["time.get_tsc_khz"] = Method(KvmClock.GetTscKhz);
        }

        if (Has(KvmFeatures.NopIoDelay))
            targets["cpu.io_delay"] = Nop;
        if (Has(KvmFeatures.StealTime))
        {
            targets["time.steal_clock"] = Method(StealClock);
            targets["lock.vcpu_is_preempted"] = Method(KvmLock.VcpuIsPreempted);
        }

        if (Has(KvmFeatures.PvEoi))
            targets["apic.eoi"] = Method(KvmIrq.Eoi);
        if (Has(KvmFeatures.PvSendIpi) && cpuCount > 1)
            targets["apic.send_IPI_mask"] = Method(KvmIrq.SendIpiMask);
        if (Has(KvmFeatures.PvTlbFlush) && Has(KvmFeatures.StealTime) && mayBePreempted)
        {
            targets["mmu.flush_tlb_multi"] = Method(KvmMmu.FlushTlbMulti);
            targets["mmu.tlb_remove_table"] = Method(KvmMmu.TlbRemoveTable);
        }

        if (Has(KvmFeatures.PvUnhalt) && mayBePreempted)
        {
            targets["lock.queued_spin_lock_slowpath"] = Method(PvQueuedSpinLock.Slowpath);
            targets["lock.queued_spin_unlock"] = Method(PvQueuedSpinLock.Unlock);
            targets["lock.wait"] = Method(KvmLock.Wait);
            targets["lock.kick"] = Method(KvmLock.Kick);
        }

        if (Has(KvmFeatures.HcMapGpaRange))
            targets["mmu.notify_page_enc_status_changed"] = Method(KvmMmu.NotifyPageEncStatusChanged);
        return targets;
    }

    private static bool HasClock(KvmFeatures features) => (features & (KvmFeatures.Clocksource | KvmFeatures.Clocksource2)) != KvmFeatures.None;

    private static (KvmFeatures Features, KvmHints Hints) Features(ICpuidSource cpuid, uint leaves)
    {
        ArgumentNullException.ThrowIfNull(cpuid);
        CpuidRegisters registers = cpuid.Read(leaves | KvmCpuid.Features, 0);
        return ((KvmFeatures)registers.Eax, (KvmHints)registers.Edx);
    }

    internal static ulong StealClock(CpuState* cpu, int number)
    {
        KvmStealTime* record = &KvmPerCpu.Of(cpu, number)->StealTime;
        uint version;
        ulong steal;
        do
        {
            version = Volatile.Read(ref record->Version);
            steal = Volatile.Read(ref record->Steal);
        }
        while ((version & 1) != 0 || version != Volatile.Read(ref record->Version));
        return steal;
    }

    internal static void Banner(CpuState* cpu) => KernelLog.Print(cpu, "Booting paravirtualized kernel on KVM");

    /// <summary>Registers this CPU's shared pages and says what is paravirtual from now on.</summary>
    internal static void GuestLateInit(CpuState* cpu)
    {
        KvmFeatures features = KvmPerCpu.Of(cpu, 0)->Features;
        KvmPerCpu* shared = KvmPerCpu.Of(cpu);
        if (cpu->Index != 0 && HasClock(features))
            KvmClock.StartSecondary(cpu, features);
        if (features.HasFlag(KvmFeatures.StealTime))
        {
            ulong address = KvmPerCpu.AddressOf(cpu, &shared->StealTime);
            PvCpu.WriteMsr(cpu, KvmMsr.StealTime, address | KvmMsr.Enable);
            KernelLog.Print(cpu, $"kvm-guest: stealtime: cpu {cpu->Index}, msr {address:x}");
        }

        if (features.HasFlag(KvmFeatures.PvEoi))
            PvCpu.WriteMsr(cpu, KvmMsr.PvEoiEn, KvmPerCpu.AddressOf(cpu, &shared->Eoi) | KvmMsr.Enable);
        if (cpu->Index == 0)
            Announce(cpu, features, KvmPerCpu.Of(cpu, 0)->Hints, PerCpu.Of(cpu)->CpuCount);
    }

    private static void Announce(CpuState* cpu, KvmFeatures features, KvmHints hints, int cpuCount)
    {
        IReadOnlyDictionary<string, PvTarget> targets = Targets(features, hints, cpuCount);
        if (targets.ContainsKey("mmu.flush_tlb_multi"))
            KernelLog.Print(cpu, "kvm-guest: KVM setup pv remote TLB flush");
        if (targets.ContainsKey("apic.send_IPI_mask"))
            KernelLog.Print(cpu, "kvm-guest: setup PV IPIs");
        KernelLog.Print(cpu, "kvm-guest: PV spinlocks " + SpinlockState(features, hints, cpuCount));
    }

    /// <summary>In the order of Linux's kvm_spinlock_init.</summary>
    private static string SpinlockState(KvmFeatures features, KvmHints hints, int cpuCount)
    {
        if (!features.HasFlag(KvmFeatures.PvUnhalt))
            return "disabled, no host support";
        if (hints.HasFlag(KvmHints.Realtime))
            return "disabled with KVM_HINTS_REALTIME hints";
        return cpuCount == 1 ? "disabled, single CPU" : "enabled";
    }
}
