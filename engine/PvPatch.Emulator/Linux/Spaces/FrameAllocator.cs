using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>Hands out the page frames of guest RAM, all bytes zero.</summary>
/// <param name="memory">The RAM. Frame 0 is never handed out, so that 0 can mean none.</param>
internal sealed class FrameAllocator(PhysicalMemory memory)
{
    private readonly Stack<ulong> _freed = new();
    private readonly Dictionary<ulong, int> _furtherUsers = [];
    private ulong _next = PhysicalMemory.PageSize;

    /// <summary>Frames that can still be had.</summary>
    public ulong Free => ((memory.Size - _next) / PhysicalMemory.PageSize) + (ulong)_freed.Count;

    /// <summary>The end of all frames that were ever taken.</summary>
    public ulong End => _next;

    /// <summary>Takes a frame; 0 if there is none left.</summary>
    public ulong Take()
    {
        if (_freed.TryPop(out ulong frame))
        {
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
    public void Share(ulong frame) => _furtherUsers[frame] = _furtherUsers.GetValueOrDefault(frame) + 1;

    /// <summary>Gives a frame back; it is free when the last page that led to it has done so.</summary>
    public void Give(ulong frame)
    {
        if (!_furtherUsers.TryGetValue(frame, out int further))
            _freed.Push(frame);
        else if (further == 1)
            _furtherUsers.Remove(frame);
        else
            _furtherUsers[frame] = further - 1;
    }
}
