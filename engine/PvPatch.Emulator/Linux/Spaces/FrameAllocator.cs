using System.Buffers.Binary;
using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>Hands out the page frames of guest RAM, all bytes zero.</summary>
/// <param name="memory">The RAM. Frame 0 is never handed out, so that 0 can mean none.</param>
internal sealed class FrameAllocator(PhysicalMemory memory)
{
    private ulong _next = PhysicalMemory.PageSize;
    private ulong _firstFreed;
    private ulong _freed;
    private int[]? _furtherUsers;

    /// <summary>Frames that can still be had.</summary>
    public ulong Free => ((memory.Size - _next) / PhysicalMemory.PageSize) + _freed;

    /// <summary>The end of all frames that were ever taken.</summary>
    public ulong End => _next;

    /// <summary>Takes a frame; 0 if there is none left.</summary>
    public ulong Take()
    {
        ulong frame = _firstFreed;
        if (frame != 0)
        {
            // A freed frame starts with the address of the one that was freed before it.
            _firstFreed = BinaryPrimitives.ReadUInt64LittleEndian(memory.Span(frame, sizeof(ulong)));
            _freed--;
            memory.Span(frame, (int)PhysicalMemory.PageSize).Clear();
            return frame;
        }

        if (_next >= memory.Size)
            return 0;
        frame = _next;
        _next += PhysicalMemory.PageSize;
        return frame;
    }

    /// <summary>One more page leads to a frame.</summary>
    public void Share(ulong frame)
    {
        _furtherUsers ??= new int[memory.Size / PhysicalMemory.PageSize];
        _furtherUsers[frame / PhysicalMemory.PageSize]++;
    }

    /// <summary>Gives a frame back; it is free when the last page that led to it has done so.</summary>
    public void Give(ulong frame)
    {
        ulong place = frame / PhysicalMemory.PageSize;
        if (_furtherUsers != null && _furtherUsers[place] > 0)
        {
            _furtherUsers[place]--;
            return;
        }

        Span<byte> next = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(next, _firstFreed);
        memory.Write(frame, next);
        _firstFreed = frame;
        _freed++;
    }
}
