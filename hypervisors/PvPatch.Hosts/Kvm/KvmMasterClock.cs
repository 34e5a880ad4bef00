using PvPatch.Emulator.Exits;
using PvPatch.Emulator.Snapshots;
using PvPatch.Paravirt.Kvm;

namespace PvPatch.Hosts.Kvm;

/// <summary>
/// One moment of the machine's clock from which the clock pages of all vCPUs count, so that no two disagree: that is what
/// the TSC_STABLE flag promises. It moves only when the boot vCPU registers its page, and then never back, because the
/// pages' multiplier is rounded down.
/// </summary>
internal sealed class KvmMasterClock : ISavedState
{
    private readonly IMachineControl _machine;
    private ulong _cycles;
    private ulong _nanoseconds;

    public KvmMasterClock(IMachineControl machine)
    {
        _machine = machine;
        (Multiplier, Shift) = Scale(machine.Clock.Frequency);
    }

    /// <summary>tsc_to_system_mul.</summary>
    public uint Multiplier { get; }

    /// <summary>tsc_shift.</summary>
    public sbyte Shift { get; }

    /// <summary>Nanoseconds since the machine's clock was 0.</summary>
    public ulong Nanoseconds => _machine.Clock.ToNanoseconds(_machine.Clock.Now);

    /// <summary>Counts from now on.</summary>
    public void Restart()
    {
        _cycles = _machine.Clock.Now;
        _nanoseconds = _machine.Clock.ToNanoseconds(_cycles);
    }

    /// <summary>The moment it counts from.</summary>
    public void Transfer(StateTransfer state)
    {
        state.Value(ref _cycles);
        state.Value(ref _nanoseconds);
    }

    /// <summary>The fields of a vCPU's page but its version.</summary>
    public PvClockVcpuTimeInfo PageOf(int cpu, bool stable) => new()
    {
        TscTimestamp = _machine.GuestTsc(cpu, _cycles),
        SystemTime = _nanoseconds,
        TscToSystemMul = Multiplier,
        TscShift = Shift,
        Flags = stable ? PvClockVcpuTimeInfo.TscStable : (byte)0,
    };

    /// <summary>
    /// Nanoseconds a cycle as 32 bits after the binary point, times a power of two that fills those 32 bits:
    /// multiplier = 10^9 * 2^32 / (frequency * 2^shift), at least 2^31 and below 2^32.
    /// </summary>
    internal static (uint Multiplier, sbyte Shift) Scale(ulong frequency)
    {
        sbyte shift = 0;
        UInt128 numerator = (UInt128)1_000_000_000 << 32;
        UInt128 denominator = frequency;
        while (numerator / denominator > uint.MaxValue)
        {
            denominator <<= 1;
            shift++;
        }

        while (numerator / denominator < 1u << 31)
        {
            numerator <<= 1;
            shift--;
        }

        return ((uint)(numerator / denominator), shift);
    }
}
