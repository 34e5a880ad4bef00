using PvPatch.Emulator.Clocks;
using PvPatch.Emulator.Interrupts;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.Snapshots;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Processors;

/// <summary>
/// The MSRs of the bare processor. What an instruction uses directly stands in <see cref="CpuState"/>; the rest is here.
/// Everything else is not there and raises #GP, as do reserved bits and addresses that are not canonical.
/// </summary>
internal sealed unsafe class ProcessorMsrs : ISavedState
{
    // MISC_ENABLE: fast strings (0), performance monitoring available (7, read only), no BTS and PEBS (11, 12, read only).
    private const ulong MiscWritable = 1ul << 0;
    private const ulong MiscReset = 1ul << 0 | 1ul << 11 | 1ul << 12;

    // PAT after reset: WB, WT, UC-, UC, twice.
    private const ulong PatReset = 0x0007_0406_0007_0406;

    private readonly CpuState* _cpu;
    private readonly TimeStampCounter _tsc;
    private readonly LocalApic _apic;
    private readonly X2ApicRegisters _apicRegisters;
    private readonly Dictionary<uint, ulong> _stored;

    public ProcessorMsrs(CpuState* cpu, TimeStampCounter tsc, LocalApic apic, X2ApicRegisters apicRegisters)
    {
        _cpu = cpu;
        _tsc = tsc;
        _apic = apic;
        _apicRegisters = apicRegisters;
        _stored = new()
        {
            [Msr.MtrrCap] = 0,
            [Msr.MtrrDefType] = 0,
            [Msr.SysenterCs] = 0,
            [Msr.SysenterEsp] = 0,
            [Msr.SysenterEip] = 0,
            [Msr.MiscEnable] = MiscReset,
            [Msr.Pat] = PatReset,
            [Msr.Star] = 0,
            [Msr.Lstar] = 0,
            [Msr.Cstar] = 0,
            [Msr.SyscallMask] = 0,
            [Msr.TscAux] = 0,
        };
    }

    /// <summary>RDMSR. False: #GP(0).</summary>
    public bool Read(uint msr, out ulong value)
    {
        switch (msr)
        {
            case Msr.Tsc: value = _tsc.Read(); return true;
            case Msr.TscAdjust: value = _tsc.Offset; return true;
            case Msr.TscDeadline: value = _apic.Timer.TscDeadline; return true;
            case Msr.Efer: value = _cpu->Efer; return true;
            case Msr.FsBase: value = _cpu->Fs.Base; return true;
            case Msr.GsBase: value = _cpu->Gs.Base; return true;
            case Msr.KernelGsBase: value = _cpu->KernelGsBase; return true;
            case Msr.ApicBase or (>= Msr.X2Apic and <= Msr.X2ApicLast): return _apicRegisters.Read(msr, out value);
            default: return _stored.TryGetValue(msr, out value);
        }
    }

    /// <summary>WRMSR. False: #GP(0).</summary>
    public bool Write(uint msr, ulong value)
    {
        switch (msr)
        {
            case Msr.Tsc: _tsc.Write(value); return true;
            case Msr.TscAdjust: _tsc.Offset = value; return true;
            case Msr.TscDeadline: _apic.Timer.TscDeadline = value; return true;
            case Msr.Efer: return ControlRegisters.WriteEfer(_cpu, value) == 0;
            case Msr.FsBase when PageWalk.IsCanonical(value): _cpu->Fs.Base = value; return true;
            case Msr.GsBase when PageWalk.IsCanonical(value): _cpu->Gs.Base = value; return true;
            case Msr.KernelGsBase when PageWalk.IsCanonical(value): _cpu->KernelGsBase = value; return true;
            case Msr.ApicBase or (>= Msr.X2Apic and <= Msr.X2ApicLast): return _apicRegisters.Write(msr, value);
            case Msr.SysenterEsp or Msr.SysenterEip or Msr.Lstar or Msr.Cstar when PageWalk.IsCanonical(value):
            case Msr.SysenterCs or Msr.SyscallMask or Msr.TscAux when value <= uint.MaxValue:
            case Msr.Star:
            case Msr.Pat when IsPat(value):
            case Msr.MtrrDefType when IsMtrrDefault(value):
                _stored[msr] = value;
                return true;
            case Msr.MiscEnable when ((value ^ _stored[msr]) & ~MiscWritable) == 0: _stored[msr] = value; return true;
            default: return false;
        }
    }

    /// <summary>Those that are only stored.</summary>
    public void Transfer(StateTransfer state)
    {
        foreach (uint msr in _stored.Keys.Order().ToArray()) state.Value(_stored[msr], value => _stored[msr] = value);
    }

    /// <summary>Each byte a memory type: UC 0, WC 1, WT 4, WP 5, WB 6, UC- 7.</summary>
    private static bool IsPat(ulong value)
    {
        for (int index = 0; index < 8; index++, value >>= 8)
        {
            if ((byte)value is not (0 or 1 or 4 or 5 or 6 or 7)) return false;
        }

        return true;
    }

    /// <summary>Default type in bits 0 to 7, fixed ranges on in bit 10 (there are none, so 0), MTRRs on in bit 11.</summary>
    private static bool IsMtrrDefault(ulong value) => (value & ~0x8fful) == 0 && (byte)value is 0 or 1 or 4 or 5 or 6;
}
