using System.Runtime.InteropServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// Keeps the notes on pages that hold decoded instructions. A write to such a page takes the slow path of
/// <see cref="LinearMemory"/>, which reports it here; only a write to bytes that were decoded makes the page stale.
/// </summary>
public static unsafe class CodePages
{
    /// <summary>Makes the map for a machine with <paramref name="ramSize"/> bytes of RAM.</summary>
    public static CodePageMap* Allocate(ulong ramSize)
    {
        ulong pages = (ramSize + 0xfff) >> 12;
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

    /// <summary>The version of the page of a physical address in RAM.</summary>
    public static uint Version(CpuState* cpu, ulong physical)
    {
        CodePageNote* note = NoteOf(cpu, physical);
        return note == null ? 0 : note->Version;
    }

    /// <summary>An instruction was decoded from these bytes of one page in RAM.</summary>
    public static void Decoded(CpuState* cpu, ulong physical, int size)
    {
        CodePageMap* map = cpu->CodePages;
        CodePageNote* note = NoteOf(cpu, physical);
        if (note == null)
        {
            // SAFETY: the page is in RAM, so its number is below Pages; Free releases the note.
            note = (CodePageNote*)NativeMemory.AllocZeroed((nuint)sizeof(CodePageNote));
            map->Notes[physical >> 12] = note;
            Tlb.ForbidQuickWrites(cpu, physical);
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
        if (cpu->CodePages == null)
            return;
        ulong end = physical + size;
        while (physical < end)
        {
            ulong next = Math.Min(end, (physical | 0xfff) + 1);
            WrittenInPage(cpu, physical, (int)(next - physical));
            physical = next;
        }
    }

    private static void WrittenInPage(CpuState* cpu, ulong physical, int size)
    {
        CodePageNote* note = NoteOf(cpu, physical);
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
        Interlocked.Increment(ref cpu->CodePages->Changes);
    }

    private static CodePageNote* NoteOf(CpuState* cpu, ulong physical)
    {
        CodePageMap* map = cpu->CodePages;
        // SAFETY: the index is checked against Pages.
        return map != null && physical >> 12 < map->Pages ? map->Notes[physical >> 12] : null;
    }
}
