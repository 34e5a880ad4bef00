using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Memory;

/// <summary>
/// The software TLB of one CPU: a direct-mapped table per access mode, each entry a 4 KB piece of linear memory that is
/// RAM. A hit is one comparison and also proves that the access stays within the page. Whatever is not an ordinary
/// access to RAM has no tag, so the slow path sees it. Tables are large, but what is not used of them costs nothing: they start
/// as zeroed memory, and entries that were filled are listed, so that an invalidation goes over those alone.
/// </summary>
public static unsafe class Tlb
{
    /// <summary>Clears the offset within a 4 KB page.</summary>
    public const ulong PageMask = ~0xffful;

    /// <summary>The offset of the last byte of a page: an address with these bits set is its page's tag.</summary>
    public const ulong LastByte = 0xfff;

    private const int AllEntries = TlbTable.Entries * AccessModes.Count;
    private const int Alignment = 64;
    private const byte GlobalPage = 0x80;
    private const byte Listed = 0x40;
    private const byte PageBitsMask = 0x3f;

    /// <summary>Gives a CPU its TLB, empty.</summary>
    public static void Allocate(CpuState* cpu)
    {
        nuint size = ((AccessModes.Count + 1) * (nuint)sizeof(TlbTable)) + (AllEntries * (nuint)(sizeof(ulong) + sizeof(int) + 1)) + (nuint)sizeof(Notebook);
        // SAFETY: the size covers all tables, the one that stays empty, a frame, a place in the list and a byte of notes for each entry, and the notebook, at any
        // alignment; Free releases it.
        byte* block = (byte*)NativeMemory.AllocZeroed(size + Alignment);
        cpu->Tlb = (TlbTable*)(((nuint)block + Alignment - 1) & ~(nuint)(Alignment - 1));
        NotebookOf(cpu)->Block = block;
    }

    /// <summary>Releases the memory of a CPU's TLB.</summary>
    public static void Free(CpuState* cpu)
    {
        if (cpu->Tlb == null)
            return;
        // SAFETY: Allocate made this block.
        NativeMemory.Free(NotebookOf(cpu)->Block);
        cpu->Tlb = null;
    }

    /// <summary>The table of one access mode.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TlbTable* Table(CpuState* cpu, AccessMode mode) => cpu->Tlb + (int)mode;

    /// <summary>A table that holds nothing, for accesses that must all take the slow path.</summary>
    public static TlbTable* Nothing(CpuState* cpu) => cpu->Tlb + AccessModes.Count;

    /// <summary>Host address for a read of <paramref name="size"/> bytes, null if the slow path must look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ForRead(TlbTable* table, ulong linear, int size) =>
        // SAFETY: an entry is 16 bits.
        table->ReadTags[EntryOf(linear)] == ((linear + (uint)(size - 1)) | LastByte) ? (byte*)(linear + table->HostOffsets[EntryOf(linear)]) : null;

    /// <summary>Host address for a write of <paramref name="size"/> bytes, null if the slow path must look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ForWrite(TlbTable* table, ulong linear, int size) =>
        // SAFETY: an entry is 16 bits.
        table->WriteTags[EntryOf(linear)] == ((linear + (uint)(size - 1)) | LastByte) ? (byte*)(linear + table->HostOffsets[EntryOf(linear)]) : null;

    /// <summary>Reads bytes of two pages; false if they lie in one, or the slow path must look.</summary>
    internal static bool TryReadAcross(TlbTable* table, ulong linear, int size, byte* target)
    {
        int first = 0x1000 - (int)(linear & LastByte);
        if (first >= size || size - first > 0x1000)
            return false;
        byte* low = ForRead(table, linear, first);
        byte* high = ForRead(table, linear + (uint)first, size - first);
        if (low == null || high == null)
            return false;
        // SAFETY: the TLB vouches for both parts; the target has room for the whole.
        Unsafe.CopyBlockUnaligned(target, low, (uint)first);
        Unsafe.CopyBlockUnaligned(target + first, high, (uint)(size - first));
        return true;
    }

    /// <summary>Writes bytes of two pages; false if they lie in one, or the slow path must look: then nothing was written.</summary>
    internal static bool TryWriteAcross(TlbTable* table, ulong linear, int size, byte* source)
    {
        int first = 0x1000 - (int)(linear & LastByte);
        if (first >= size || size - first > 0x1000)
            return false;
        byte* low = ForWrite(table, linear, first);
        byte* high = ForWrite(table, linear + (uint)first, size - first);
        if (low == null || high == null)
            return false;
        // SAFETY: the TLB vouches for both parts; the source has the whole.
        Unsafe.CopyBlockUnaligned(low, source, (uint)first);
        Unsafe.CopyBlockUnaligned(high, source + first, (uint)(size - first));
        return true;
    }

    /// <summary>Host address of an instruction byte, null if the slow path must look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* ForExecute(TlbTable* table, ulong linear) =>
        // SAFETY: an entry is 16 bits.
        table->ExecuteTags[EntryOf(linear)] == (linear | LastByte) ? (byte*)(linear + table->HostOffsets[EntryOf(linear)]) : null;

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
        int entry = EntryOf(linear);
        int index = ((int)mode * TlbTable.Entries) + entry;
        ulong first = linear & PageMask;
        ulong tag = linear | LastByte;
        bool watched = Breakpoints.Watch(cpu, first);
        bool readable = !watched && translation.Rights.HasFlag(PageRights.Read);
        // Instructions that change memory read it too.
        writable = writable && readable && translation.Rights.HasFlag(PageRights.Write) && translation.Dirty && !CodePages.Holds(cpu, physical);
        if (cpu->Watches != 0)
        {
            MemoryWatches watches = MemoryWatches.Of(cpu);
            readable = readable && !watches.Covers(first, 0x1000, AccessKind.Read);
            writable = writable && !watches.Covers(first, 0x1000, AccessKind.Write);
        }

        // SAFETY: an entry is 16 bits, an index below AllEntries; frames and notes stand behind the tables in the same block.
        TlbTable* table = Table(cpu, mode);
        table->ReadTags[entry] = readable ? tag : TlbTable.Invalid;
        table->WriteTags[entry] = writable ? tag : TlbTable.Invalid;
        table->ExecuteTags[entry] = translation.Rights.HasFlag(PageRights.Execute) ? tag : TlbTable.Invalid;
        table->HostOffsets[entry] = (ulong)page - first;
        Join(table, first - PhysicalMemory.PageSize);
        Join(table, first);
        Frames(cpu)[index] = frame;
        if ((Notes(cpu)[index] & Listed) == 0)
            Filled(cpu)[NotebookOf(cpu)->Filled++] = index;
        Notes(cpu)[index] = (byte)(Listed | translation.PageBits | (translation.Global ? GlobalPage : 0));
        if (translation.PageBits > 12)
            NotebookOf(cpu)->HasLargePages = true;
        return true;
    }

    /// <summary>Forgets everything, global pages too.</summary>
    public static void Flush(CpuState* cpu)
    {
        foreach (int index in AllFilled(cpu))
        {
            Forget(cpu, index);
            Notes(cpu)[index] = 0;
        }

        NotebookOf(cpu)->Filled = 0;
        NotebookOf(cpu)->HasLargePages = false;
        cpu->TlbGeneration++;
    }

    /// <summary>Forgets everything but global pages: what a write to CR3 does (SDM vol. 3, 4.10.4.1).</summary>
    public static void FlushNonGlobal(CpuState* cpu)
    {
        int kept = 0;
        foreach (int index in AllFilled(cpu))
        {
            if ((Notes(cpu)[index] & GlobalPage) != 0)
            {
                // SAFETY: fewer are kept than were looked at.
                Filled(cpu)[kept++] = index;
                continue;
            }

            Forget(cpu, index);
            Notes(cpu)[index] = 0;
        }

        NotebookOf(cpu)->Filled = kept;
        cpu->TlbGeneration++;
    }

    /// <summary>Forgets the page that holds an address, whatever its size, global or not: what INVLPG does.</summary>
    public static void FlushPage(CpuState* cpu, ulong linear)
    {
        cpu->TlbGeneration++;
        if (!NotebookOf(cpu)->HasLargePages)
        {
            for (int mode = 0; mode < AccessModes.Count; mode++)
                Forget(cpu, (mode * TlbTable.Entries) + EntryOf(linear));
            return;
        }

        foreach (int index in AllFilled(cpu))
        {
            TlbTable* table = TableOf(cpu, index, out int entry);
            ulong tag = table->ReadTags[entry] | table->WriteTags[entry] | table->ExecuteTags[entry];
            if (tag != TlbTable.Invalid && ((tag ^ linear) >> (Notes(cpu)[index] & PageBitsMask)) == 0)
                Forget(cpu, index);
        }
    }

    /// <summary>Takes the write tags from every linear address that leads to a physical page, so that writes to it are seen.</summary>
    public static void ForbidQuickWrites(CpuState* cpu, ulong physical)
    {
        ulong frame = physical & PageMask;
        foreach (int index in AllFilled(cpu))
        {
            // SAFETY: listed indices are below AllEntries.
            if (Frames(cpu)[index] != frame)
                continue;
            TlbTable* table = TableOf(cpu, index, out int entry);
            table->WriteTags[entry] = TlbTable.Invalid;
            Part(table, entry);
        }
    }

    /// <summary>Notes whether the page behind another one lies behind it on the host too, with the same rights; nothing lies behind the last page of all.</summary>
    private static void Join(TlbTable* table, ulong page)
    {
        ulong next = page + PhysicalMemory.PageSize, tag = page | LastByte, nextTag = next | LastByte;
        int entry = EntryOf(page), behind = EntryOf(next);

        // SAFETY: entries are 16 bits.
        bool areReadable = table->ReadTags[entry] == tag && table->ReadTags[behind] == nextTag;
        bool areWritable = table->WriteTags[entry] == tag, isNextWritable = table->WriteTags[behind] == nextTag;
        bool areJoined = next != 0 && areReadable && areWritable == isNextWritable && table->HostOffsets[entry] == table->HostOffsets[behind];
        table->JoinTags[entry] = areJoined ? tag : TlbTable.Invalid;
    }

    /// <summary>The page of an entry is not what it was: neither it nor the one before it is joined to the next one.</summary>
    private static void Part(TlbTable* table, int entry)
    {
        table->JoinTags[entry] = TlbTable.Invalid;
        table->JoinTags[(ushort)(entry - 1)] = TlbTable.Invalid;
    }

    /// <summary>Takes the tags from an entry; it stays in the list.</summary>
    private static void Forget(CpuState* cpu, int index)
    {
        TlbTable* table = TableOf(cpu, index, out int entry);
        table->ReadTags[entry] = TlbTable.Invalid;
        table->WriteTags[entry] = TlbTable.Invalid;
        table->ExecuteTags[entry] = TlbTable.Invalid;
        Part(table, entry);
        Notes(cpu)[index] &= Listed;
    }

    /// <summary>The entry for the page of an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort EntryOf(ulong linear) => (ushort)(linear >> 12);

    /// <summary>The table and the entry of an index into all entries.</summary>
    private static TlbTable* TableOf(CpuState* cpu, int index, out int entry)
    {
        // SAFETY: callers count below AllEntries, and an entry is 16 bits.
        entry = (ushort)index;
        return cpu->Tlb + (index / TlbTable.Entries);
    }

    /// <summary>The physical address of an instruction byte that <see cref="ForExecute"/> found.</summary>
    public static ulong Physical(CpuState* cpu, AccessMode mode, ulong linear) =>
        // SAFETY: the index is below AllEntries.
        Frames(cpu)[((int)mode * TlbTable.Entries) + EntryOf(linear)] | (linear & 0xfff);

    /// <summary>The physical page of each entry.</summary>
    private static ulong* Frames(CpuState* cpu) => (ulong*)(cpu->Tlb + AccessModes.Count + 1);

    /// <summary>The entries that were filled since the last flush.</summary>
    private static int* Filled(CpuState* cpu) => (int*)(Frames(cpu) + AllEntries);

    // SAFETY: the list has room for all entries, and none is in it twice.
    private static ReadOnlySpan<int> AllFilled(CpuState* cpu) => new(Filled(cpu), NotebookOf(cpu)->Filled);

    private static Notebook* NotebookOf(CpuState* cpu) => (Notebook*)(Filled(cpu) + AllEntries);

    /// <summary>A byte per entry: page size in bits, whether the page is global, and whether the entry is in the list.</summary>
    private static byte* Notes(CpuState* cpu) => (byte*)(NotebookOf(cpu) + 1);

    private struct Notebook
    {
        /// <summary>The memory of all tables.</summary>
        public void* Block;

        /// <summary>How many entries are listed.</summary>
        public int Filled;

        /// <summary>Some entry is part of a page larger than 4 KB.</summary>
        public bool HasLargePages;
    }
}
