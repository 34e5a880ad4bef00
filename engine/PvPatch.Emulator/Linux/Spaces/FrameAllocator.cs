using System.Numerics;
using PvPatch.Emulator.Memory;

namespace PvPatch.Emulator.Linux.Spaces;

/// <summary>
/// Hands out the page frames of guest RAM, all bytes zero. A page gets the frame of its own number as long as that is free, so
/// that neighbours lie side by side: translated code that follows pointers foretells the way from linear to host addresses.
/// </summary>
internal sealed class FrameAllocator
{
    private const int BitsOfWord = 64;

    private readonly PhysicalMemory _memory;
    private readonly ulong _count;

    /// <summary>A bit a frame: whether it is taken, and whether it ever was.</summary>
    private readonly ulong[] _taken, _used;

    private ulong _free;
    private int[]? _furtherUsers;

    /// <summary>Where a search begins: all words from the middle of the list to it are full.</summary>
    private int _search;

    /// <param name="memory">The RAM. Frame 0 is never handed out, so that 0 can mean none.</param>
    public FrameAllocator(PhysicalMemory memory)
    {
        _memory = memory;
        _count = memory.Size / PhysicalMemory.PageSize;
        int words = (int)((_count + BitsOfWord - 1) / BitsOfWord);
        _taken = new ulong[words];
        _used = new ulong[words];
        _taken[0] = 1;
        if (_count % BitsOfWord != 0)
            _taken[^1] |= ulong.MaxValue << (int)(_count % BitsOfWord);
        _free = _count - 1;
    }

    /// <summary>Frames that can still be had.</summary>
    public ulong Free => _free;

    /// <summary>The most frames that were taken at a time.</summary>
    public ulong Most { get; private set; }

    /// <summary>The frames that were ever taken, frame 0 among them.</summary>
    public IEnumerable<ulong> Used
    {
        get
        {
            yield return 0;
            for (int word = 0; word < _used.Length; word++)
            {
                for (ulong bits = _used[word]; bits != 0; bits &= bits - 1)
                    yield return (((ulong)word * BitsOfWord) + (ulong)BitOperations.TrailingZeroCount(bits)) * PhysicalMemory.PageSize;
            }
        }
    }

    /// <summary>Takes a frame for a page; 0 if there is none left.</summary>
    /// <param name="page">The page's address.</param>
    public ulong TakeFor(ulong page)
    {
        ulong number = page / PhysicalMemory.PageSize % _count;
        return (_taken[number / BitsOfWord] & Bit(number)) == 0 ? Take(number) : Take();
    }

    /// <summary>Takes any frame, of those that few pages ask for; 0 if there is none left.</summary>
    public ulong Take()
    {
        for (; _free > 0; _search = (_search + 1) % _taken.Length)
        {
            int word = (_search + (_taken.Length / 2)) % _taken.Length;
            if (_taken[word] != ulong.MaxValue)
                return Take(((ulong)word * BitsOfWord) + (ulong)BitOperations.TrailingZeroCount(~_taken[word]));
        }

        return 0;
    }

    /// <summary>One more page leads to a frame.</summary>
    public void Share(ulong frame)
    {
        _furtherUsers ??= new int[_count];
        _furtherUsers[frame / PhysicalMemory.PageSize]++;
    }

    /// <summary>Gives a frame back; it is free when the last page that led to it has done so.</summary>
    public void Give(ulong frame)
    {
        ulong number = frame / PhysicalMemory.PageSize;
        if (_furtherUsers != null && _furtherUsers[number] > 0)
        {
            _furtherUsers[number]--;
            return;
        }

        int word = (int)(number / BitsOfWord);
        _taken[word] &= ~Bit(number);
        _free++;
        _search = Math.Min(_search, (word + _taken.Length - (_taken.Length / 2)) % _taken.Length);
    }

    private ulong Take(ulong number)
    {
        ulong word = number / BitsOfWord, frame = number * PhysicalMemory.PageSize;
        if ((_used[word] & Bit(number)) != 0)
            _memory.Span(frame, (int)PhysicalMemory.PageSize).Clear();
        _taken[word] |= Bit(number);
        _used[word] |= Bit(number);
        _free--;
        Most = Math.Max(Most, _count - 1 - _free);
        return frame;
    }

    private static ulong Bit(ulong number) => 1ul << (int)(number % BitsOfWord);
}
