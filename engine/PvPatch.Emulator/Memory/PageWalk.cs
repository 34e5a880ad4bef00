using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// Address translation by the paging structures in memory (Intel SDM vol. 3, chapter 4): none, 32-bit, PAE and 4-level.
/// Accessed and dirty bits are set only when the access is allowed.
/// </summary>
public static unsafe class PageWalk
{
    private const int LongModeLevels = 4;
    private const int PaeLevels = 2;
    private const int MostLevels = 4;

    /// <summary>Whether bits 63 to 47 of an address are equal (Intel SDM vol. 1, 3.3.7.1).</summary>
    public static bool IsCanonical(ulong linear) => (ulong)((long)(linear << 16) >> 16) == linear;

    /// <summary>Translates one address for an access of one byte, or says which exception the access raises.</summary>
    public static bool TryTranslate(
        CpuState* cpu, ulong linear, AccessKind kind, AccessMode mode, out Translation translation, out MemoryFault fault)
    {
        fault = default;
        if ((cpu->Efer & EferBits.LongModeActive) != 0)
        {
            if (!IsCanonical(linear))
            {
                translation = default;
                fault = new MemoryFault(MemoryFault.GeneralProtection, 0, linear);
                return false;
            }

            return TryWalk64(cpu, linear, cpu->Cr3 & PageTableEntry.AddressMask, LongModeLevels, kind, mode, out translation, out fault);
        }

        linear = (uint)linear;
        if ((cpu->Cr0 & Cr0Bits.Paging) == 0)
        {
            translation = new Translation(linear, 12, PageRights.Read | PageRights.Write | PageRights.Execute, Dirty: true, Global: false);
            return true;
        }

        if ((cpu->Cr4 & Cr4Bits.PhysicalAddressExtension) == 0)
            return TryWalk32(cpu, linear, kind, mode, out translation, out fault);

        ulong pointer = cpu->Pdpte[(int)(linear >> 30)];
        if ((pointer & PageTableEntry.Present) == 0)
        {
            translation = default;
            fault = Fault(cpu, linear, kind, mode, 0);
            return false;
        }

        return TryWalk64(cpu, linear, pointer & PageTableEntry.AddressMask, PaeLevels, kind, mode, out translation, out fault);
    }

    private static bool TryWalk64(
        CpuState* cpu, ulong linear, ulong top, int levels, AccessKind kind, AccessMode mode, out Translation translation, out MemoryFault fault)
    {
        ulong* places = stackalloc ulong[MostLevels];
        ulong* entries = stackalloc ulong[MostLevels];
        bool longMode = levels == LongModeLevels;
        while (true)
        {
            translation = default;
            ulong table = top;
            ulong allowing = PageTableEntry.Writable | PageTableEntry.User;
            ulong forbidding = 0;
            int depth = 0;
            int pageBits = 12;
            for (int level = levels; ; level--)
            {
                int shift = 12 + (9 * (level - 1));
                ulong place = table + (((linear >> shift) & 511) * 8);
                ulong entry = Ram.Read<ulong>(cpu, place);
                if ((entry & PageTableEntry.Present) == 0)
                {
                    fault = Fault(cpu, linear, kind, mode, 0);
                    return false;
                }

                bool large = level is 2 or 3 && (entry & PageTableEntry.PageSize) != 0;
                if ((entry & Reserved64(cpu, level, shift, large, longMode)) != 0)
                {
                    fault = Fault(cpu, linear, kind, mode, PageFaultBits.Protection | PageFaultBits.Reserved);
                    return false;
                }

                places[depth] = place;
                entries[depth++] = entry;
                allowing &= entry;
                forbidding |= entry;
                if (level == 1 || large)
                {
                    pageBits = shift;
                    break;
                }

                table = entry & PageTableEntry.AddressMask;
            }

            PageRights rights = Rights(cpu, allowing, forbidding, mode);
            if (!Allows(rights, kind))
            {
                fault = Fault(cpu, linear, kind, mode, PageFaultBits.Protection);
                return false;
            }

            fault = default;
            if (!TryMarkUsed(cpu, places, entries, depth, kind))
                continue;

            ulong leaf = entries[depth - 1];
            ulong offset = linear & ((1ul << pageBits) - 1);
            ulong frame = leaf & PageTableEntry.AddressMask & ~((1ul << pageBits) - 1);
            translation = new Translation(
                frame | offset,
                pageBits,
                rights,
                kind == AccessKind.Write || (leaf & PageTableEntry.Dirty) != 0,
                (leaf & PageTableEntry.Global) != 0 && (cpu->Cr4 & Cr4Bits.GlobalPages) != 0);
            return true;
        }
    }

    private static ulong Reserved64(CpuState* cpu, int level, int shift, bool large, bool longMode)
    {
        ulong reserved = ((1ul << 52) - 1) & ~((1ul << PageTableEntry.PhysicalAddressBits) - 1);
        if (!longMode)
            reserved |= ((1ul << 63) - 1) & ~((1ul << 52) - 1);
        if ((cpu->Efer & EferBits.NoExecuteEnable) == 0)
            reserved |= PageTableEntry.NoExecute;
        if (level == LongModeLevels)
            reserved |= PageTableEntry.PageSize;
        if (large)
            reserved |= ((1ul << shift) - 1) & ~((1ul << 13) - 1);
        return reserved;
    }

    private static bool TryWalk32(CpuState* cpu, ulong linear, AccessKind kind, AccessMode mode, out Translation translation, out MemoryFault fault)
    {
        while (true)
        {
            translation = default;
            ulong directoryPlace = (cpu->Cr3 & 0xffff_f000) + ((linear >> 22) * 4);
            uint directory = Ram.Read<uint>(cpu, directoryPlace);
            if ((directory & PageTableEntry.Present) == 0)
            {
                fault = Fault(cpu, linear, kind, mode, 0);
                return false;
            }

            bool large = (directory & PageTableEntry.PageSize) != 0 && (cpu->Cr4 & Cr4Bits.PageSizeExtensions) != 0;
            ulong tablePlace = (directory & 0xffff_f000) + (((linear >> 12) & 1023) * 4);
            uint leaf = large ? directory : Ram.Read<uint>(cpu, tablePlace);
            if ((leaf & PageTableEntry.Present) == 0)
            {
                fault = Fault(cpu, linear, kind, mode, 0);
                return false;
            }

            // PSE-36: bits 13 to 20 of a 4 MB page's entry are address bits 32 to 39, bit 21 is reserved.
            if (large && (leaf & (1u << 21)) != 0)
            {
                fault = Fault(cpu, linear, kind, mode, PageFaultBits.Protection | PageFaultBits.Reserved);
                return false;
            }

            PageRights rights = Rights(cpu, directory & leaf, 0, mode);
            if (!Allows(rights, kind))
            {
                fault = Fault(cpu, linear, kind, mode, PageFaultBits.Protection);
                return false;
            }

            fault = default;
            uint used = leaf | (uint)PageTableEntry.Accessed | (kind == AccessKind.Write ? (uint)PageTableEntry.Dirty : 0);
            if (!large && !TryReplace32(cpu, directoryPlace, directory, directory | (uint)PageTableEntry.Accessed))
                continue;
            if (!TryReplace32(cpu, large ? directoryPlace : tablePlace, leaf, used))
                continue;

            ulong physical = large
                ? (leaf & 0xffc0_0000) | ((ulong)((leaf >> 13) & 0xff) << 32) | (linear & 0x3f_ffff)
                : (leaf & 0xffff_f000) | (linear & 0xfff);
            bool global = (leaf & PageTableEntry.Global) != 0 && (cpu->Cr4 & Cr4Bits.GlobalPages) != 0;
            translation = new Translation(physical, large ? 22 : 12, rights, (used & PageTableEntry.Dirty) != 0, global);
            return true;
        }
    }

    /// <summary>SDM vol. 3, 4.6.1: what the collected bits of all levels allow in a mode.</summary>
    private static PageRights Rights(CpuState* cpu, ulong allowing, ulong forbidding, AccessMode mode)
    {
        bool userPage = (allowing & PageTableEntry.User) != 0;
        bool writable = (allowing & PageTableEntry.Writable) != 0;
        bool executable = (forbidding & PageTableEntry.NoExecute) == 0 || (cpu->Efer & EferBits.NoExecuteEnable) == 0;
        if (mode == AccessMode.User)
        {
            if (!userPage)
                return PageRights.None;
            return PageRights.Read | (writable ? PageRights.Write : PageRights.None) | (executable ? PageRights.Execute : PageRights.None);
        }

        PageRights rights = PageRights.None;
        if (!userPage || mode == AccessMode.SupervisorUnrestricted || (cpu->Cr4 & Cr4Bits.Smap) == 0)
        {
            rights |= PageRights.Read;
            if (writable || (cpu->Cr0 & Cr0Bits.WriteProtect) == 0)
                rights |= PageRights.Write;
        }

        if (executable && !(userPage && (cpu->Cr4 & Cr4Bits.Smep) != 0))
            rights |= PageRights.Execute;
        return rights;
    }

    private static bool Allows(PageRights rights, AccessKind kind) => kind switch
    {
        AccessKind.Read => rights.HasFlag(PageRights.Read),
        AccessKind.Write => rights.HasFlag(PageRights.Write),
        _ => rights.HasFlag(PageRights.Execute),
    };

    private static MemoryFault Fault(CpuState* cpu, ulong linear, AccessKind kind, AccessMode mode, uint cause)
    {
        uint code = cause;
        if (kind == AccessKind.Write)
            code |= PageFaultBits.Write;
        if (mode == AccessMode.User)
            code |= PageFaultBits.User;

        // The fetch bit exists only where a fetch can be told apart: with NX (which needs PAE) or SMEP (SDM vol. 3, 4.7).
        bool noExecute = (cpu->Efer & EferBits.NoExecuteEnable) != 0 && (cpu->Cr4 & Cr4Bits.PhysicalAddressExtension) != 0;
        if (kind == AccessKind.Execute && (noExecute || (cpu->Cr4 & Cr4Bits.Smep) != 0))
            code |= PageFaultBits.Fetch;
        return new MemoryFault(MemoryFault.PageFault, code, linear);
    }

    private static bool TryMarkUsed(CpuState* cpu, ulong* places, ulong* entries, int count, AccessKind kind)
    {
        for (int i = 0; i < count; i++)
        {
            ulong used = entries[i] | PageTableEntry.Accessed;
            if (i == count - 1 && kind == AccessKind.Write)
                used |= PageTableEntry.Dirty;
            if (!TryReplace64(cpu, places[i], entries[i], used))
                return false;
        }

        return true;
    }

    /// <summary>Changes an entry if it still holds what the walk saw; else another CPU changed it and the walk starts again.</summary>
    private static bool TryReplace64(CpuState* cpu, ulong place, ulong seen, ulong wanted)
    {
        if (seen == wanted)
            return true;
        byte* host = Ram.At(cpu, place, sizeof(ulong));
        // An entry in no memory reads as ones, which ended the walk at its reserved bits; one in ROM never changes.
        // SAFETY: host is the address of an entry in RAM.
        return host == null || Interlocked.CompareExchange(ref *(ulong*)host, wanted, seen) == seen;
    }

    private static bool TryReplace32(CpuState* cpu, ulong place, uint seen, uint wanted)
    {
        if (seen == wanted)
            return true;
        byte* host = Ram.At(cpu, place, sizeof(uint));
        // An entry in no memory reads as ones, which has A and D set and needs no change; one in ROM never changes.
        // SAFETY: host is the address of an entry in RAM.
        return host == null || Interlocked.CompareExchange(ref *(uint*)host, wanted, seen) == seen;
    }
}
