using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// The software TLB of one CPU: a direct-mapped table per access mode, each entry a 4 KB piece of linear memory that is
/// RAM. A hit is one comparison and also proves that the access stays within the page. Whatever is not an ordinary
/// access to RAM has no tag, so the slow path sees it.
/// </summary>
public static unsafe class Tlb
{
    /// <summary>Entries of one mode's table.</summary>
    public const int Entries = 512;

    /// <summary>Clears the offset within a 4 KB page.</summary>
    public const ulong PageMask = ~0xffful;

    private const int AllEntries = Entries * AccessModes.Count;
    private const byte GlobalPage = 0x80;
    private const byte PageBitsMask = 0x7f;

    /// <summary>Gives a CPU its TLB, empty.</summary>
    public static void Allocate(CpuState* cpu)
    {
        // SAFETY: the size covers all entries, the table that stays empty, a frame and a byte of notes per entry, and the flag byte; Free releases it.
        int bytes = ((AllEntries + Entries) * sizeof(TlbEntry)) + (AllEntries * (sizeof(ulong) + 1)) + 1;
        cpu->Tlb = (TlbEntry*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        for (int i = 0; i < Entries; i++)
            Nothing(cpu)[i] = new TlbEntry { ReadTag = TlbEntry.Invalid, WriteTag = TlbEntry.Invalid, ExecuteTag = TlbEntry.Invalid };
        Flush(cpu);
    }

    /// <summary>Releases the memory of a CPU's TLB.</summary>
    public static void Free(CpuState* cpu)
    {
        // SAFETY: Allocate made this block; a null pointer is allowed.
        NativeMemory.AlignedFree(cpu->Tlb);
        cpu->Tlb = null;
    }

    /// <summary>The table of one access mode.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TlbEntry* Table(CpuState* cpu, AccessMode mode) => cpu->Tlb + ((int)mode * Entries);

    /// <summary>A table that holds nothing, for accesses that must all take the slow path.</summary>
    public static TlbEntry* Nothing(CpuState* cpu) => cpu->Tlb + AllEntries;

    /// <summary>Host address for a read of <paramref name="size"/> bytes, null if the slow path must look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ForRead(TlbEntry* table, ulong linear, int size)
    {
        TlbEntry* entry = table + ((linear >> 12) & (Entries - 1));
        return entry->ReadTag == ((linear + (uint)(size - 1)) & PageMask) ? (byte*)(linear + entry->HostOffset) : null;
    }

    /// <summary>Host address for a write of <paramref name="size"/> bytes, null if the slow path must look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ForWrite(TlbEntry* table, ulong linear, int size)
    {
        TlbEntry* entry = table + ((linear >> 12) & (Entries - 1));
        return entry->WriteTag == ((linear + (uint)(size - 1)) & PageMask) ? (byte*)(linear + entry->HostOffset) : null;
    }

    /// <summary>Host address of an instruction byte, null if the slow path must look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ForExecute(TlbEntry* table, ulong linear)
    {
        TlbEntry* entry = table + ((linear >> 12) & (Entries - 1));
        return entry->ExecuteTag == (linear & PageMask) ? (byte*)(linear + entry->HostOffset) : null;
    }

    /// <summary>
    /// Translates an address for an access that stays within its 4 KB page and remembers what it found.
    /// </summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="linear">The linear address.</param>
    /// <param name="kind">What the access does.</param>
    /// <param name="mode">On whose behalf.</param>
    /// <param name="physical">The physical address.</param>
    /// <param name="host">The host address, null where there is no RAM, and no ROM that is only read.</param>
    /// <param name="fault">The exception, if the access is not allowed.</param>
    public static bool TryFill(CpuState* cpu, ulong linear, AccessKind kind, AccessMode mode, out ulong physical, out byte* host, out MemoryFault fault)
    {
        host = null;
        physical = 0;
        if (!PageWalk.TryTranslate(cpu, linear, kind, mode, out Translation translation, out fault))
            return false;

        physical = translation.Physical;
        ulong frame = physical & PageMask;
        byte* page = Ram.At(cpu, frame, 0x1000);
        bool writable = page != null;
        if (page == null && kind != AccessKind.Write)
            page = Ram.Readable(cpu, frame, 0x1000);
        if (page == null)
            return true;

        host = page + (physical & 0xfff);
        if ((cpu->Efer & EferBits.LongModeActive) == 0)
            linear = (uint)linear;
        int index = ((int)mode * Entries) + (int)((linear >> 12) & (Entries - 1));
        ulong tag = linear & PageMask;
        bool watched = Breakpoints.Watch(cpu, tag);
        bool readable = !watched && translation.Rights.HasFlag(PageRights.Read);
        writable = writable && !watched && translation.Rights.HasFlag(PageRights.Write) && translation.Dirty && !CodePages.Holds(cpu, physical);
        if (cpu->Watches != 0)
        {
            MemoryWatches watches = MemoryWatches.Of(cpu);
            readable = readable && !watches.Covers(tag, 0x1000, AccessKind.Read);
            writable = writable && !watches.Covers(tag, 0x1000, AccessKind.Write);
        }

        // SAFETY: index is below AllEntries; frames and notes stand behind the entries in the same block.
        cpu->Tlb[index] = new TlbEntry
        {
            ReadTag = readable ? tag : TlbEntry.Invalid,
            WriteTag = writable ? tag : TlbEntry.Invalid,
            ExecuteTag = translation.Rights.HasFlag(PageRights.Execute) ? tag : TlbEntry.Invalid,
            HostOffset = (ulong)page - tag,
        };
        Frames(cpu)[index] = frame;
        Notes(cpu)[index] = (byte)(translation.PageBits | (translation.Global ? GlobalPage : 0));
        if (translation.PageBits > 12)
            *HasLargePages(cpu) = 1;
        return true;
    }

    /// <summary>Forgets everything, global pages too.</summary>
    public static void Flush(CpuState* cpu)
    {
        for (int i = 0; i < AllEntries; i++)
            Forget(cpu, i);
        *HasLargePages(cpu) = 0;
        cpu->TlbGeneration++;
    }

    /// <summary>Forgets everything but global pages: what a write to CR3 does (SDM vol. 3, 4.10.4.1).</summary>
    public static void FlushNonGlobal(CpuState* cpu)
    {
        byte* notes = Notes(cpu);
        for (int i = 0; i < AllEntries; i++)
        {
            // SAFETY: i is below AllEntries.
            if ((notes[i] & GlobalPage) == 0)
                Forget(cpu, i);
        }

        cpu->TlbGeneration++;
    }

    /// <summary>Forgets the page that holds an address, whatever its size, global or not: what INVLPG does.</summary>
    public static void FlushPage(CpuState* cpu, ulong linear)
    {
        cpu->TlbGeneration++;
        if (*HasLargePages(cpu) == 0)
        {
            for (int mode = 0; mode < AccessModes.Count; mode++)
                Forget(cpu, (mode * Entries) + (int)((linear >> 12) & (Entries - 1)));
            return;
        }

        byte* notes = Notes(cpu);
        for (int i = 0; i < AllEntries; i++)
        {
            // SAFETY: i is below AllEntries.
            TlbEntry* entry = cpu->Tlb + i;
            ulong tag = entry->ReadTag != TlbEntry.Invalid ? entry->ReadTag : entry->ExecuteTag != TlbEntry.Invalid ? entry->ExecuteTag : entry->WriteTag;
            if (tag != TlbEntry.Invalid && ((tag ^ linear) >> (notes[i] & PageBitsMask)) == 0)
                Forget(cpu, i);
        }
    }

    /// <summary>Takes the write tags from every linear address that leads to a physical page, so that writes to it are seen.</summary>
    public static void ForbidQuickWrites(CpuState* cpu, ulong physical)
    {
        ulong frame = physical & PageMask;
        for (int i = 0; i < AllEntries; i++)
        {
            // SAFETY: i is below AllEntries.
            if (Frames(cpu)[i] == frame)
                cpu->Tlb[i].WriteTag = TlbEntry.Invalid;
        }
    }

    private static void Forget(CpuState* cpu, int index)
    {
        // SAFETY: callers count below AllEntries.
        cpu->Tlb[index] = new TlbEntry { ReadTag = TlbEntry.Invalid, WriteTag = TlbEntry.Invalid, ExecuteTag = TlbEntry.Invalid };
        Notes(cpu)[index] = 0;
    }

    /// <summary>The physical address of an instruction byte that <see cref="ForExecute"/> found.</summary>
    public static ulong Physical(CpuState* cpu, AccessMode mode, ulong linear) =>
        // SAFETY: the index is below AllEntries.
        Frames(cpu)[((int)mode * Entries) + (int)((linear >> 12) & (Entries - 1))] | (linear & 0xfff);

    /// <summary>The physical page of each entry.</summary>
    private static ulong* Frames(CpuState* cpu) => (ulong*)(cpu->Tlb + AllEntries + Entries);

    /// <summary>A byte per entry: page size in bits, and whether the page is global.</summary>
    private static byte* Notes(CpuState* cpu) => (byte*)(Frames(cpu) + AllEntries);

    private static byte* HasLargePages(CpuState* cpu) => Notes(cpu) + AllEntries;
}
