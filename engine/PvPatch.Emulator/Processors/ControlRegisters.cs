using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Processors;

/// <summary>MOV to a control register: what may be written (Intel SDM vol. 3, 2.5) and when translations are dropped (4.10.4.1).</summary>
internal static unsafe class ControlRegisters
{
    private const ulong ProtectionEnable = 1ul << 0;
    private const ulong ExtensionType = 1ul << 4;
    private const ulong NotWriteThrough = 1ul << 29;
    private const ulong CacheDisable = 1ul << 30;
    private const ulong Paging = 1ul << 31;

    // CR0 bits whose change drops translations: WP and PG.
    private const ulong Cr0TlbBits = 1ul << 16 | Paging;

    // PE, MP, EM, TS, ET, NE, WP, AM, NW, CD, PG. The others below bit 32 are ignored.
    private const ulong Cr0Known = 0xe005_003f;

    private const ulong Pae = 1ul << 5;
    private const ulong Pcide = 1ul << 17;

    // VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, PCIDE, SMEP, SMAP.
    private const ulong Cr4Known = 0x0033_0fff;

    // CR4 bits whose change drops translations: PSE, PAE, PGE, PCIDE, SMEP.
    private const ulong Cr4TlbBits = 1ul << 4 | Pae | 1ul << 7 | Pcide | 1ul << 20;

    private const ulong Cr3NoFlush = 1ul << 63;
    private const ulong Cr3Known = (1ul << ProcessorId.PhysicalBits) - 1;

    private const ulong LongModeEnable = 1ul << 8;
    private const ulong LongModeActive = 1ul << 10;

    /// <summary>Writes. False: #GP(0).</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="number">0, 3, 4 or 8.</param>
    /// <param name="value">The value.</param>
    /// <param name="flush">Which translations to drop.</param>
    public static bool Write(CpuState* cpu, uint number, ulong value, out TlbFlush flush)
    {
        flush = TlbFlush.None;
        return number switch
        {
            0 => WriteCr0(cpu, value, out flush),
            3 => WriteCr3(cpu, value, out flush),
            4 => WriteCr4(cpu, value, out flush),
            _ => false,
        };
    }

    private static bool WriteCr0(CpuState* cpu, ulong value, out TlbFlush flush)
    {
        flush = TlbFlush.None;
        if (value > uint.MaxValue) return false;
        if ((value & Paging) != 0 && (value & ProtectionEnable) == 0) return false;
        if ((value & NotWriteThrough) != 0 && (value & CacheDisable) == 0) return false;
        bool pagingOn = (value & ~cpu->Cr0 & Paging) != 0;
        bool pagingOff = (~value & cpu->Cr0 & Paging) != 0;
        if (pagingOn && (cpu->Efer & LongModeEnable) != 0 && (cpu->Cr4 & Pae) == 0) return false;

        // Leaving long mode would need 32-bit code, which no guest of this machine has (and with CR4.PCIDE it faults).
        if (pagingOff && (cpu->Efer & LongModeActive) != 0 && (cpu->Cr4 & Pcide) != 0) return false;
        if (((value ^ cpu->Cr0) & Cr0TlbBits) != 0) flush = TlbFlush.All;
        cpu->Cr0 = (value & Cr0Known) | ExtensionType;
        if (pagingOn && (cpu->Efer & LongModeEnable) != 0) cpu->Efer |= LongModeActive;
        if (pagingOff) cpu->Efer &= ~LongModeActive;
        return true;
    }

    private static bool WriteCr3(CpuState* cpu, ulong value, out TlbFlush flush)
    {
        bool keep = (value & Cr3NoFlush) != 0 && (cpu->Cr4 & Pcide) != 0;
        flush = keep ? TlbFlush.None : TlbFlush.NonGlobal;
        ulong stored = keep ? value & ~Cr3NoFlush : value;
        if ((stored & ~Cr3Known) != 0) return false;
        cpu->Cr3 = stored;
        return true;
    }

    private static bool WriteCr4(CpuState* cpu, ulong value, out TlbFlush flush)
    {
        flush = ((value ^ cpu->Cr4) & Cr4TlbBits) != 0 ? TlbFlush.All : TlbFlush.None;
        bool longMode = (cpu->Efer & LongModeActive) != 0;
        if ((value & ~Cr4Known) != 0) return false;
        if (longMode && (value & Pae) == 0) return false;
        bool pcidOn = (value & ~cpu->Cr4 & Pcide) != 0;
        if (pcidOn && (!longMode || (cpu->Cr3 & 0xfff) != 0)) return false;
        cpu->Cr4 = value;
        return true;
    }
}

/// <summary>Which translations an instruction drops.</summary>
internal enum TlbFlush
{
    /// <summary>None.</summary>
    None,

    /// <summary>Those of the current address space that are not global.</summary>
    NonGlobal,

    /// <summary>All.</summary>
    All,
}
