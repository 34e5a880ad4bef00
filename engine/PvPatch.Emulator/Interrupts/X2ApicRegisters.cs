using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interrupts;

/// <summary>
/// A local APIC's registers: as MSRs, IA32_APIC_BASE and, in x2APIC mode, 0x802 to 0x83f (Intel SDM vol. 3, 10.12); in memory
/// in xAPIC mode (10.4.1). There, logical destinations are those of the flat model with a bit per APIC id, as Linux sets it.
/// </summary>
/// <param name="cpu">The vCPU.</param>
/// <param name="apic">Its APIC.</param>
/// <param name="bus">Where interrupt messages go.</param>
public sealed unsafe class X2ApicRegisters(CpuState* cpu, LocalApic apic, IApicBus bus) : ISavedState
{
    private const ulong BootProcessor = 1ul << 8;
    private const ulong X2Enable = 1ul << 10;
    private const ulong GlobalEnable = 1ul << 11;
    private const ulong BaseAddress = 0xfee0_0000;
    private const ulong BaseReserved = ~(0x000f_ffff_ffff_f000ul | BootProcessor | X2Enable | GlobalEnable);

    private const uint PageId = 0x20;
    private const uint PageEndOfInterrupt = 0xb0;
    private const uint PageLogicalDestination = 0xd0;
    private const uint PageDestinationFormat = 0xe0;
    private const uint PageErrorStatus = 0x280;
    private const uint PageCommandLow = 0x300;
    private const uint PageCommandHigh = 0x310;
    private const uint PageBroadcast = 0xff;

    // Index of LINT0 among the LVT entries behind the timer's, and its delivery mode ExtINT.
    private const int Lint0 = 2;
    private const uint DeliveryModeMask = 7u << 8;
    private const uint ExternalInterrupt = 7u << 8;

    // Version 0x14, highest LVT entry 5 (timer, thermal, performance, LINT0, LINT1, error).
    private const uint Version = 0x0005_0014;

    private readonly CpuState* _cpu = cpu;
    private readonly uint[] _lvt = [ApicTimer.Masked, ApicTimer.Masked, ApicTimer.Masked, ApicTimer.Masked, ApicTimer.Masked];
    private ulong _base = BaseAddress | GlobalEnable | (cpu->Index == 0 ? BootProcessor : 0);
    private ulong _command;
    private uint _commandHigh;
    private uint _logicalDestination;
    private uint _destinationFormat = uint.MaxValue;

    private bool InX2Mode => (_base & (X2Enable | GlobalEnable)) == (X2Enable | GlobalEnable);

    private bool InMemoryMode => (_base & (X2Enable | GlobalEnable)) == GlobalEnable && (_base & ~0xffful) == BaseAddress;

    private uint LogicalId => (uint)(_cpu->Index >> 4 << 16 | 1 << (_cpu->Index & 15));

    /// <summary>RDMSR. False: #GP(0).</summary>
    public bool Read(uint msr, out ulong value)
    {
        value = 0;
        if (msr == Msr.ApicBase)
        {
            value = _base;
            return true;
        }

        return InX2Mode && ReadRegister(msr, out value);
    }

    /// <summary>Whether LINT0 lets the interrupt controller's requests through, or the APIC is off and they go around it.</summary>
    public bool PassesLegacyInterrupts => (_base & GlobalEnable) == 0 || (_lvt[Lint0] & (ApicTimer.Masked | DeliveryModeMask)) == ExternalInterrupt;

    /// <summary>LINT0 becomes the interrupt controller's.</summary>
    public void WireLegacyInterrupts() => _lvt[Lint0] = ExternalInterrupt;

    /// <summary>A register in memory; ones where the mode has none there.</summary>
    /// <param name="offset">A multiple of 16 below 4096.</param>
    public uint ReadPage(uint offset)
    {
        if (!InMemoryMode) return uint.MaxValue;
        ulong value = offset switch
        {
            PageId => (uint)_cpu->Index << 24,
            PageLogicalDestination => _logicalDestination,
            PageDestinationFormat => _destinationFormat,
            PageCommandHigh => _commandHigh,
            _ => ReadRegister(Msr.X2Apic + (offset >> 4), out ulong found) ? found : 0,
        };
        return (uint)value;
    }

    /// <summary>A write to a register in memory.</summary>
    /// <param name="offset">A multiple of 16 below 4096.</param>
    /// <param name="value">The 32 bits.</param>
    public void WritePage(uint offset, uint value)
    {
        if (!InMemoryMode) return;
        switch (offset)
        {
            case PageLogicalDestination: _logicalDestination = value & 0xff00_0000; break;
            case PageDestinationFormat: _destinationFormat = value | 0x0fff_ffff; break;
            case PageEndOfInterrupt: apic.EndOfInterrupt(); break;
            case PageErrorStatus: apic.ErrorStatus = 0; break;
            case PageCommandHigh: _commandHigh = value & 0xff00_0000; break;
            case PageCommandLow: SendFromPage(value); break;
            default: WriteRegister(Msr.X2Apic + (offset >> 4), value); break;
        }
    }

    private bool ReadRegister(uint msr, out ulong value)
    {
        value = 0;
        switch (msr)
        {
            case Msr.X2ApicId: value = (uint)_cpu->Index; return true;
            case 0x803: value = Version; return true;
            case 0x808: value = apic.TaskPriority; return true;
            case 0x80a: value = apic.ProcessorPriority; return true;
            case 0x80d: value = LogicalId; return true;
            case Msr.X2ApicSpurious: value = apic.SpuriousVector; return true;
            case >= 0x810 and <= 0x817: value = apic.InService.Word((int)msr - 0x810); return true;
            case >= 0x818 and <= 0x81f: return true; // TMR: every interrupt here is edge triggered.
            case >= 0x820 and <= 0x827: value = apic.Requested.Word((int)msr - 0x820); return true;
            case 0x828: value = apic.ErrorStatus; return true;
            case Msr.X2ApicIcr: value = _command; return true;
            case Msr.X2ApicLvtTimer: value = apic.Timer.Lvt; return true;
            case >= 0x833 and <= 0x837: value = _lvt[msr - 0x833]; return true;
            case Msr.X2ApicInitialCount: value = apic.Timer.InitialCount; return true;
            case Msr.X2ApicCurrentCount: value = apic.Timer.CurrentCount; return true;
            case Msr.X2ApicDivide: value = apic.Timer.Divide; return true;
            default: return false;
        }
    }

    /// <summary>WRMSR. False: #GP(0).</summary>
    public bool Write(uint msr, ulong value)
    {
        if (msr == Msr.ApicBase) return WriteBase(value);
        return InX2Mode && WriteRegister(msr, value);
    }

    private bool WriteRegister(uint msr, ulong value)
    {
        switch (msr)
        {
            case 0x808 when value <= 0xff: apic.TaskPriority = (uint)value; return true;
            case Msr.X2ApicEoi when value == 0: apic.EndOfInterrupt(); return true;
            case Msr.X2ApicSpurious when value <= 0x1ff: WriteSpuriousVector((uint)value); return true;
            case 0x828 when value == 0: apic.ErrorStatus = 0; return true;
            case Msr.X2ApicIcr: return Send(value);
            case Msr.X2ApicLvtTimer when (value & ~0x0007_00fful) == 0 && (value >> 17) != 3: apic.Timer.Lvt = Maskable(value); return true;
            case >= 0x833 and <= 0x837 when (value & ~0x0001_a7fful) == 0: _lvt[msr - 0x833] = Maskable(value); return true;
            case Msr.X2ApicInitialCount when value <= uint.MaxValue: apic.Timer.InitialCount = (uint)value; return true;
            case Msr.X2ApicDivide when (value & ~0xbul) == 0: apic.Timer.Divide = (uint)value; return true;
            case Msr.X2ApicSelfIpi when value <= 0xff: return Send(value | (ulong)IpiShorthand.Self << 18);
            default: return false;
        }
    }

    /// <summary>Its own registers; those of the APIC are the APIC's.</summary>
    public void Transfer(StateTransfer state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Values<uint>(_lvt);
        state.Value(ref _base);
        state.Value(ref _command);
        state.Value(ref _commandHigh);
        state.Value(ref _logicalDestination);
        state.Value(ref _destinationFormat);
    }

    /// <summary>INIT: as after reset.</summary>
    public void Reset()
    {
        Array.Fill(_lvt, ApicTimer.Masked);
        _command = _commandHigh = _logicalDestination = 0;
        _destinationFormat = uint.MaxValue;
        apic.Reset();
    }

    /// <summary>The modes and the changes between them that are allowed: off to xAPIC, xAPIC to x2APIC, any to off (SDM 10.12.5).</summary>
    private bool WriteBase(ulong value)
    {
        if ((value & BaseReserved) != 0) return false;
        bool wasX2 = InX2Mode;
        bool wasOff = (_base & GlobalEnable) == 0;
        bool x2 = (value & X2Enable) != 0;
        bool on = (value & GlobalEnable) != 0;
        if (x2 && (!on || wasOff)) return false;
        if (wasX2 && on && !x2) return false;
        _base = (value & ~BootProcessor) | (_base & BootProcessor);
        if (!on) Reset();
        return true;
    }

    /// <summary>While the APIC is switched off, its LVT entries are masked and stay so (SDM 10.4.7.2).</summary>
    private uint Maskable(ulong value) => (uint)value | (apic.IsEnabled ? 0 : ApicTimer.Masked);

    private void WriteSpuriousVector(uint value)
    {
        apic.SpuriousVector = value;
        for (int entry = 0; entry < _lvt.Length; entry++) _lvt[entry] = Maskable(_lvt[entry]);
    }

    /// <summary>The delivery status (bit 12) is never pending; an eight-bit destination, whose broadcast is 0xff.</summary>
    private void SendFromPage(uint low)
    {
        ulong destination = _commandHigh >> 24;
        bool broadcast = destination == PageBroadcast && (low & (1u << 11)) == 0;
        Send((low & 0x000c_cfff) | (broadcast ? IpiMessage.Broadcast : destination) << 32);
    }

    private bool Send(ulong value)
    {
        // Reserved: bits 12 (delivery status is gone), 13, 16, 17, 20 to 31.
        if ((value & 0xfff3_3000) != 0) return false;
        var message = new IpiMessage(value);
        _command = value;
        if (message.Delivery is IpiDelivery.Fixed or IpiDelivery.LowestPriority && message.Vector < 16) apic.ErrorStatus |= 1u << 5;
        else bus.Send(_cpu->Index, message);
        return true;
    }
}
