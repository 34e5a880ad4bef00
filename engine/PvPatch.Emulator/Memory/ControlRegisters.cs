using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// Writes to the control registers and EFER with their checks, and with what each does to cached translations
/// (Intel SDM vol. 3, 2.5 and 4.10.4.1). They return the exception's vector, 0 when the write was made.
/// </summary>
public static unsafe class ControlRegisters
{
    private const uint GeneralProtection = MemoryFault.GeneralProtection;

    private const ulong Cr0Known = Cr0Bits.ProtectionEnable | Cr0Bits.MonitorCoprocessor | Cr0Bits.Emulation | Cr0Bits.TaskSwitched |
        Cr0Bits.ExtensionType | Cr0Bits.NumericError | Cr0Bits.WriteProtect | Cr0Bits.AlignmentMask | Cr0Bits.NotWriteThrough |
        Cr0Bits.CacheDisable | Cr0Bits.Paging;

    private const ulong Cr4Known = Cr4Bits.TimeStampDisable | Cr4Bits.DebuggingExtensions | Cr4Bits.PageSizeExtensions |
        Cr4Bits.PhysicalAddressExtension | Cr4Bits.MachineCheckEnable | Cr4Bits.GlobalPages | Cr4Bits.PerformanceCounters |
        Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions | Cr4Bits.UserModeInstructionPrevention | Cr4Bits.FsGsBase |
        Cr4Bits.ProcessContextIdentifiers | Cr4Bits.OsXsave | Cr4Bits.Smep | Cr4Bits.Smap;

    private const ulong Cr4Translation = Cr4Bits.PageSizeExtensions | Cr4Bits.PhysicalAddressExtension | Cr4Bits.GlobalPages |
        Cr4Bits.ProcessContextIdentifiers | Cr4Bits.Smep | Cr4Bits.Smap;

    private const ulong EferKnown = EferBits.SyscallEnable | EferBits.LongModeEnable | EferBits.LongModeActive | EferBits.NoExecuteEnable;

    private const ushort LongCodeSegment = 1 << 13;

    /// <summary>MOV to a control register.</summary>
    public static uint Write(CpuState* cpu, uint number, ulong value) => number switch
    {
        0 => WriteCr0(cpu, value),
        2 => WriteCr2(cpu, value),
        3 => WriteCr3(cpu, value),
        4 => WriteCr4(cpu, value),
        8 => WriteCr8(cpu, value),
        _ => 6,
    };

    /// <summary>WRMSR to IA32_EFER. LMA is read-only and follows CR0.PG.</summary>
    public static uint WriteEfer(CpuState* cpu, ulong value)
    {
        if ((value & ~EferKnown) != 0)
            return GeneralProtection;
        if ((cpu->Cr0 & Cr0Bits.Paging) != 0 && ((value ^ cpu->Efer) & EferBits.LongModeEnable) != 0)
            return GeneralProtection;
        ulong changed = value ^ cpu->Efer;
        cpu->Efer = (value & ~EferBits.LongModeActive) | (cpu->Efer & EferBits.LongModeActive);
        if ((changed & EferBits.NoExecuteEnable) != 0)
            Tlb.Flush(cpu);
        return 0;
    }

    private static uint WriteCr0(CpuState* cpu, ulong value)
    {
        bool paging = (value & Cr0Bits.Paging) != 0;
        if (value >> 32 != 0 || (paging && (value & Cr0Bits.ProtectionEnable) == 0))
            return GeneralProtection;
        if ((value & Cr0Bits.NotWriteThrough) != 0 && (value & Cr0Bits.CacheDisable) == 0)
            return GeneralProtection;

        value = (value & Cr0Known) | Cr0Bits.ExtensionType;
        ulong changed = value ^ cpu->Cr0;
        bool pagingChanged = (changed & Cr0Bits.Paging) != 0;
        bool longCode = (cpu->Cs.Attributes & LongCodeSegment) != 0;
        ulong efer = cpu->Efer & ~EferBits.LongModeActive;
        if (paging && (efer & EferBits.LongModeEnable) != 0)
        {
            if (pagingChanged && ((cpu->Cr4 & Cr4Bits.PhysicalAddressExtension) == 0 || longCode))
                return GeneralProtection;
            efer |= EferBits.LongModeActive;
        }

        if (pagingChanged && !paging)
        {
            bool in64BitMode = (cpu->Efer & EferBits.LongModeActive) != 0 && longCode;
            if (in64BitMode || (cpu->Cr4 & Cr4Bits.ProcessContextIdentifiers) != 0)
                return GeneralProtection;
        }

        bool reload = (changed & (Cr0Bits.Paging | Cr0Bits.CacheDisable | Cr0Bits.NotWriteThrough)) != 0;
        if (reload && UsesPae(value, cpu->Cr4, efer) && !TryLoadPdpte(cpu, cpu->Cr3))
            return GeneralProtection;
        if ((changed & value & Cr0Bits.ProtectionEnable) != 0)
            cpu->Cs.Attributes |= SegmentAttributes.Paragraph;
        cpu->Cr0 = value;
        cpu->Efer = efer;
        if ((changed & (Cr0Bits.Paging | Cr0Bits.WriteProtect | Cr0Bits.ProtectionEnable)) != 0)
            Tlb.Flush(cpu);
        return 0;
    }

    private static uint WriteCr2(CpuState* cpu, ulong value)
    {
        cpu->Cr2 = value;
        return 0;
    }

    /// <summary>
    /// Translations of other process contexts are not kept, so the bit that would keep them (63) changes nothing.
    /// </summary>
    private static uint WriteCr3(CpuState* cpu, ulong value)
    {
        if ((cpu->Efer & EferBits.LongModeActive) != 0)
        {
            if ((cpu->Cr4 & Cr4Bits.ProcessContextIdentifiers) != 0)
                value &= ~(1ul << 63);
            if (value >> PageTableEntry.PhysicalAddressBits != 0)
                return GeneralProtection;
        }
        else if (UsesPae(cpu->Cr0, cpu->Cr4, cpu->Efer) && !TryLoadPdpte(cpu, value))
        {
            return GeneralProtection;
        }

        cpu->Cr3 = value;
        Tlb.FlushNonGlobal(cpu);
        return 0;
    }

    private static uint WriteCr4(CpuState* cpu, ulong value)
    {
        if ((value & ~Cr4Known) != 0)
            return GeneralProtection;
        bool longMode = (cpu->Efer & EferBits.LongModeActive) != 0;
        if (longMode && (value & Cr4Bits.PhysicalAddressExtension) == 0)
            return GeneralProtection;
        ulong changed = value ^ cpu->Cr4;
        bool contextsTurnedOn = (changed & value & Cr4Bits.ProcessContextIdentifiers) != 0;
        if (contextsTurnedOn && (!longMode || (cpu->Cr3 & 0xfff) != 0))
            return GeneralProtection;
        const ulong PdpteLoaders = Cr4Bits.PhysicalAddressExtension | Cr4Bits.PageSizeExtensions | Cr4Bits.GlobalPages | Cr4Bits.Smep;
        if ((changed & PdpteLoaders) != 0 && UsesPae(cpu->Cr0, value, cpu->Efer) && !TryLoadPdpte(cpu, cpu->Cr3))
            return GeneralProtection;
        cpu->Cr4 = value;
        if ((changed & Cr4Translation) != 0)
            Tlb.Flush(cpu);
        return 0;
    }

    private static uint WriteCr8(CpuState* cpu, ulong value)
    {
        if (value > 15)
            return GeneralProtection;
        cpu->Cr8 = value;
        return 0;
    }

    private static bool UsesPae(ulong cr0, ulong cr4, ulong efer) =>
        (cr0 & Cr0Bits.Paging) != 0 && (cr4 & Cr4Bits.PhysicalAddressExtension) != 0 && (efer & EferBits.LongModeActive) == 0;

    /// <summary>SDM vol. 3, 4.4.1: the four entries are checked and kept when CR3 is loaded.</summary>
    private static bool TryLoadPdpte(CpuState* cpu, ulong cr3)
    {
        const ulong Reserved = ~PageTableEntry.AddressMask & ~0xe19ul;
        ulong* loaded = stackalloc ulong[4];
        for (uint i = 0; i < 4; i++)
        {
            loaded[i] = Ram.Read<ulong>(cpu, (cr3 & 0xffff_ffe0) + (i * 8));
            if ((loaded[i] & PageTableEntry.Present) != 0 && (loaded[i] & Reserved) != 0)
                return false;
        }

        for (int i = 0; i < 4; i++)
            cpu->Pdpte[i] = loaded[i];
        return true;
    }
}
