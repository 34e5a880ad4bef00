using System.Runtime.InteropServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// Keeps the notes on pages that hold decoded instructions. A write to such a page takes the slow path of
/// <see cref="LinearMemory"/>, which reports it here; only a write to bytes that were decoded makes the page stale.
/// </summary>
public static unsafe class CodePages
{
    /// <summary>Makes the map for a machine whose memory ends below the physical address <paramref name="top"/>.</summary>
    public static CodePageMap* Allocate(ulong top)
    {
        ulong pages = (top + 0xfff) >> 12;
        // SAFETY: zeroed memory is a valid empty map; Free releases both blocks.
        var map = (CodePageMap*)NativeMemory.AllocZeroed((nuint)sizeof(CodePageMap));
        map->Notes = (CodePageNote**)NativeMemory.AllocZeroed((nuint)pages, (nuint)sizeof(CodePageNote*));
        map->Pages = pages;
        return map;
    }

    /// <summary>Releases a map that no CPU uses any more.</summary>
    public static void Free(CodePageMap* map)
    {
        for (ulong i = 0; i < map->Pages; i++)
        {
            // SAFETY: i is below Pages; a note is null or a block that Decoded made.
            NativeMemory.Free(map->Notes[i]);
        }

        NativeMemory.Free(map->Notes);
        NativeMemory.Free(map);
    }

    /// <summary>Whether instructions were decoded from the page of a physical address.</summary>
    public static bool Holds(CpuState* cpu, ulong physical) => NoteOf(cpu, physical) != null;

    /// <summary>A CPU executes code from the map's memory: writes of all CPUs of the map reach its decoded instructions.</summary>
    public static void Join(CpuState* cpu, CodePageMap* map)
    {
        cpu->CodePages = map;
        cpu->NextOnMap = map->FirstCpu;
        map->FirstCpu = cpu;
    }

    /// <summary>Whether decoded instructions may be kept for the page of a physical address: the map has room for its note.</summary>
    public static bool Covers(CpuState* cpu, ulong physical) => physical >> 12 < cpu->CodePages->Pages;

    /// <summary>The version of the page of a physical address.</summary>
    public static uint Version(CpuState* cpu, ulong physical)
    {
        CodePageNote* note = NoteOf(cpu, physical);
        return note == null ? 0 : note->Version;
    }

    /// <summary>An instruction was decoded from these bytes of one page, which the map covers.</summary>
    public static void Decoded(CpuState* cpu, ulong physical, int size)
    {
        CodePageMap* map = cpu->CodePages;
        CodePageNote* note = NoteOf(cpu, physical);
        if (note == null)
        {
            // SAFETY: the map covers the page; Free releases the note.
            note = (CodePageNote*)NativeMemory.AllocZeroed((nuint)sizeof(CodePageNote));
            map->Notes[physical >> 12] = note;
            for (CpuState* one = map->FirstCpu; one != null; one = one->NextOnMap)
                Tlb.ForbidQuickWrites(one, physical);
        }

        int first = (int)(physical & 0xfff);
        for (int i = first; i < first + size; i++)
        {
            // SAFETY: the bytes lie in one page, so i >> 6 is below 64.
            note->Decoded[i >> 6] |= 1ul << (i & 63);
        }
    }

    /// <summary>Bytes of RAM were written in a way that the TLB did not see: by a device, or through a host pointer.</summary>
    public static void Written(CpuState* cpu, ulong physical, ulong size)
    {
        if (cpu->CodePages != null)
            Written(cpu->CodePages, physical, size);
    }

    /// <summary>Bytes of the map's memory were written.</summary>
    public static void Written(CodePageMap* map, ulong physical, ulong size)
    {
        ulong end = physical + size;
        while (physical < end)
        {
            ulong next = Math.Min(end, (physical | 0xfff) + 1);
            WrittenInPage(map, physical, (int)(next - physical));
            physical = next;
        }
    }

    private static void WrittenInPage(CodePageMap* map, ulong physical, int size)
    {
        CodePageNote* note = NoteOf(map, physical);
        if (note == null)
            return;
        int first = (int)(physical & 0xfff);
        bool decoded = false;
        for (int i = first; i < first + size; i++)
        {
            // SAFETY: the bytes lie in one page, so i >> 6 is below 64.
            decoded |= (note->Decoded[i >> 6] & (1ul << (i & 63))) != 0;
        }

        if (!decoded)
            return;

        note->Version++;
        // SAFETY: the field has exactly 64 words.
        new Span<ulong>(note->Decoded, 64).Clear();
        Interlocked.Increment(ref map->Changes);
    }

    private static CodePageNote* NoteOf(CpuState* cpu, ulong physical) => NoteOf(cpu->CodePages, physical);

    private static CodePageNote* NoteOf(CodePageMap* map, ulong physical) =>
        // SAFETY: the index is checked against Pages.
        map != null && physical >> 12 < map->Pages ? map->Notes[physical >> 12] : null;
}
