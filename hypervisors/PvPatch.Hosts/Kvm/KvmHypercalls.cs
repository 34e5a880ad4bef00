using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hosts.Kvm;

/// <summary>A range of guest pages whose encryption the guest told.</summary>
/// <param name="Address">Guest physical address.</param>
/// <param name="Pages">Number of 4 KiB pages.</param>
/// <param name="Attributes">As the guest gave them.</param>
public readonly record struct KvmGpaRange(ulong Address, ulong Pages, ulong Attributes);

/// <summary>KVM's hypercalls (Linux: Documentation/virt/kvm/x86/hypercalls.rst).</summary>
internal sealed unsafe class KvmHypercalls(KvmHost host, IMachineControl machine) : ISavedState
{
    private const ulong WallClockPairing = 0;
    private const ulong RangeAttributes = 0x1f;
    private const ulong DeliveryMode = 0x700;
    private const ulong DeliveryFixed = 0x000;
    private const ulong DeliveryNmi = 0x400;
    private const ulong SupportedIcr = 0x7ff;

    private readonly List<KvmGpaRange> _ranges = [];

    public IReadOnlyList<KvmGpaRange> GpaRanges => _ranges;

    /// <summary>What the guest told.</summary>
    public void Transfer(StateTransfer state)
    {
        KvmGpaRange[] ranges = state.List(_ranges);
        _ranges.Clear();
        _ranges.AddRange(ranges);
    }

    public void Call(CpuState* cpu)
        => cpu->Rax = (ulong)(PrivilegeLevel.Of(cpu) != 0 ? KvmError.NotPermitted : Answer(cpu));

    private long Answer(CpuState* cpu) => cpu->Rax switch
    {
        KvmHypercall.VapicPollIrq => 0,
        KvmHypercall.KickCpu when host.Offers(KvmFeatures.PvUnhalt) => Kick(cpu->Rcx),
        KvmHypercall.ClockPairing => PairClocks(cpu->Index, cpu->Rbx, cpu->Rcx),
        KvmHypercall.SendIpi when host.Offers(KvmFeatures.PvSendIpi) => SendIpi(cpu->Rbx, cpu->Rcx, cpu->Rdx, cpu->Rsi),
        KvmHypercall.SchedYield when host.Offers(KvmFeatures.PvSchedYield) => Yield(cpu, cpu->Rbx),
        KvmHypercall.MapGpaRange when host.Offers(KvmFeatures.HcMapGpaRange) => MapRange(cpu->Rbx, cpu->Rcx, cpu->Rdx),
        _ => KvmError.NoSuchCall,
    };

    private long Kick(ulong apicId)
    {
        if (apicId < (ulong)machine.CpuCount) machine.Kick((int)apicId);
        return 0;
    }

    private long PairClocks(int cpu, ulong address, ulong type)
    {
        if (type != WallClockPairing) return KvmError.NotSupported;
        TimeSpan sinceEpoch = machine.WallClock.GetUtcNow() - DateTimeOffset.UnixEpoch;
        var pairing = new KvmClockPairing
        {
            Seconds = sinceEpoch.Ticks / TimeSpan.TicksPerSecond,
            Nanoseconds = sinceEpoch.Ticks % TimeSpan.TicksPerSecond * 100,
            Tsc = machine.GuestTsc(cpu, machine.Clock.Now),
        };
        return machine.Memory.TryWrite(address, pairing) ? 0 : KvmError.Fault;
    }

    /// <summary>Sends to each vCPU of the 128-bit map; the answer is how many there were.</summary>
    private long SendIpi(ulong low, ulong high, ulong lowest, ulong icr)
    {
        ulong mode = icr & DeliveryMode;
        if ((icr & ~SupportedIcr) != 0 || mode is not (DeliveryFixed or DeliveryNmi)) return KvmError.Invalid;
        long sent = 0;
        for (uint bit = 0; bit < 128; bit++)
        {
            ulong id = lowest + bit;
            bool named = ((bit < 64 ? low >> (int)bit : high >> (int)(bit - 64)) & 1) != 0;
            if (!named || id < lowest || id >= (ulong)machine.CpuCount) continue;
            if (mode == DeliveryNmi) machine.Nmi((int)id);
            else machine.Interrupt((int)id, (byte)icr);
            sent++;
        }

        return sent;
    }

    private long Yield(CpuState* cpu, ulong apicId)
    {
        if (apicId < (ulong)machine.CpuCount) machine.YieldTo(cpu, (int)apicId);
        return 0;
    }

    private long MapRange(ulong address, ulong pages, ulong attributes)
    {
        const ulong pageMask = 0xfff;
        bool wraps = pages > (ulong.MaxValue - address) >> 12;
        if ((address & pageMask) != 0 || pages == 0 || wraps || (attributes & ~RangeAttributes) != 0) return KvmError.Invalid;
        _ranges.Add(new(address, pages, attributes));
        return 0;
    }
}
