using System.Numerics;
using System.Runtime.InteropServices;
using PvPatch.Emulator.State;
using PvPatch.GuestOs.Locks;
using PvPatch.Paravirt.Layout;

namespace PvPatch.GuestOs.Memory;

/// <summary>
/// Physical pages by the buddy method (Linux: mm/page_alloc.c): a block of 2^order pages is split into two buddies, and two
/// free buddies become one block again. Orders 0 to 9: 4 KiB to 2 MiB.
/// </summary>
public static unsafe class PageAllocator
{
    /// <summary>The largest order: a 2 MiB page.</summary>
    public const int MaxOrder = 9;

    private const uint None = uint.MaxValue;

    [StructLayout(LayoutKind.Sequential)]
    private struct Frame
    {
        public uint Next;           // in the free list of its order
        public uint Previous;
        public byte Order;          // of the block whose first frame this is
        public FrameUse Use;
    }

    private enum FrameUse : byte
    {
        Inside,                     // not the first frame of a block
        Free,
        InUse,
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct State
    {
        public QSpinLock Lock;
        public uint FrameCount;     // frames of RAM, numbered by physical address / 4096
        public uint FreeFrames;
        public uint FirstFrame;     // below: the layout's fixed places and the frame table
        public fixed uint FreeList[MaxOrder + 1];
    }

    /// <summary>Takes all memory after the fixed places and the frame table.</summary>
    /// <param name="cpu">The boot CPU.</param>
    public static void Init(CpuState* cpu)
    {
        State* state = StateOf(cpu);
        *state = default;
        state->FrameCount = (uint)(cpu->RamSize >> MemoryLayout.PageShift);
        ulong tableBytes = (ulong)sizeof(Frame) * state->FrameCount;
        state->FirstFrame = (uint)((MemoryLayout.FirstFree + tableBytes + MemoryLayout.PageSize - 1) >> MemoryLayout.PageShift);
        for (int order = 0; order <= MaxOrder; order++)
            state->FreeList[order] = None;
        new Span<byte>(Frames(cpu), (int)tableBytes).Clear();

        uint frame = state->FirstFrame;
        while (frame < state->FrameCount)
        {
            int order = Math.Min(MaxOrder, BitOperations.TrailingZeroCount(frame));
            while (frame + (1u << order) > state->FrameCount)
                order--;
            Insert(cpu, frame, order);
            state->FreeFrames += 1u << order;
            frame += 1u << order;
        }
    }

    /// <summary>Pages that are free.</summary>
    public static uint FreePages(CpuState* cpu) => StateOf(cpu)->FreeFrames;

    /// <summary>Pages that the allocator manages, free or not.</summary>
    public static uint ManagedPages(CpuState* cpu) => StateOf(cpu)->FrameCount - StateOf(cpu)->FirstFrame;

    /// <summary>Allocates 2^order zeroed pages.</summary>
    /// <returns>The physical address, aligned to the size; 0 when memory is out.</returns>
    public static ulong Allocate(CpuState* cpu, int order = 0)
    {
        State* state = StateOf(cpu);
        ulong flags = KernelLock.AcquireSave(cpu, &state->Lock);
        uint frame = Take(cpu, order);
        KernelLock.ReleaseRestore(cpu, &state->Lock, flags);
        if (frame == None)
            return 0;
        ulong address = (ulong)frame << MemoryLayout.PageShift;
        NativeMemory.Clear(MemoryLayout.At<byte>(cpu, address), (nuint)(MemoryLayout.PageSize << order));
        return address;
    }

    /// <summary>Frees what <see cref="Allocate"/> gave.</summary>
    /// <param name="cpu">The CPU that frees.</param>
    /// <param name="address">The physical address.</param>
    /// <param name="order">The same order. A block that is not in use, or not of this order, is a mistake of the kernel's own: it panics.</param>
    public static void Free(CpuState* cpu, ulong address, int order = 0)
    {
        State* state = StateOf(cpu);
        uint frame = (uint)(address >> MemoryLayout.PageShift);
        ulong flags = KernelLock.AcquireSave(cpu, &state->Lock);
        Frame* block = Frames(cpu) + frame;
        bool wrong = frame < state->FirstFrame || frame >= state->FrameCount || block->Use != FrameUse.InUse || block->Order != order;
        if (!wrong)
        {
            block->Use = FrameUse.Inside;
            state->FreeFrames += 1u << order;
            Merge(cpu, frame, order);
        }

        KernelLock.ReleaseRestore(cpu, &state->Lock, flags);
        if (wrong)
            Panic.Stop(cpu, $"Bad page state: page frame {frame:x} is freed but not in use as a block of order {order}");
    }

    private static uint Take(CpuState* cpu, int order)
    {
        State* state = StateOf(cpu);
        for (int from = order; from <= MaxOrder; from++)
        {
            uint frame = state->FreeList[from];
            if (frame == None)
                continue;
            Remove(cpu, frame);
            while (from > order)
                Insert(cpu, frame + (1u << --from), from);  // the upper half stays free
            state->FreeFrames -= 1u << order;
            Frames(cpu)[frame] = new Frame { Order = (byte)order, Use = FrameUse.InUse };
            return frame;
        }

        return None;
    }

    private static void Merge(CpuState* cpu, uint frame, int order)
    {
        State* state = StateOf(cpu);
        while (order < MaxOrder)
        {
            uint buddy = frame ^ (1u << order);
            if (buddy < state->FirstFrame || buddy >= state->FrameCount)
                break;
            Frame* other = Frames(cpu) + buddy;
            if (other->Use != FrameUse.Free || other->Order != order)
                break;
            Remove(cpu, buddy);
            frame = Math.Min(frame, buddy);
            order++;
        }

        Insert(cpu, frame, order);
    }

    private static void Insert(CpuState* cpu, uint frame, int order)
    {
        State* state = StateOf(cpu);
        Frame* frames = Frames(cpu);
        uint next = state->FreeList[order];
        frames[frame] = new Frame { Next = next, Previous = None, Order = (byte)order, Use = FrameUse.Free };
        if (next != None)
            frames[next].Previous = frame;
        state->FreeList[order] = frame;
    }

    private static void Remove(CpuState* cpu, uint frame)
    {
        Frame* frames = Frames(cpu);
        Frame* self = frames + frame;
        if (self->Previous == None)
            StateOf(cpu)->FreeList[self->Order] = self->Next;
        else
            frames[self->Previous].Next = self->Next;
        if (self->Next != None)
            frames[self->Next].Previous = self->Previous;
        self->Use = FrameUse.Inside;
    }

    private static State* StateOf(CpuState* cpu) => MemoryLayout.At<State>(cpu, MemoryLayout.PageAllocatorState);

    private static Frame* Frames(CpuState* cpu) => MemoryLayout.At<Frame>(cpu, MemoryLayout.FirstFree);
}
