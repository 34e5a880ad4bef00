using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Processors;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;
using PvPatch.Engine.Ops;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hosts.Kvm;

/// <summary>
/// KVM's side: CPUID leaves, MSRs, hypercalls and the pages shared with each vCPU (Linux: Documentation/virt/kvm/x86).
/// What it offers is chosen at construction; MSRs and hypercalls of a feature that is not offered are not there.
/// </summary>
/// <param name="features">Offered in CPUID 0x40000001 EAX.</param>
/// <param name="hints">Told in CPUID 0x40000001 EDX.</param>
public sealed unsafe class KvmHost(KvmFeatures features = KvmHost.AllFeatures, KvmHints hints = KvmHints.None) : IPlatform, ISavedState
{
    /// <summary>All that this host can do.</summary>
    public const KvmFeatures AllFeatures = KvmFeatures.Clocksource | KvmFeatures.NopIoDelay | KvmFeatures.Clocksource2
        | KvmFeatures.AsyncPf | KvmFeatures.StealTime | KvmFeatures.PvEoi | KvmFeatures.PvUnhalt | KvmFeatures.PvTlbFlush
        | KvmFeatures.PvSendIpi | KvmFeatures.PollControl | KvmFeatures.PvSchedYield | KvmFeatures.AsyncPfInt
        | KvmFeatures.HcMapGpaRange | KvmFeatures.MigrationControl | KvmFeatures.ClocksourceStable;

    private const uint HypervisorBit = 1u << 31;

    private IMachineControl? _machine;
    private KvmVcpu[] _vcpus = [];
    private KvmMsrs? _msrs;
    private KvmHypercalls? _hypercalls;

    /// <inheritdoc/>
    public string Name => "KVM";

    /// <summary>What it offers.</summary>
    public KvmFeatures Features { get; } = (features & ~AllFeatures) == KvmFeatures.None
        ? features
        : throw new ArgumentException($"This host cannot offer {features & ~AllFeatures}.", nameof(features));

    /// <summary>What it tells about itself.</summary>
    public KvmHints Hints { get; } = hints;

    /// <summary>What the guest told about the encryption of its pages, in order.</summary>
    public IReadOnlyList<KvmGpaRange> GpaRanges => Hypercalls.GpaRanges;

    private KvmMsrs Msrs => _msrs ?? throw NotAttached();

    private KvmHypercalls Hypercalls => _hypercalls ?? throw NotAttached();

    /// <summary>Whether the guest lets the host poll before it halts a vCPU.</summary>
    public bool MayPoll(int cpu) => _vcpus[cpu].MayPoll;

    /// <summary>Whether the guest said that it may be migrated.</summary>
    public bool IsMigrationReady => Msrs.MigrationReady;

    /// <inheritdoc/>
    public void Attach(IMachineControl machine)
    {
        if (_machine != null) throw new InvalidOperationException("A KVM host serves one machine.");
        _machine = machine;
        var clock = new KvmMasterClock(machine);
        _vcpus = new KvmVcpu[machine.CpuCount];
        for (int index = 0; index < _vcpus.Length; index++) _vcpus[index] = new KvmVcpu(machine, index, clock);
        _msrs = new KvmMsrs(this, machine, _vcpus, clock);
        _hypercalls = new KvmHypercalls(this, machine);
    }

    /// <summary>It answers no port.</summary>
    public void Fill(IDictionary<string, PvTarget> ops)
    {
        ArgumentNullException.ThrowIfNull(ops);
        ops["io.in"] = NativeAnswers.In;
    }

    /// <inheritdoc/>
    public CpuidRegisters Cpuid(CpuState* cpu, uint leaf, uint subleaf, CpuidRegisters native) => leaf switch
    {
        1 => native with { Ecx = native.Ecx | HypervisorBit },
        KvmCpuid.Signature => new(KvmCpuid.Features, KvmCpuid.SignatureEbx, KvmCpuid.SignatureEcx, KvmCpuid.SignatureEdx),
        KvmCpuid.Features => new((uint)Features, 0, 0, (uint)Hints),
        _ => native,
    };

    /// <inheritdoc/>
    public MsrAnswer ReadMsr(CpuState* cpu, uint msr, out ulong value) => Msrs.Read(cpu->Index, msr, out value);

    /// <inheritdoc/>
    public MsrAnswer WriteMsr(CpuState* cpu, uint msr, ulong value) => Msrs.Write(cpu->Index, msr, value);

    /// <inheritdoc/>
    public bool Hypercall(CpuState* cpu)
    {
        Hypercalls.Call(cpu);
        return true;
    }

    /// <inheritdoc/>
    public bool In(CpuState* cpu, ushort port, uint size, out uint value)
    {
        value = 0;
        return false;
    }

    /// <inheritdoc/>
    public void Enter(CpuState* cpu) => _vcpus[cpu->Index].Enter(Offers(KvmFeatures.PvTlbFlush));

    /// <inheritdoc/>
    public void Leave(CpuState* cpu, bool runnable) => _vcpus[cpu->Index].Leave(runnable);

    /// <inheritdoc/>
    public void OfferLazyEoi(CpuState* cpu) => _vcpus[cpu->Index].OfferEoi();

    /// <inheritdoc/>
    public bool TakeLazyEoi(CpuState* cpu) => _vcpus[cpu->Index].TakeEoi();

    /// <inheritdoc/>
    public void Transfer(StateTransfer state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Same((uint)Features, "what KVM offers");
        Msrs.Transfer(state);
        Hypercalls.Transfer(state);
    }

    internal bool Offers(KvmFeatures feature) => (Features & feature) != KvmFeatures.None;

    private static InvalidOperationException NotAttached() => new("The KVM host has no machine yet.");
}
